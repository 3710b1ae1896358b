"""Whole runs: no leaks, pairing, a golden tiny run."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest
import torch

from cl3d.clouds import PointClouds
from cl3d.continual import ContinualRun, Cumulative, Joint, Naive, Online, Rehearse, Scratch
from cl3d.continual.estimate import expected_seconds, training_passes
from cl3d.data import shapes40
from cl3d.distill import Budget, Condenser, Generator, Networks, Training, load, presets
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.random import fold

SMALL = partial(PointNet, channels=(8, 16), head=(8,))
QUICK = Training(epochs=2, batch_size=8)


@pytest.fixture(scope="module")
def dataset():
    return shapes40(num_points=32, num_classes=7, train_per_class=5, test_per_class=3)


def tiny_run(dataset, condenser, strategy=None, **changes) -> ContinualRun:
    settings = {"budget": Budget(ppc=2), "steps": 3, "seed": 0} | changes
    return ContinualRun(dataset, SMALL, strategy or Scratch(QUICK), condenser, **settings)


def rows(clouds: PointClouds) -> set[bytes]:
    return {cloud.numpy().tobytes() for cloud in clouds.points.detach()}


class Watching:
    """A condenser that remembers what it was given."""

    def __init__(self, condenser: Condenser) -> None:
        self.condenser, self.seen = condenser, []

    def __getattr__(self, name):
        return getattr(self.condenser, name)

    def __call__(self, clouds, **kwargs):
        self.seen.append(clouds)
        return self.condenser(clouds, **kwargs)


@pytest.mark.parametrize("strategy", [Scratch(QUICK), Rehearse(QUICK)], ids=lambda strategy: strategy.name)
def test_each_condensation_sees_its_steps_training_clouds_and_nothing_else(dataset, tmp_path, strategy):
    watching = Watching(replace(presets.pcc(), iterations=1))
    run = tiny_run(dataset, watching, strategy)
    results = run.start(tmp_path)
    assert len(watching.seen) == 3
    for seen, step in zip(watching.seen, results.steps, strict=True):
        assert rows(seen) == rows(dataset.train.of_classes(step.classes))
        assert not rows(seen) & rows(dataset.test)


def test_networks_are_trained_on_the_memory_alone(dataset, tmp_path, monkeypatch):
    from cl3d.continual import templates

    trained, fit = [], templates.fit
    monkeypatch.setattr(
        templates, "fit", lambda net, clouds, *rest: (trained.append(clouds), fit(net, clouds, *rest))
    )
    tiny_run(dataset, presets.random()).start(tmp_path)
    kept: set[bytes] = set()
    for step, groups in enumerate(trained):
        kept |= rows(load(tmp_path / "memory" / f"step_{step + 1:02d}.safetensors").decode())
        assert sum(len(group) for group in groups) == len(kept)
        assert len(set(torch.cat([group.labels for group in groups]).tolist())) == [3, 5, 7][step]


def test_swapping_the_buffer_keeps_the_order_and_the_weights_of_every_step(dataset, tmp_path, monkeypatch):
    from cl3d.continual import templates

    fit, starts = templates.fit, {}
    for name in ("random", "herding"):
        weights = starts.setdefault(name, [])

        def watching(net, *rest, weights=weights):
            weights.append([p.detach().clone() for p in net.parameters()])
            fit(net, *rest)

        monkeypatch.setattr(templates, "fit", watching)
        tiny_run(dataset, getattr(presets, name)()).start(tmp_path / name)
    for one, other in zip(starts["random"], starts["herding"], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    orders = [
        json.loads((tmp_path / name / "results.json").read_text())["settings"]["class_order"]
        for name in starts
    ]
    assert orders[0] == orders[1]


def test_the_class_order_has_a_seed_of_its_own(dataset):
    def order(**seeds):
        return tiny_run(dataset, presets.random(), **seeds).order

    assert order(seed=0, order_seed=2) == order(seed=1, order_seed=2) == order(seed=2)
    assert order(seed=0, order_seed=2) != order(seed=0)


def test_the_order_seed_changes_no_weights(dataset, tmp_path, monkeypatch):
    from cl3d.continual import templates

    fit, starts = templates.fit, {0: [], 1: []}
    for order_seed, weights in starts.items():

        def watching(net, *rest, weights=weights):
            weights.append([p.detach().clone() for p in net.parameters()])
            fit(net, *rest)

        monkeypatch.setattr(templates, "fit", watching)
        run = tiny_run(dataset, presets.random(), seed=3, order_seed=order_seed)
        run.start(tmp_path / str(order_seed))
    for one, other in zip(*starts.values(), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_memory_never_exceeds_its_budget(dataset, tmp_path):
    total = 7 * 2 * 32 * 12 + 11
    results = tiny_run(dataset, presets.random(), budget=Budget(nbytes=total)).start(tmp_path)
    assert all(step.memory_bytes <= total for step in results.steps)
    assert results.steps[-1].memory_bytes == total - 11


def test_the_matrix_and_the_curve_agree(dataset, tmp_path):
    results = tiny_run(dataset, presets.random()).start(tmp_path)
    for i, step in enumerate(results.steps):
        known = [value for value in step.row if value is not None]
        assert len(known) == i + 1
        sizes = [3, 2, 2][: i + 1]
        mean = sum(value * size for value, size in zip(known, sizes, strict=True)) / sum(sizes)
        assert step.accuracy == pytest.approx(mean)
        assert step.accuracy == pytest.approx(sum(step.class_accuracy.values()) / len(step.class_accuracy))


def test_transfer_is_measured_on_classes_that_have_not_come(dataset, tmp_path):
    run = tiny_run(dataset, presets.random())
    results = run.start(tmp_path)
    summary = results.to_dict()
    ahead, untrained = summary["next_step_accuracy_per_step"], summary["untrained_accuracy_per_step"]
    assert ahead[-1] is None
    assert len(ahead) == len(untrained) == 3
    gains = [ahead[0] - untrained[1], ahead[1] - untrained[2]]
    assert summary["forward_transfer"] == pytest.approx(sum(gains) / 2)
    # by hand: the untrained network is that which a run of one seed starts from
    seed = fold(run.seed, "networks")
    net = Networks(SMALL, 7, torch.device("cpu"), seed).draw("step", 0).eval()
    for classes, expected in zip([step.classes for step in results.steps], untrained, strict=True):
        clouds = dataset.test.of_classes(classes)
        right = 0
        for points, label in zip(clouds.points, clouds.labels.tolist(), strict=True):
            logits = net(points.unsqueeze(0))[0].tolist()
            right += max(classes, key=lambda k, logits=logits: logits[k]) == label
        assert expected == right / len(clouds)


def test_one_step_has_no_forward_transfer(dataset, tmp_path):
    assert tiny_run(dataset, None, Joint(QUICK)).start(tmp_path).to_dict()["forward_transfer"] is None


def test_peak_memory_and_seconds_stand_apart(dataset, tmp_path):
    results = tiny_run(dataset, presets.random(), Rehearse(QUICK)).start(tmp_path)
    peaks = json.loads((tmp_path / "peak_memory.json").read_text())
    assert peaks["per_step"] == [step.peak_bytes for step in results.steps]
    assert peaks["highest"] == max(max(step.values()) for step in peaks["per_step"])
    assert all(set(step) == {"condense", "train", "test"} for step in peaks["per_step"])
    assert all(10 << 20 < peak < 1 << 40 for step in peaks["per_step"] for peak in step.values())
    assert "peak" not in (tmp_path / "results.json").read_text()


def test_bounds_need_no_memory(dataset, tmp_path):
    naive = tiny_run(dataset, None, Naive(QUICK)).start(tmp_path / "naive")
    joint = tiny_run(dataset, None, Joint(QUICK)).start(tmp_path / "joint")
    assert len(naive.steps) == 3
    assert len(joint.steps) == 1
    assert not (tmp_path / "joint" / "memory").exists()


def test_cumulative_trains_on_all_steps_so_far(dataset, tmp_path, monkeypatch):
    from cl3d.continual import templates

    trained, fit = [], templates.fit
    monkeypatch.setattr(
        templates, "fit", lambda net, clouds, *rest: (trained.append(clouds), fit(net, clouds, *rest))
    )
    results = tiny_run(dataset, None, Cumulative(QUICK)).start(tmp_path)
    seen: list[int] = []
    for step, (clouds,) in zip(results.steps, trained, strict=True):
        seen += step.classes
        assert rows(clouds) == rows(dataset.train.of_classes(seen))


def test_online_is_one_pass(dataset, tmp_path):
    one = replace(QUICK, epochs=1)
    online = tiny_run(dataset, presets.random(), Online(one)).start(tmp_path / "online")
    rehearsed = tiny_run(dataset, presets.random(), Rehearse(one)).start(tmp_path / "rehearse")
    assert online.settings["strategy"] == "online"
    assert [step.row for step in online.steps] == [step.row for step in rehearsed.steps]
    with pytest.raises(InputError, match="strategy=online with 2 epochs"):
        Online(QUICK)


def test_telling_the_step_never_costs_accuracy(dataset, tmp_path):
    results = tiny_run(dataset, presets.random()).start(tmp_path)
    assert results.steps[0].accuracy_in_task == results.steps[0].accuracy
    assert all(step.accuracy_in_task >= step.accuracy for step in results.steps)


def test_an_upper_bound_is_told_the_tasks_of_the_stream_it_bounds(dataset, tmp_path):
    """Joint learns all classes in one step; what it is told are still the three steps that are asked for."""
    joint = tiny_run(dataset, None, Joint(QUICK))
    assert joint.classes_per_step == [7]
    assert joint.classes_per_task == tiny_run(dataset, presets.random()).classes_per_task == [3, 2, 2]
    (step,) = joint.start(tmp_path / "three").steps
    (alone,) = tiny_run(dataset, None, Joint(QUICK), steps=7).start(tmp_path / "seven").steps
    (whole,) = tiny_run(dataset, None, Joint(QUICK), steps=1).start(tmp_path / "one").steps
    assert step.accuracy == alone.accuracy == whole.accuracy == whole.accuracy_in_task
    assert alone.accuracy_in_task == 1
    assert step.accuracy < step.accuracy_in_task < 1


def test_a_strategy_with_a_memory_needs_a_condenser(dataset):
    with pytest.raises(InputError, match="buffer=pcc"):
        tiny_run(dataset, None)


def test_one_class_per_step_with_one_cloud_each_runs(dataset, tmp_path):
    """The smallest memory there is: one cloud, on which no batch statistics exist."""
    single = shapes40(num_points=32, num_classes=7, train_per_class=1, test_per_class=1)
    for data in (dataset, single):
        for strategy in (Scratch(QUICK), Rehearse(QUICK), Naive(QUICK)):
            for name in ("random", "dm", "pcc"):
                preset = getattr(presets, name)()
                condenser = replace(preset, iterations=min(preset.iterations, 2))
                run = tiny_run(data, condenser, strategy, steps=7, budget=Budget(ppc=1))
                folder = tmp_path / f"{len(data.train)}-{strategy.name}-{name}"
                assert len(run.start(folder).steps) == 7


def test_a_failure_is_marked_and_keeps_what_is_finished(dataset, tmp_path):
    class Failing(Watching):
        def __call__(self, clouds, **kwargs):
            if (tmp_path / "memory").exists():
                raise InputError("enough")
            return super().__call__(clouds, **kwargs)

    with pytest.raises(InputError, match="enough"):
        tiny_run(dataset, Failing(presets.random())).start(tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["status"] == "failed"
    assert len(results["accuracy_per_step"]) == 1


def test_classes_without_clouds_are_refused_before_the_run(dataset):
    broken = replace(dataset, test=dataset.test.of_classes(range(6)))
    with pytest.raises(InputError, match="no test clouds"):
        tiny_run(broken, presets.random())


def test_forecasts_count_more_for_more(dataset):
    few = tiny_run(dataset, presets.random())
    many = tiny_run(dataset, presets.pcc())
    assert 0 < training_passes(few) < training_passes(many)
    # 2 epochs on memories of 6, 10 and 14 clouds, and 0.4 forward passes of test clouds: 9, 15 and 21 of
    # the classes seen, 6 and 6 of the next step's, 21 for an untrained network
    tested = (9 + 15 + 21) + (6 + 6) + 21
    assert training_passes(few) == pytest.approx(2 * (6 + 10 + 14) + 0.4 * tested)
    assert expected_seconds(few) > 0
    assert expected_seconds(few, pass_seconds=2.0) == pytest.approx(2 * training_passes(few))


def test_forecasts_count_coarse_clouds_as_parts_and_fitting_by_itself(dataset):
    whole = tiny_run(dataset, presets.random())
    coarse = tiny_run(dataset, presets.random_coarse(num_points=16))  # twice as many of half the points
    assert training_passes(coarse) == pytest.approx(training_passes(whole))
    fitted = replace(presets.dd3d(), iterations=1, parameterization=Generator(fit_iterations=10**6))
    assert expected_seconds(tiny_run(dataset, fitted), pass_seconds=0.0) > 1


def test_forecasts_count_the_memory_batches_that_there_are(dataset):
    """None in the first step, no more clouds than the memory holds, coarse ones as parts."""
    rehearse, naive = Rehearse(QUICK, memory_batch=7), tiny_run(dataset, None, Naive(QUICK))
    # 2 epochs of 2 batches in the steps with 10 clouds; the memory then holds 6 and 10, or 12 and 20 halves
    for preset, extra in ((presets.random(), 6 + 7), (presets.random_coarse(num_points=16), (7 + 7) / 2)):
        run = tiny_run(dataset, preset, rehearse)
        assert training_passes(run) - training_passes(naive) == pytest.approx(2 * 2 * extra)


def test_golden(dataset, tmp_path):
    """A tiny run as it has always been; only a deliberate change of the method may change it."""
    condenser = replace(presets.dm(), iterations=3)
    results = tiny_run(dataset, condenser, Scratch(Training(epochs=40, batch_size=8)), seed=3).start(tmp_path)
    points = load(tmp_path / "memory" / "step_02.safetensors").decode().points.detach().double()
    assert [list(step.classes) for step in results.steps] == GOLDEN["classes"]
    assert float(points.abs().sum()) == pytest.approx(GOLDEN["points"], abs=1e-3)
    assert results.steps[1].condensing["moved_mean"] == pytest.approx(GOLDEN["moved"], rel=1e-3)
    assert [step.accuracy for step in results.steps] == pytest.approx(GOLDEN["accuracy"], abs=0.1)


GOLDEN = {
    "classes": [[2, 6, 4], [3, 0], [1, 5]],
    "points": 85.23144,
    "moved": 0.005121106281876564,
    "accuracy": [0.1111, 0.4, 0.4286],
}
