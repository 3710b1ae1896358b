"""Evaluation: last epochs, fresh decoding, and best epochs only when asked for."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import replace
from functools import partial

import pytest
import torch

from cl3d.distill import (
    Adam,
    Budget,
    Condenser,
    Generator,
    Training,
    evaluate,
    fit,
    protocols,
)
from cl3d.distill.evaluation import ClassTest
from cl3d.distill.training import batches
from cl3d.errors import InputError, Note
from cl3d.models import PointNet
from cl3d.testing.condensers import blobs

SMALL = partial(PointNet, channels=(5, 11), head=(7,))
QUICK = Training(epochs=5, batch_size=8, optimizer=Adam(lr=1e-2))


def local_blobs(**kwargs):
    return blobs(labels=(0, 1, 2), **kwargs)


def value(train, **changes):
    arguments = {"model": SMALL, "training": QUICK, "runs": 2, "device": "cpu"} | changes
    return evaluate(train, local_blobs(per_class=7), **arguments)


def test_networks_differ_and_seeds_repeat():
    first, again, other = (value(local_blobs(), seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.accuracies != other.accuracies
    assert first.mean == pytest.approx(sum(first.accuracies) / 2)
    assert sum(first.per_class.values()) / 3 == pytest.approx(first.mean)


def test_the_best_epoch_is_shown_beside_the_last_and_only_when_asked_for():
    plain, both = value(local_blobs()), value(local_blobs(), best_epoch=True)
    assert plain.best_epoch == ()
    assert "best" not in str(plain)
    assert both.accuracies == plain.accuracies, "testing after each epoch changed the training"
    assert all(best >= last for best, last in zip(both.best_epoch, both.accuracies, strict=True))
    assert "(best epoch, selected on the test set)" in str(both)
    assert str(both).startswith(str(plain))


def test_test_clouds_are_visited_once_by_each_network_in_the_end(monkeypatch):
    # the package has a function of the module's name
    events, module = [], importlib.import_module("cl3d.distill.evaluate")
    whole, train = ClassTest.__call__, module.fit
    monkeypatch.setattr(ClassTest, "__call__", lambda self, net: (events.append("test"), whole(self, net))[1])
    monkeypatch.setattr(
        module, "fit", lambda *rest, **named: (train(*rest, **named), events.append("fit"))[0]
    )
    value(local_blobs())
    assert events == ["fit", "test"] * 2
    events.clear()
    value(local_blobs(), best_epoch=True, runs=1)
    assert events == [*["test"] * QUICK.epochs, "fit"]


def test_points_decode_the_same_each_time_and_generators_do_not():
    points = Condenser()(local_blobs(), budget=Budget(ppc=2), model=SMALL)
    assert value(points, fresh_decoding=True) == value(points)
    noise = Condenser(parameterization=Generator(fit_iterations=1))(
        local_blobs(), budget=Budget(ppc=2), model=SMALL
    )
    seen = []

    def watched(draws=None, num_points=None):
        decoded = decode(draws, num_points)
        seen.append(decoded.points.detach())
        return decoded

    decode, noise.decode = noise.decode, watched
    value(noise, fresh_decoding=True, runs=1)
    assert len({cloud.numpy().tobytes() for cloud in seen}) >= QUICK.epochs
    assert value(noise, fresh_decoding=True) == value(noise, fresh_decoding=True)


def test_sets_may_be_decoded_to_other_numbers_of_points():
    noise = Condenser(parameterization=Generator(fit_iterations=1))(
        local_blobs(), budget=Budget(ppc=2), model=SMALL
    )
    seen, decode = [], noise.decode

    def watched(draws=None, num_points=None):
        seen.append(num_points)
        return decode(draws, num_points)

    noise.decode = watched
    value(noise, num_points=29, runs=1)
    assert set(seen) == {29}


def test_other_resolutions_are_tested_as_they_are():
    assert 0 <= value(local_blobs(num_points=5)).mean <= 1


def test_leftovers_are_cut_and_said_to_be_harmful():
    literal = replace(QUICK, leftovers=True)
    data = local_blobs()[:10]
    assert [len(b) for b in batches([data], 8, None, leftovers=True)] == [8, 2]
    net = SMALL(3)
    with pytest.warns(Note, match="batches of 8 leave 2 clouds over"):
        fit(net, data, literal, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(net, data, QUICK, seed=0)
        fit(net, local_blobs()[:11], literal, seed=0)
        fit(SMALL(3, norm="instance"), data, literal, seed=0)


def test_a_leftover_of_two_reaches_the_batch_statistics_and_of_one_cannot():
    for clouds, moves in ((2, True), (1, False)):
        net = SMALL(3)
        before = {name: tensor.clone() for name, tensor in net.named_buffers()}
        with pytest.warns(Note, match="leave"):
            fit(net, local_blobs()[:clouds], replace(QUICK, leftovers=True), seed=0)
        assert all(torch.equal(before[n], t) for n, t in net.named_buffers()) != moves


def test_clouds_may_differ_from_epoch_to_epoch():
    epochs = []

    def clouds(epoch):
        epochs.append(epoch)
        return local_blobs()

    fit(SMALL(3), clouds, QUICK, seed=0)
    assert epochs == list(range(5))


def test_the_protocols_are_those_of_the_papers():
    assert protocols.morph().leftovers
    assert not protocols.morph_balanced().leftovers
    assert protocols.dd3d().epochs == 200
    assert protocols.pcc().batch_size == 128
    assert protocols.default().schedule == "cosine"


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_clouds_of_any_precision_are_evaluated(dtype):
    def stored(clouds):
        return clouds.with_points(clouds.points.to(dtype))

    given = {"model": SMALL, "training": QUICK, "runs": 1, "device": "cpu"}
    assert 0 <= evaluate(stored(local_blobs()), stored(local_blobs(per_class=7)), **given).mean <= 1


@pytest.mark.parametrize("runs", [0, 1.5, True])
def test_numbers_of_networks_that_are_none_are_refused(runs):
    with pytest.raises(InputError, match=f"runs={runs}: give a whole number"):
        value(local_blobs(), runs=runs)
