"""Morphing anchors: equations 5, 6 and 12 by hand, budgets, files, and the contract."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch
from safetensors.torch import save_file
from torch.autograd import gradcheck

from cl3d.clouds import PointClouds
from cl3d.distill import (
    SGD,
    Anchors,
    AnchorSet,
    Budget,
    Condenser,
    DistributionMatching,
    SortedFeatureMatching,
    load,
    save,
)
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.ops.assignment import align
from cl3d.ops.fps import farthest_points
from cl3d.random import generator
from cl3d.testing.condensers import blobs, check_condenser

SMALL = partial(PointNet, channels=(5, 11), head=(7,))


def anchor_set(groups: int = 3, anchors: int = 5, blends: int = 2, points: int = 7) -> AnchorSet:
    return AnchorSet(
        torch.randn(groups, anchors, points, 3, generator=generator(0)),
        torch.randn(groups, blends, anchors - 1, generator=generator(1)),
        torch.tensor([2, 2, 11][:groups]),
    )


def test_decoding_is_equation_5_and_6():
    synthetic = anchor_set()
    decoded = synthetic.decode()
    expected = []
    for group in range(3):
        anchors = list(synthetic.anchors[group])
        expected += anchors
        for logits in synthetic.logits[group]:
            weights = torch.tensor([*logits.tolist(), 0.0]).exp()
            weights = weights / weights.sum()
            expected.append(sum(w * anchor for w, anchor in zip(weights, anchors, strict=True)))
    assert torch.allclose(decoded.points, torch.stack(expected), atol=1e-6)
    assert decoded.labels.tolist() == [2] * 14 + [11] * 7


def test_gradients_of_decoding():
    synthetic = anchor_set(groups=2, anchors=3).double()
    pairs = list(synthetic.state_dict())
    values = [p.detach().clone().requires_grad_() for p in synthetic.parameters()]

    def decode(*tensors):
        named = dict(zip(pairs, tensors, strict=True))
        return torch.func.functional_call(synthetic, named, ()).points

    synthetic.forward = synthetic.decode
    assert gradcheck(decode, values)


@pytest.mark.parametrize(("blends", "points"), [(16, 252), (4, 255), (0, 256)])
def test_a_group_costs_no_more_than_a_raw_cloud(blends, points):
    # the morphing paper: N1 = 1,024 and M = 4 leave 252 points with 16 blends, 255 with 4
    assert Anchors(anchors=4, blends=blends).points_within(1024 * 12) == points
    picked = PointClouds(torch.randn(8, 1024, 3, generator=generator(2)), torch.zeros(8).long())
    synthetic = Anchors(anchors=4, blends=blends).start(picked, {0: 2 * 1024 * 12}, seed=0)
    assert synthetic.anchors.shape == (2, 4, points, 3)
    assert synthetic.nbytes == 2 * (4 * points * 12 + 4 * blends * 3) <= 2 * 1024 * 12


def test_anchors_are_coarse_real_clouds_in_matching_order():
    picked = PointClouds(torch.randn(3, 17, 3, generator=generator(3)), torch.zeros(3).long())
    synthetic = Anchors(anchors=3, blends=0).start(picked, {0: 17 * 12}, seed=0)
    coarse = [
        cloud[rows] for cloud, rows in zip(picked.points, farthest_points(picked.points, 5), strict=True)
    ]
    expected = [coarse[0], *(cloud[align(cloud, coarse[0])] for cloud in coarse[1:])]
    assert torch.equal(synthetic.anchors[0], torch.stack(expected))


def test_a_class_with_too_few_clouds_uses_them_again():
    picked = PointClouds(torch.randn(3, 13, 3, generator=generator(5)), torch.zeros(3).long())
    synthetic = Anchors(anchors=2, blends=1).start(picked, {0: 2 * 13 * 12}, seed=0)
    assert synthetic.anchors.shape == (2, 2, 6, 3)
    assert torch.equal(synthetic.anchors[0, 0].sort(dim=0).values, synthetic.anchors[1, 1].sort(dim=0).values)


@pytest.mark.parametrize(("clouds", "groups"), [(1, 1), (2, 1), (4, 1), (5, 5), (6, 6), (8, 8), (13, 9)])
def test_no_two_groups_are_of_the_same_clouds(clouds, groups):
    picked = PointClouds(torch.randn(clouds, 17, 3, generator=generator(7)), torch.zeros(clouds).long())
    synthetic = Anchors(anchors=4, blends=0).start(picked, {0: 9 * 17 * 12}, seed=0)
    assert len(synthetic.anchors) == groups
    starts = synthetic.anchors.flatten(0, 1).detach()  # the first point of each cloud is in its anchor
    own = (starts.unsqueeze(1) == picked.points[:, 0].unsqueeze(1)).all(-1).any(-1).unflatten(0, (-1, 4))
    members = {tuple(group.any(dim=0).tolist()) for group in own}
    assert len(members) == groups
    assert bool(own.any(dim=(0, 1)).all()) or clouds > 4 * groups  # all clouds serve


def test_initial_weights_are_uniform_on_the_simplex():
    picked = PointClouds(torch.randn(3, 97, 3, generator=generator(6)), torch.zeros(3).long())
    logits = Anchors(anchors=3, blends=83).start(picked, {0: 97 * 12}, seed=0).logits[0]
    weights = torch.cat([logits, torch.zeros(83, 1)], dim=1).softmax(dim=1)
    # of a uniform distribution on the simplex each weight has mean 1/3 and exceeds 1/2 in 1/4 of the cases
    assert torch.allclose(weights.mean(dim=0), torch.full((3,), 1 / 3), atol=0.1)
    assert float((weights > 0.5).float().mean()) == pytest.approx(0.25, abs=0.06)


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize("storage", ["float32", "uint8"])
@pytest.mark.parametrize("blends", [0, 3])
def test_the_contract(storage, blends):
    condenser = Condenser(
        parameterization=Anchors(anchors=2, blends=blends, storage=storage, blend_rate=0.3),
        objective=DistributionMatching(),
        optimizer=SGD(lr=0.1),
        iterations=2,
    )
    check_condenser(condenser, SMALL)


def test_coarse_blends_are_matched_part_by_part_and_both_parameters_move():
    condenser = Condenser(
        parameterization=Anchors(anchors=2, blends=3, blend_rate=1.0),
        objective=SortedFeatureMatching(beta=0, absolute=True),
        optimizer=SGD(lr=1.0, momentum=0.5),
        iterations=3,
    )
    start = Condenser(parameterization=condenser.parameterization)(blobs(), budget=Budget(ppc=2), model=SMALL)
    end = condenser(blobs(), budget=Budget(ppc=2), model=SMALL)
    assert not torch.equal(start.anchors, end.anchors)
    assert not torch.equal(start.logits, end.logits)


@pytest.mark.parametrize(
    ("kept", "anchors", "blends", "labels"),
    [
        (14, 5, 2, [2] * 14 + [11] * 7),
        (13, 5, 2, [2] * 7 + [11] * 7),
        (6, 5, 1, [2] * 6 + [11] * 6),
        (3, 3, 0, [2] * 3 + [11] * 3),
        (0, 0, 0, []),
    ],
)
def test_pruning_keeps_whole_groups_as_long_as_it_can(kept, anchors, blends, labels):
    whole = anchor_set()
    pruned = whole.prune(kept)
    assert pruned.labels.tolist() == labels
    assert kept == 0 or (pruned.anchors.shape[1], pruned.logits.shape[1]) == (anchors, blends)
    assert len(pruned.prune(0).prune(1)) == 0
    decoded = {cloud.numpy().tobytes() for cloud in whole.decode().points.detach()}
    assert all(cloud.numpy().tobytes() in decoded for cloud in pruned.decode().points.detach())


def test_files_keep_everything(tmp_path):
    synthetic = anchor_set()
    save(synthetic, tmp_path / "set.safetensors")
    loaded = load(tmp_path / "set.safetensors")
    assert isinstance(loaded, AnchorSet)
    assert torch.equal(loaded.decode().points, synthetic.decode().points)


@pytest.mark.parametrize(
    ("tensors", "counts"),
    [
        ({"anchors": torch.zeros(1, 2, 7, 2)}, [[0, 2]]),
        ({"anchors": torch.zeros(2, 7, 3)}, [[0, 2]]),
        ({"anchors": torch.full((1, 2, 7, 3), torch.nan)}, [[0, 2]]),
        ({"anchors": torch.zeros(1, 2, 7, 3), "logits": torch.zeros(1, 3, 2)}, [[0, 5]]),
        ({"anchors": torch.zeros(1, 2, 7, 3), "logits": torch.zeros(1, 3, 1)}, [[0, 4]]),
        ({"anchors": torch.zeros(2, 2, 7, 3)}, [[0, 3], [1, 1]]),
        ({"logits": torch.zeros(1, 3, 1)}, [[0, 3]]),
    ],
)
def test_tensors_that_do_not_fit_are_refused(tmp_path, tensors, counts):
    header = {"format_version": 1, "kind": "anchors", "clouds_per_class": counts, "config": {}, "info": {}}
    save_file(tensors, tmp_path / "set.safetensors", metadata={"cl3d": json.dumps(header)})
    with pytest.raises(InputError, match="is damaged"):
        load(tmp_path / "set.safetensors")


def test_wrong_settings_are_refused():
    with pytest.raises(InputError, match="anchors=1"):
        Anchors(anchors=1)
    with pytest.raises(InputError, match="blends=-1"):
        Anchors(blends=-1)
    with pytest.raises(InputError, match="leave no byte of 156 for points"):
        Condenser(parameterization=Anchors(anchors=4, blends=16))(blobs(), budget=Budget(ppc=1), model=SMALL)
