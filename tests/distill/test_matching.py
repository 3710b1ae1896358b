"""Classes taken together and one after the other give the same loss and gradient."""

from __future__ import annotations

import warnings
from functools import partial

import pytest
import torch

from cl3d.clouds import PointClouds
from cl3d.distill import matching, presets
from cl3d.distill.budget import Budget
from cl3d.distill.chunks import Chunks
from cl3d.distill.loop import Loop
from cl3d.distill.objectives import (
    DistributionMatching,
    GradientMatching,
    SortedFeatureMatching,
    WholeGradientMatching,
)
from cl3d.errors import Note
from cl3d.models import DGCNN, PointNet, PointNet2, pointnet_light
from cl3d.models.pointnet2 import Ball
from cl3d.random import generator, isolated

OBJECTIVES = [
    DistributionMatching(),
    *(GradientMatching(distance) for distance in ("layer_cosine", "row_cosine", "mse")),
    WholeGradientMatching(),
    *(SortedFeatureMatching(form, absolute=form == "squared") for form in ("kernel", "squared")),
]

NETS = {
    "pointnet": partial(PointNet, channels=(5, 11), head=(7,)),
    "pointnet_light": partial(pointnet_light, channels=(5, 11)),
    "pointnet2": partial(
        PointNet2, stages=[[Ball(0.9, 3, (5, 7))]], counts=(11,), channels=(13,), head=(7,), norm="group"
    ),
    "dgcnn": partial(DGCNN, k=3),
}


def clouds(sizes: list[int], num_points: int, seed: int) -> PointClouds:
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    points = torch.randn(len(labels), num_points, 3, generator=generator(seed), dtype=torch.float64)
    return PointClouds(points, labels)


def setting(model=NETS["pointnet"], stored=(2, 2, 3, 2, 2), coarse=False):
    """Five classes, of which the first three, and the last two, have as many real clouds."""
    with isolated(0, "net"):
        net = model(5).double().eval()
    now = clouds(list(stored), 7 if coarse else 23, 1)
    order = torch.randperm(len(now), generator=generator(2))  # a set's labels need not be in order
    real = clouds([5, 5, 5, 3, 3], 23, 3)
    return net, [real[real.labels == label] for label in range(5)], now[order]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=repr)
@pytest.mark.parametrize("coarse", [False, True])
def test_together_is_one_after_the_other(objective, coarse):
    net, real, now = setting(coarse=coarse)
    if coarse and not isinstance(objective, SortedFeatureMatching):
        now = now.with_points(now.points[:, :5])
    loss, gradient = matching.match(objective, net, real, now)
    together, moved = matching.match(objective, net, real, now, Chunks("classes"))
    assert together == pytest.approx(loss, rel=1e-12)
    torch.testing.assert_close(moved, gradient, rtol=1e-9, atol=1e-12 * float(gradient.abs().max()))
    assert gradient.abs().amax(dim=(1, 2)).min() > 0
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize("model", NETS)
@pytest.mark.parametrize("objective", [GradientMatching(), SortedFeatureMatching()], ids=repr)
def test_together_through_other_networks(model, objective):
    net, real, now = setting(NETS[model])
    loss, gradient = matching.match(objective, net, real, now)
    together, moved = matching.match(objective, net, real, now, Chunks("classes"))
    assert together == pytest.approx(loss, rel=1e-11)
    torch.testing.assert_close(moved, gradient, rtol=1e-8, atol=1e-10 * float(gradient.abs().max()))


def test_as_many_passes_as_kinds_of_classes():
    net, real, now = setting()
    seen = []
    net.register_forward_hook(lambda module, points, logits: seen.append(None))
    matching.match(GradientMatching(), net, real, now, Chunks("classes"))
    # classes 0 and 1; 2, which has one stored cloud more; 3 and 4: real and synthetic clouds of each
    assert len(seen) == 6


def test_a_network_that_cannot_be_batched_is_asked_class_by_class():
    net, real, now = setting()
    net.batchable = False
    expected = matching.match(DistributionMatching(), net, real, now)
    got = matching.match(DistributionMatching(), net, real, now, Chunks("classes"))
    assert got[0] == expected[0]
    assert torch.equal(got[1], expected[1])


@pytest.mark.parametrize("most", [1, 2, 3])
def test_chunks_are_halved_where_memory_is_too_small(most, monkeypatch):
    net, real, now = setting(stored=(2,) * 5)
    real = [batch[:3] for batch in real]
    expected = matching.match(DistributionMatching(), net, real, now, Chunks("classes"))
    whole, asked = DistributionMatching.losses, []

    def short_of_memory(self, net, real, synthetic, classes):
        asked.append(classes)
        if classes > most:
            raise torch.OutOfMemoryError
        return whole(self, net, real, synthetic, classes)

    monkeypatch.setattr(DistributionMatching, "losses", short_of_memory)
    chunks = Chunks("classes")
    with warnings.catch_warnings(record=True) as caught:
        loss, gradient = matching.match(DistributionMatching(), net, real, now, chunks)
    said = [(5, 2), (2, 1)] if most == 1 else [(5, 2)]
    assert [(warning.category, str(warning.message)) for warning in caught] == [
        (Note, f"memory does not hold {tried} classes at once: going on with {left}") for tried, left in said
    ]
    assert loss == pytest.approx(expected[0], rel=1e-12)
    torch.testing.assert_close(gradient, expected[1], rtol=1e-9, atol=1e-12)
    assert asked == ([5, 2, 2, 1] if most > 1 else [5, 2, 1, 1, 1, 1, 1])
    asked.clear()
    matching.match(DistributionMatching(), net, real, now, chunks)  # what fits is remembered
    assert max(asked) <= most


def test_one_class_too_large_is_an_error():
    def too_large(units):
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        Chunks("classes").work([4], too_large)


@pytest.mark.parametrize("preset", [presets.dm, presets.dc, presets.sadm, presets.dd3d])
def test_a_condensation_together_goes_the_same_way(preset, monkeypatch):
    """What CUDA does, done on the CPU: the sets agree to the rounding of a few float32 updates."""
    data = clouds([7, 7, 5], 17, 5)
    data = data.with_points(data.points.float())
    condense = partial(
        preset(iterations=3), data, budget=Budget(ppc=2), model=partial(PointNet, channels=(5, 11), head=())
    )
    alone = condense().decode().points
    begin = Loop.__post_init__

    def together(self):
        begin(self)
        self._chunks = Chunks("classes")

    monkeypatch.setattr(Loop, "__post_init__", together)
    torch.testing.assert_close(condense().decode().points, alone, rtol=0, atol=2e-4)
