"""Part labels of sets: what they cost, how they are kept, and that each stays with its point."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch
from safetensors import safe_open

from cl3d.clouds import PointClouds
from cl3d.distill import Anchors, Budget, Condenser, Generator, Points, load, presets, save
from cl3d.distill.parameterizations.anchor_set import AnchorSet
from cl3d.distill.parameterizations.part_cut import PartCut, _rising
from cl3d.distill.parameterizations.part_labels import (
    as_bytes,
    check_labels,
    from_bytes,
    in_part_order,
    parts_of,
    runs_of,
)
from cl3d.distill.parameterizations.points import PointSet
from cl3d.errors import InputError
from cl3d.models import PointNetSegmentation
from cl3d.ops.assignment import align
from cl3d.ops.fps import farthest_points
from cl3d.random import generator
from cl3d.testing.condensers import blobs

SMALL = partial(
    PointNetSegmentation, num_parts=9, channels=(5, 11), hidden=(7,), transforms=False, dropout=0.0
)


def version(path) -> int:
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["cl3d"])["format_version"]


def labelled(clouds: PointClouds) -> set[tuple[float, ...]]:
    """Each point with its class and part."""
    classes = clouds.labels.unsqueeze(1).expand(clouds.parts.shape)
    rows = torch.cat([clouds.points.detach(), clouds.parts.unsqueeze(2), classes.unsqueeze(2)], dim=2)
    return set(map(tuple, rows.flatten(0, 1).tolist()))


def test_runs_and_back():
    clouds = in_part_order(blobs())
    assert bool((clouds.parts.diff(dim=1) >= 0).all())
    assert labelled(clouds) == labelled(blobs())
    assert torch.equal(parts_of(json.loads(json.dumps(runs_of(clouds.parts))), 15, 13), clouds.parts)
    assert in_part_order(clouds.without_parts()).parts is None


@pytest.mark.parametrize(
    "runs",
    [
        None,
        [],
        [[[0, 3], [1, 4]]],
        [[[0, 3], [1, 4]], [[0, 7], [1, 1]]],
        [[[0, 3], [1, 4]], [[1, 3], [0, 4]]],
        [[[0, 3], [1, 4]], [[0, 7], [1, 0]]],
        [[[0, 3], [1, 4]], [[-1, 7]]],
        [[[0, 3], [1, 4]], [[0, 3.0], [1, 4]]],
        [[[0, 3], [1, 4]], [[0, 3, 1]]],
        [[[0, 3], [1, 4]], 7],
    ],
)
def test_damaged_runs_are_refused(runs):
    with pytest.raises(InputError, match="parts of 2 clouds of 7 points"):
        parts_of(runs, 2, 7)


def test_bytes_and_back():
    parts = torch.tensor([[[3, 90, 3]], [[91, 4, 90]]])
    labels = parts.unique().tolist()
    assert as_bytes(parts, labels).tolist() == [[[0, 2, 0]], [[3, 1, 2]]]
    assert torch.equal(from_bytes(as_bytes(parts, labels), labels), parts)
    with pytest.raises(InputError, match="257 different parts"):
        as_bytes(parts, range(257))
    with pytest.raises(InputError, match="not bytes below 3"):
        from_bytes(as_bytes(parts, labels), labels[:3])
    for wrong in ([1, 1], [2, 1], [-1], [1.0], "12", None, list(range(257))):
        with pytest.raises(InputError, match="part labels"):
            check_labels(wrong)


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize("storage", ["float32", "float16", "uint8"])
def test_parts_cost_a_set_of_points_no_byte_and_stay_with_their_points(storage, tmp_path):
    clouds = blobs()
    condenser = Condenser(parameterization=Points(storage=storage))
    synthetic = condenser(clouds, budget=Budget(ppc=2), model=SMALL)
    plain = condenser(clouds.without_parts(), budget=Budget(ppc=2))
    assert synthetic.nbytes == plain.nbytes
    if storage == "float32":
        assert labelled(synthetic.decode()) <= labelled(clouds)
    save(synthetic, tmp_path / "parts.safetensors")
    save(plain, tmp_path / "plain.safetensors")
    assert (version(tmp_path / "parts.safetensors"), version(tmp_path / "plain.safetensors")) == (2, 1)
    assert torch.equal(load(tmp_path / "parts.safetensors").decode().parts, synthetic.decode().parts)


@pytest.mark.parametrize("name", ["random", "herding", "k_center", "spectral", "random_coarse"])
def test_coresets_are_points_of_real_clouds_with_their_parts(name):
    condenser = presets.random_coarse(num_points=5) if name == "random_coarse" else getattr(presets, name)()
    synthetic = condenser(blobs(), budget=Budget(ppc=2), model=SMALL)
    assert labelled(synthetic.decode()) <= labelled(blobs())
    assert labelled(synthetic.decode(num_points=3)) <= labelled(blobs())


def aligned_group() -> tuple[PointClouds, AnchorSet]:
    picked = blobs().of_class(5)[:3]
    local = PointClouds(picked.points, torch.zeros(3, dtype=torch.int64), picked.parts)
    return local, Anchors(anchors=3, blends=2).start(local, {0: 13 * 12}, seed=0)


def test_anchors_keep_parts_through_the_assignment_and_blends_have_the_firsts():
    picked, synthetic = aligned_group()
    decoded = synthetic.decode()
    # 13 points of 12 bytes pay for 2 (3 - 1) weights of 4 bytes and q points of 3 * 12 + 2 bytes
    assert decoded.num_points == (13 * 12 - 16) // 38
    assert labelled(decoded[:3]) <= labelled(picked)
    assert bool((decoded.parts[0].diff() >= 0).all())
    for blend in decoded.parts[3:]:
        assert torch.equal(blend, decoded.parts[0])
    # by hand: the second anchor's points in the order of the first's
    coarse = in_part_order(picked.take_points(farthest_points(picked.points, decoded.num_points)))
    order = align(coarse.points[1], decoded.points[0])
    assert torch.equal(coarse.parts[1][order], decoded.parts[1])


def test_parts_of_anchors_are_counted_and_kept(tmp_path):
    _, synthetic = aligned_group()
    q = synthetic.anchors.shape[2]
    stored = synthetic.stored()
    assert stored["parts"].dtype == torch.uint8
    assert tuple(stored["parts"].shape) == (1, 2, q)
    assert synthetic.nbytes == 3 * q * 12 + 2 * 2 * 4 + 2 * q <= 13 * 12
    save(synthetic, tmp_path / "set.safetensors")
    assert version(tmp_path / "set.safetensors") == 2
    again = load(tmp_path / "set.safetensors")
    assert torch.equal(again.decode().parts, synthetic.decode().parts)
    alone = again.prune(1)
    save(alone, tmp_path / "one.safetensors")
    assert torch.equal(load(tmp_path / "one.safetensors").decode().parts, synthetic.decode().parts[:1])


def test_damaged_parts_of_anchors_are_refused():
    _, synthetic = aligned_group()
    tensors, labels, config = synthetic.stored(), synthetic.labels, synthetic.config()
    q = synthetic.anchors.shape[2]
    wrong = [
        (tensors, {"parts": config["parts"]}),
        (tensors, config | {"part_labels": [0]}),
        (tensors | {"parts": torch.zeros(1, 1, q, dtype=torch.uint8)}, config),
        ({name: t for name, t in tensors.items() if name != "parts"}, config),
        (tensors, {}),
    ]
    for given, settings in wrong:
        with pytest.raises(InputError, match="part"):
            AnchorSet.rebuild(dict(given), labels, settings)


def test_the_noise_is_cut_at_the_shares_of_parts_in_all_real_clouds():
    clouds = blobs(per_class=40)
    cut = PartCut.estimated(clouds)
    ranks = torch.arange(3)
    noise = torch.rand(1, 40_000, generator=generator(1)).expand(3, -1)
    parts = cut.parts_at(noise, ranks)
    for rank, label in enumerate(clouds.classes):
        real = clouds.of_class(label).parts
        for part in real.unique():
            share = (real == part).double().mean()
            assert (parts[rank] == part).double().mean() == pytest.approx(float(share), abs=0.01)
        order = noise[rank].argsort()
        assert bool((parts[rank][order].diff() >= 0).all()), "a part's noises are one interval"
    wanted = torch.stack([clouds.of_class(label).parts[0] for label in clouds.classes])
    drawn = cut.noise_for(wanted, ranks, generator(2))
    assert torch.equal(cut.parts_at(drawn, ranks), wanted)
    assert drawn.unique().numel() > 30


def test_generators_cut_their_noise_by_real_clouds_that_they_do_not_start_from():
    clouds = blobs(per_class=40)
    condenser = Condenser(parameterization=Generator(fit_iterations=1))
    synthetic = condenser(clouds, budget=Budget(ppc=2), model=SMALL)
    expected = PartCut.estimated(clouds)
    assert torch.equal(synthetic.cut.ends, expected.ends)
    assert synthetic.cut.parts == expected.parts == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert synthetic.nbytes <= 3 * 2 * 13 * 12
    assert synthetic.stored()["cut.ends"].numel() == 9
    first, more = synthetic.decode(), synthetic.decode(num_points=200)
    assert torch.equal(first.parts[0], first.parts[1]), "clouds of a class share the noise"
    assert more.parts.shape == (6, 200)


def test_a_fitted_generator_learns_where_parts_are():
    clouds = blobs(num_points=60, per_class=2)
    condenser = Condenser(parameterization=Generator(fit_iterations=150, w0=10.0, fit_lr=3e-3))
    synthetic = condenser(clouds, budget=Budget(ppc=2), model=SMALL)
    decoded = synthetic.decode(num_points=400)
    for label, low in zip(clouds.classes, (0, 3, 6), strict=True):
        mine = decoded.of_class(label)
        heights = [float(mine.points.detach()[..., 1][mine.parts == low + part].mean()) for part in range(3)]
        assert heights[0] < heights[1] < heights[2], "the parts of blobs lie one above the other"


def test_parts_of_hardly_any_points_have_room():
    shares = torch.tensor([0.5, 1e-12, 0.5 - 2e-12, 1e-12], dtype=torch.float64)
    ends = _rising(shares.cumsum(0).float())
    cut = PartCut([[2, 3, 5, 7]], ends)
    parts = torch.tensor([2, 3, 5, 7]).repeat(1, 500)
    noise = cut.noise_for(parts, torch.zeros(1, dtype=torch.int64), generator(0))
    assert torch.equal(cut.parts_at(noise, torch.zeros(1, dtype=torch.int64)), parts)
    common = PartCut([[0, 1]], torch.tensor([0.25, 1.0]))
    assert torch.equal(_rising(common.ends.clone()), common.ends)


def test_more_parts_than_bytes_tell_apart_are_refused_before_anything_is_optimised():
    parts = torch.arange(300).view(1, 2, 150)
    anchors, logits = torch.rand(1, 2, 150, 3, generator=generator(0)), torch.zeros(1, 1, 1)
    with pytest.raises(InputError, match="300 different parts"):
        AnchorSet(anchors, logits, torch.zeros(1, dtype=torch.int64), parts=parts)


def test_damaged_cuts_are_refused():
    ends = torch.tensor([0.5, 1.0, 1.0])
    PartCut.rebuild([[0, 1], [7]], ends)
    wrong = [
        ([[0, 1]], ends),
        ([[0, 1], [7], []], ends),
        ([[1, 0], [7]], ends),
        ([[0, 1], [7]], torch.tensor([0.5, 0.9, 1.0])),
        ([[0, 1], [7]], torch.tensor([1.0, 1.0, 1.0])),
        ([[0, 1], [7]], torch.tensor([-0.5, 1.0, 1.0])),
        ([[0, 1], [7]], ends.double()),
        (7, ends),
    ]
    for parts, given in wrong:
        with pytest.raises(InputError, match="part"):
            PartCut.rebuild(parts, given)


def test_sets_of_points_refuse_parts_that_do_not_fit():
    synthetic = PointSet(blobs()[:3])
    tensors, labels, config = synthetic.stored(), synthetic.labels, synthetic.config()
    assert torch.equal(PointSet.rebuild(tensors, labels, config).decode().parts, synthetic.decode().parts)
    with pytest.raises(InputError, match="parts of 3 clouds"):
        PointSet.rebuild(tensors, labels, {"parts": config["parts"][:2]})
    with pytest.raises(InputError, match="holds one tensor"):
        PointSet.rebuild(tensors, labels, {"part": []})
    for shape in ((), (5,), (len(labels), 0, 3), (len(labels), 13, 2)):
        with pytest.raises(InputError, match=r"not \(clouds, points, 3\)"):
            PointSet.rebuild({"points": torch.zeros(shape)}, labels, {"parts": [[] for _ in labels]})
