"""Networks trained at once end where they end when trained one after the other."""

from __future__ import annotations

import copy
import importlib
from contextlib import nullcontext
from functools import partial

import pytest
import torch

from cl3d.clouds import PointClouds
from cl3d.distill import evaluate
from cl3d.distill.augment import Augmentation
from cl3d.distill.mixup import PointMixup
from cl3d.distill.optimizers import SGD, Adam
from cl3d.distill.stacked import fit_stacked
from cl3d.distill.training import Training, fit
from cl3d.errors import Note
from cl3d.models import DGCNN, PointNet, PointNet2, Rotated, Rotator
from cl3d.models.pointnet2 import Ball
from cl3d.random import generator, isolated

SEEDS = (2, 3, 5)

NETS = {
    **{f"pointnet, {norm}": partial(PointNet, 3, channels=(5, 11), head=(7,), norm=norm)
       for norm in ("batch", "instance", "none")},
    "pointnet2": partial(
        PointNet2, 3, stages=[[Ball(0.9, 3, (5, 7))]], counts=(7,), channels=(13,), head=(7,), dropout=0.0
    ),
    "dgcnn": partial(DGCNN, 3, k=3, dropout=0.0),
    "rotated": lambda: Rotated(PointNet(3, channels=(5, 11), head=()), Rotator()),
}  # fmt: skip

# Adam takes the sign of gradients that are 0 up to rounding, as that of a shift before a batch norm is
ADAM = Training(epochs=3, batch_size=5, optimizer=Adam(lr=1e-2, weight_decay=1e-2))
SLOPE = SGD(0.1, 0.9, 1e-2)
TRAININGS = {
    "plain": Training(epochs=3, batch_size=5, optimizer=SLOPE),
    "schedule": Training(epochs=4, batch_size=5, optimizer=SLOPE, schedule="half"),
    "augmented": Training(2, 5, SLOPE, augmentation=Augmentation(dropout=0.5, spin="so3")),
    "mixup": Training(2, 5, SLOPE, mixup=PointMixup()),
}


def clouds(n: int, num_points: int = 11, seed: int = 0, soft: bool = False) -> PointClouds:
    draws = generator(seed, n)
    points = torch.randn(n, num_points, 3, generator=draws, dtype=torch.float64)
    probabilities = torch.rand(n, 3, generator=draws, dtype=torch.float64).softmax(dim=1) if soft else None
    return PointClouds(points, torch.arange(n) % 3, soft_labels=probabilities)


def networks(model) -> list:
    nets = []
    for seed in SEEDS:
        with isolated(seed, "net"):
            nets.append(model().double())
    return nets


def check_equal(model, shown, training) -> None:
    alone = networks(model)
    together = copy.deepcopy(alone)
    for net, own, seed in zip(alone, shown, SEEDS, strict=True):
        fit(net, own, training, seed)
    fit_stacked(together, shown, training, SEEDS)
    for one, other, start in zip(together, alone, networks(model), strict=True):
        assert not one.training
        moved = False
        for (name, value), before in zip(
            other.state_dict().items(), start.state_dict().values(), strict=True
        ):
            torch.testing.assert_close(one.state_dict()[name], value, rtol=1e-7, atol=1e-9)
            moved |= not torch.equal(value, before)
        assert moved


@pytest.mark.parametrize("model", NETS)
def test_every_kind_of_network(model):
    # 13 clouds in batches of 5: of 5, 4 and 4, in an order of each network's own
    check_equal(NETS[model], [clouds(13)] * 3, TRAININGS["plain"])


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("soft", [False, True])
def test_every_way_of_training(training, soft):
    check_equal(NETS["pointnet, batch"], [clouds(13, soft=soft)] * 3, TRAININGS[training])


def test_adam():
    check_equal(NETS["pointnet, none"], [clouds(13)] * 3, ADAM)


def test_clouds_of_several_resolutions_that_change_with_the_epoch():
    def shown(seed, epoch):
        return [clouds(7, 11, 10 * seed + epoch), clouds(4, 17, 100 * seed + epoch)]

    check_equal(NETS["pointnet, batch"], [partial(shown, seed) for seed in SEEDS], TRAININGS["plain"])


def test_leftovers_are_noted_and_left_out_of_batch_statistics():
    training = Training(2, 5, SLOPE, leftovers=True)
    with pytest.warns(Note, match="leave 1 clouds over"):
        check_equal(NETS["pointnet, batch"], [clouds(11)] * 3, training)


def test_losses_are_not_fetched_step_by_step(monkeypatch):
    """On CUDA each would be a stop; on the CPU the fetching is seen all the same."""
    fetched = []
    for name in ("cpu", "item", "tolist", "__float__"):
        whole = getattr(torch.Tensor, name)
        monkeypatch.setattr(
            torch.Tensor, name, lambda t, *rest, whole=whole: (fetched.append(t.shape), whole(t, *rest))[1]
        )
    counts = []
    for batch_size in (13, 3):
        training = Training(epochs=2, batch_size=batch_size, optimizer=SLOPE)
        nets = networks(NETS["pointnet, none"])
        for train in (
            lambda t=training, n=nets: fit(n[0], clouds(13), t, 0),
            lambda t=training, n=nets: fit_stacked(n, [clouds(13)] * 3, t, SEEDS),
        ):
            fetched.clear()
            train()
            counts.append(fetched.count(torch.Size([])))
    assert counts == [2, 2, 2, 2]  # of each epoch the mean


def test_dropout_differs_between_networks():
    def model():
        return PointNet(3, channels=(5, 11), head=(7,), norm="none", dropout=0.5).double()

    with isolated(0, "net"):
        first = model()
    nets = [copy.deepcopy(first) for _ in SEEDS]
    fit_stacked(nets, [clouds(13)] * 3, TRAININGS["plain"], [7, 7, 7])
    assert not torch.equal(nets[0].classifier[-1].weight, nets[1].classifier[-1].weight)


@pytest.mark.parametrize("most", [1, 3])
def test_evaluation_together_is_that_of_one_after_the_other(most, monkeypatch):
    """What CUDA does, done on the CPU, with memory for all networks and for one."""
    module = importlib.import_module("cl3d.distill.evaluate")  # the package has a function of that name
    model = partial(PointNet, channels=(5, 11), head=(7,))
    given = {"model": model, "training": TRAININGS["plain"], "runs": 3, "device": "cpu"}
    train, test = (clouds(n, seed=n).with_points(clouds(n, seed=n).points.float()) for n in (13, 17))
    expected = evaluate(train, test, **given)
    asked = []

    def stacked(nets, *rest):
        asked.append(len(nets))
        if len(nets) > most:
            raise torch.OutOfMemoryError
        fit_stacked(nets, *rest)

    monkeypatch.setattr(module, "fit_stacked", stacked)
    monkeypatch.setattr(module, "_together", lambda *_: True)
    with pytest.warns(Note, match="memory does not hold 3 networks") if most == 1 else nullcontext():
        assert evaluate(train, test, **given) == expected
    assert asked == ([3, 1, 1, 1] if most == 1 else [3])
