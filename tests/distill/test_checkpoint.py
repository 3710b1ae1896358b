"""A condensation that is killed and taken up again ends in the same bytes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
import torch

from cl3d.distill import (
    SGD,
    Adam,
    Anchors,
    Budget,
    Condenser,
    DistributionMatching,
    Diverged,
    Experts,
    Fresh,
    Generator,
    GradientMatching,
    Herding,
    Points,
    Trained,
    Training,
    TrajectoryMatching,
    TurnedPoints,
    checkpoint,
    loop,
    surrogates,
)
from cl3d.errors import InputError, Note
from cl3d.models import PointNet, PointNetSegmentation
from cl3d.testing.condensers import blobs

SMALL = partial(PointNet, channels=(5, 11), head=(7,))
SEGMENTING = partial(
    PointNetSegmentation, num_parts=9, channels=(5, 11), hidden=(7,), transforms=False, dropout=0.0
)
QUICK = Training(epochs=1, batch_size=8)
BASE = Condenser(
    initializer=Herding(QUICK),
    objective=GradientMatching(),
    surrogates=Trained(inner=3, training=QUICK),
    iterations=7,
    real_batch=3,
)
CONDENSERS = {
    "adam, inner loop": BASE,
    "momentum, one network": replace(
        BASE, optimizer=SGD(lr=0.1, momentum=0.5), surrogates=Fresh(every=100), schedule="cosine"
    ),
    "fresh networks": replace(BASE, surrogates=Fresh(), objective=DistributionMatching()),
    "angles": replace(BASE, parameterization=TurnedPoints()),
    "generator": replace(BASE, parameterization=Generator()),
    "learnt student rate": replace(
        BASE,
        objective=TrajectoryMatching(steps=2, lr_rate=0.1),
        surrogates=Experts(experts=1, span=1, training=QUICK),
    ),
}


class Killed(Exception):
    pass


def run(condenser, path=None, progress=None, **changes):
    arguments = {"budget": Budget(ppc=2), "model": SMALL, "seed": 3} | changes
    if progress is not None:
        arguments["progress"] = progress
    return condenser(blobs(), checkpoint=path, **arguments)


def stop_at(iteration, error):
    """Progress that raises when that iteration of the condensation is done."""

    @contextmanager
    def progress(description, total, done=0, each=""):
        count = [0]

        def advance(note="", **figures):
            count[0] += 1
            if description == "condensing" and count[0] == iteration:
                raise error

        yield advance

    return progress


@pytest.mark.parametrize("stopped", [1, 3, 4, 7])
@pytest.mark.parametrize("name", CONDENSERS)
def test_an_interrupted_run_goes_on_to_the_same_bytes(name, stopped, tmp_path):
    path = tmp_path / "deep" / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(CONDENSERS[name], path, stop_at(stopped, KeyboardInterrupt))
    assert path.is_file()
    again, whole = run(CONDENSERS[name], path), run(CONDENSERS[name])
    assert again.info == whole.info
    assert all(torch.equal(again.stored()[key], value) for key, value in whole.stored().items())
    assert all(torch.equal(run(CONDENSERS[name], path).stored()[k], v) for k, v in whole.stored().items())


@pytest.mark.parametrize("parameterization", [Points(), Generator(), Anchors(anchors=2, blends=2)])
def test_sets_with_parts_go_on_to_the_same_bytes(parameterization, tmp_path):
    condenser, path = replace(BASE, parameterization=parameterization), tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(condenser, path, stop_at(4, KeyboardInterrupt), model=SEGMENTING)
    again, whole = run(condenser, path, model=SEGMENTING), run(condenser, model=SEGMENTING)
    assert again.info == whole.info
    assert again.config() == whole.config()
    assert all(torch.equal(again.stored()[key], value) for key, value in whole.stored().items())
    clouds = blobs()
    others = replace(clouds, parts=clouds.parts.flip(1))
    with pytest.raises(InputError, match="differs in data"):
        condenser(others, budget=Budget(ppc=2), model=SEGMENTING, seed=3, checkpoint=path)


def test_a_killed_run_goes_on_from_the_last_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Killed):  # an exception that nobody catches, as a stand-in for a kill
        run(BASE, path, stop_at(5, Killed))
    picks = []

    def watch(description, total, done=0, each=""):
        picks.append((description, done))
        return stop_at(0, Killed)(description, total)

    again = run(BASE, path, watch)
    assert picks == [("condensing", 4)]  # no network was trained for herding again
    assert torch.equal(again.points, run(BASE).points)


@pytest.mark.parametrize("name", CONDENSERS)
@pytest.mark.parametrize(
    ("owner", "function"), [(surrogates, "fit"), (loop.Loop, "_match"), (loop.Loop, "_update")]
)
def test_an_interrupt_within_an_iteration_repeats_that_iteration(
    name, owner, function, tmp_path, monkeypatch
):
    condenser = CONDENSERS[name]
    if function == "fit" and condenser.surrogates.training_epochs == 0:
        pytest.skip("no network is trained on the set in this composition")
    original, calls = getattr(owner, function), []

    def interrupted(*args, **kwargs):
        result = original(*args, **kwargs)
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return result

    path = tmp_path / "checkpoint.safetensors"
    monkeypatch.setattr(owner, function, interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(condenser, path)
    assert path.exists()
    again, whole = run(condenser, path), run(condenser)
    assert all(torch.equal(again.stored()[key], value) for key, value in whole.stored().items())


def test_the_set_before_the_explosion_is_kept_across_a_break(tmp_path):
    condenser = Condenser(
        objective=DistributionMatching(), optimizer=SGD(lr=1e30), iterations=50, surrogates=Fresh(every=50)
    )
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(condenser, path, stop_at(1, KeyboardInterrupt))
    with pytest.raises(Diverged) as caught:
        run(condenser, path)
    start = run(replace(condenser, objective=None, iterations=0))
    assert torch.equal(caught.value.synthetic.points, start.points)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 4}, "seed"),
        ({"budget": Budget(ppc=1)}, "budget"),
        ({"model": partial(SMALL, norm="none")}, "model"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(change, named, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(BASE, path, stop_at(2, KeyboardInterrupt))
    before = path.read_bytes()
    with pytest.raises(InputError, match=f"differs in {named}: give another folder"):
        run(BASE, path, **change)
    with pytest.raises(InputError, match="differs in condenser"):
        run(replace(BASE, iterations=8), path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kept", [0, 50, -1])
def test_a_damaged_checkpoint_is_noted_and_done_without(tmp_path, kept):
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(BASE, path, stop_at(2, KeyboardInterrupt))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.warns(Note, match="condensing from the beginning"):
        synthetic = run(BASE, path)
    assert torch.equal(synthetic.decode().points, run(BASE).decode().points)


def test_a_single_number_of_any_stride_is_kept(tmp_path):
    """Momenta of a single cloud's angle are such."""
    number = torch.tensor([2.0, 5.0, 7.0])[::3]
    assert number.stride() == (3,)
    kept = checkpoint.Checkpoint(tmp_path / "state", {})
    kept.write(checkpoint.State({"momentum": number}, {}))
    assert kept.read().tensors["momentum"].tolist() == [2.0]


def test_a_coreset_needs_no_checkpoint(tmp_path):
    run(replace(BASE, objective=None, iterations=0), tmp_path / "checkpoint.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_the_last_good_set_is_kept_where_the_loss_is_not_finite():
    condenser = Condenser(
        objective=DistributionMatching(), optimizer=SGD(lr=1e30), iterations=50, surrogates=Fresh(every=50)
    )
    with pytest.raises(Diverged, match="at iteration 1: lower the optimizer's learning rate") as caught:
        run(condenser)
    start = run(replace(condenser, objective=None, iterations=0))
    assert torch.equal(caught.value.synthetic.points, start.points)
    assert caught.value.synthetic.labels.tolist() == start.labels.tolist()


def test_rates_that_differ_only_in_the_optimizer_differ_in_the_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(BASE, path, stop_at(2, KeyboardInterrupt))
    with pytest.raises(InputError, match="differs in condenser"):
        run(replace(BASE, optimizer=Adam(lr=0.5)), path)
