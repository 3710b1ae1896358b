"""Trajectory matching against a plain unroll; experts, kept and found again."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from cl3d.clouds import PointClouds
from cl3d.distill import (
    SGD,
    Adam,
    Budget,
    Condenser,
    DistributionMatching,
    Experts,
    Networks,
    Training,
    TrajectoryMatching,
)
from cl3d.distill.experts import Waypoint, Ways
from cl3d.distill.objectives.unroll import unroll
from cl3d.errors import InputError, Note
from cl3d.models import PointNet
from cl3d.progress import silent
from cl3d.random import generator, isolated
from cl3d.testing.backbones import check_backbone
from cl3d.testing.condensers import blobs, check_condenser

SMALL = partial(PointNet, channels=(5, 11), head=(7,))
CPU = torch.device("cpu")
QUICK = Training(epochs=3, batch_size=8, optimizer=SGD(lr=0.05))


def setting(clouds: int = 7):
    with isolated(0, "net"):
        net = PointNet(3, channels=(5, 11), head=(7,), norm="none").double().eval()
    points = torch.randn(clouds, 13, 3, generator=generator(1), dtype=torch.float64).requires_grad_()
    labels = torch.arange(clouds) % 3
    target = [p.detach() + 0.1 * torch.randn(p.shape, generator=generator(2)) for p in net.parameters()]
    return net, PointClouds(points, labels), target


def plain_unroll(net, points, labels, rows, lr, start):
    """One graph over all steps."""
    weights = [w.detach().requires_grad_() for w in start]
    for batch in rows:
        named = dict(zip((n for n, _ in net.named_parameters()), weights, strict=True))
        loss = nn.functional.cross_entropy(
            torch.func.functional_call(net, named, (points[batch],)), labels[batch]
        )
        slope = torch.autograd.grad(loss, weights, create_graph=True)
        weights = [w - lr * s for w, s in zip(weights, slope, strict=True)]
    return weights


def test_the_loss_is_the_plain_unroll_in_value_and_gradient():
    net, synthetic, target = setting()
    objective = TrajectoryMatching(steps=3, batch_size=5, student_lr=0.3)
    value = objective(Waypoint(net, target), synthetic, synthetic)
    (gradient,) = torch.autograd.grad(value, synthetic.points)
    rows = [torch.randperm(7, generator=generator(0, "unroll", step))[:5] for step in range(3)]
    start = list(net.parameters())
    student = plain_unroll(net, synthetic.points, synthetic.labels, rows, 0.3, start)
    missed = sum(((s - t) ** 2).sum() for s, t in zip(student, target, strict=True))
    went = sum(((s - t) ** 2).sum() for s, t in zip(start, target, strict=True)).detach()
    (expected,) = torch.autograd.grad(missed / went, synthetic.points)
    assert torch.allclose(value, missed / went, rtol=1e-9)
    assert torch.allclose(gradient, expected, rtol=1e-7, atol=1e-12)
    assert bool((expected != 0).any())


def test_the_backward_pass_through_the_steps():
    net, synthetic, _ = setting(clouds=5)
    rows = [torch.tensor([0, 3]), torch.tensor([1, 2, 4])]
    start = [p.detach().requires_grad_() for p in net.parameters()]
    lr = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)

    def unrolled(points, lr, *weights):
        return unroll(net, weights, points, synthetic.labels, rows, lr)

    assert gradcheck(unrolled, (synthetic.points, lr, *start), eps=1e-7, atol=1e-5)


class Kept:
    """A tensor that a graph holds on to."""

    def __init__(self, tensor):
        self.tensor = tensor


def held(run):
    """How many tensors the graph behind a loss holds once it is computed."""
    alive = weakref.WeakSet()

    def pack(tensor):
        kept = Kept(tensor)
        alive.add(kept)
        return kept

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept.tensor):
        loss = run()
    gc.collect()
    assert loss.requires_grad
    return len(alive)


def test_the_graph_does_not_grow_with_the_steps():
    net, synthetic, target = setting()
    rows = [torch.arange(7)] * 11
    ours = [
        held(lambda n=n: TrajectoryMatching(steps=n)(Waypoint(net, target), synthetic, synthetic))
        for n in (1, 11)
    ]
    plain = [
        held(
            lambda n=n: plain_unroll(
                net, synthetic.points, synthetic.labels, rows[:n], 0.3, list(net.parameters())
            )[0].sum()
        )
        for n in (1, 11)
    ]
    assert ours[0] == ours[1]
    assert plain[1] > 5 * plain[0]


def test_the_net_is_left_as_it_was():
    net, synthetic, target = setting()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    TrajectoryMatching(steps=2)(Waypoint(net, target), synthetic, synthetic).backward()
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_a_waypoint_is_a_backbone():
    net = SMALL(3)
    check_backbone(lambda classes: Waypoint(SMALL(classes), []))
    assert Waypoint(net, []).num_classes == 3


def prepared(folder=None, seed=5, training=QUICK):
    networks = Networks(SMALL, 3, CPU, 0)
    real = blobs(labels=(0, 1, 2))
    return Experts(experts=2, span=2, training=training, folder=folder).prepare(real, networks, seed, silent)


def test_experts_have_a_snapshot_for_each_epoch_and_are_drawn_by_iteration():
    ways = prepared()
    assert [len(way) for way in ways.ways] == [4, 4]
    networks = Networks(SMALL, 3, CPU, 0)
    drawn = set()
    for iteration in range(40):
        waypoint = ways.at(iteration, None, blobs(), networks, 7)
        start = [p.detach() for p in waypoint.net.parameters()]
        found = [
            (e, epoch)
            for e, way in enumerate(ways.ways)
            for epoch in range(2)
            if all(torch.equal(a, b) for a, b in zip(start, way[epoch], strict=True))
        ]
        assert len(found) == 1
        expert, epoch = found[0]
        assert all(
            torch.equal(a, b) for a, b in zip(waypoint.target, ways.ways[expert][epoch + 2], strict=True)
        )
        drawn.add(found[0])
    assert drawn == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_trajectories_are_kept_and_found_again(tmp_path, monkeypatch):
    from cl3d.distill import experts

    first = prepared(tmp_path)
    files = sorted(tmp_path.rglob("*.safetensors"))
    assert [path.name for path in files] == ["expert_00.safetensors", "expert_01.safetensors"]
    files[1].unlink()  # killed before the second was done
    calls = []
    trained = experts.fit
    monkeypatch.setattr(experts, "fit", lambda *args, **kwargs: (calls.append(1), trained(*args, **kwargs)))
    again = prepared(tmp_path)
    assert len(calls) == 1
    for one, other in zip(first.ways, again.ways, strict=True):
        for a, b in zip(one, other, strict=True):
            assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    prepared(tmp_path, seed=6)
    prepared(tmp_path, training=replace(QUICK, epochs=4))
    assert len(list(tmp_path.iterdir())) == 3


def test_a_model_without_a_name_is_not_kept(tmp_path):
    networks = Networks(lambda classes: SMALL(classes), 3, CPU, 0)
    with pytest.raises(InputError, match="give a named model, or no folder"):
        Experts(training=QUICK, folder=tmp_path).prepare(blobs(labels=(0, 1, 2)), networks, 5, silent)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("damage", [lambda b: b[:50], lambda b: b[:-3] + bytes([b[-3] ^ 1]) + b[-2:]])
def test_a_damaged_trajectory_is_noted_and_trained_anew(tmp_path, damage):
    first = prepared(tmp_path)
    path = min(tmp_path.rglob("*.safetensors"))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(Note, match="training anew"):
        again = prepared(tmp_path)
    assert all(torch.equal(x, y) for x, y in zip(first.ways[0][-1], again.ways[0][-1], strict=True))
    prepared(tmp_path)  # whole again: no note, which would be an error here


def test_what_cannot_be_kept_is_noted(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(Note, match="what was trained is not kept"):
        assert len(prepared(tmp_path / "file").ways) == 2


MTT = Condenser(
    objective=TrajectoryMatching(steps=2, batch_size=4),
    surrogates=Experts(experts=1, span=1, training=QUICK),
    iterations=2,
)


def test_every_cloud_is_reached_over_the_iterations():
    condenser = replace(
        MTT, objective=TrajectoryMatching(steps=1, batch_size=2), optimizer=Adam(lr=1e-3), iterations=30
    )
    start = replace(condenser, objective=None, iterations=0)
    before, after = (
        c(blobs(), budget=Budget(ppc=3), model=partial(SMALL, norm="none")).points for c in (start, condenser)
    )
    assert bool((before != after).any(dim=(1, 2)).all())


def test_the_contract():
    check_condenser(MTT, SMALL)


def test_the_loss_goes_down():
    condenser = replace(
        MTT,
        objective=TrajectoryMatching(steps=3, batch_size=100, student_lr=0.05),
        surrogates=Experts(experts=1, span=1, training=replace(QUICK, epochs=1)),
        optimizer=Adam(lr=1e-3),
        iterations=30,
    )
    info = condenser(blobs(), budget=Budget(ppc=1), model=partial(SMALL, norm="none")).info
    assert info["loss_last"] < info["loss_first"]


LEARNS = replace(MTT, objective=TrajectoryMatching(steps=3, batch_size=100, student_lr=1e-3, lr_rate=0.1))


def test_the_students_rate_is_learnt_along_with_the_set():
    """An expert goes farther in an epoch than three steps of 0.001: the rate must grow."""
    condenser = replace(LEARNS, iterations=10)
    info = condenser(blobs(), budget=Budget(ppc=1), model=partial(SMALL, norm="none")).info
    assert info["student_lr"] > 2e-3
    given = replace(condenser, objective=replace(condenser.objective, lr_rate=0.0))
    assert "student_lr" not in given(blobs(), budget=Budget(ppc=1), model=SMALL).info


def test_a_set_whose_rate_is_learnt_keeps_the_contract():
    check_condenser(LEARNS, SMALL)


@pytest.mark.parametrize(("last_start", "starts"), [(0, {0}), (1, {0, 1}), (9, {0, 1})])
def test_waypoints_are_no_later_than_is_asked_for(last_start, starts):
    ways = Ways(2, prepared().ways, last_start)
    networks = Networks(SMALL, 3, CPU, 0)
    drawn = set()
    for iteration in range(20):
        start = next(ways.at(iteration, None, blobs(), networks, 7).net.parameters())
        drawn |= {e for way in ways.ways for e in range(4) if torch.equal(start, way[e][0])}
    assert drawn == starts


def test_other_objectives_may_look_through_experts():
    condenser = replace(MTT, objective=DistributionMatching())
    assert condenser(blobs(), budget=Budget(ppc=1), model=SMALL).info["moved_mean"] > 0


def test_combinations_that_make_no_sense_are_refused_at_construction():
    with pytest.raises(InputError, match="Fresh does not know: give surrogates=experts"):
        Condenser(objective=TrajectoryMatching(), iterations=1)
    with pytest.raises(InputError, match="span=4 with experts of 3 epochs"):
        Experts(span=4, training=QUICK)
    with pytest.raises(InputError, match="last_start=-1"):
        Experts(last_start=-1)
    with pytest.raises(InputError, match="steps=0"):
        TrajectoryMatching(steps=0)
