"""At step i nothing has seen another step's clouds or any test cloud: shown by a log, and by poison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from watched import NET, Log, leaks, logging, watched

from cl3d.continual import ContinualRun, Cumulative, Naive, Online, Rehearse, Scratch
from cl3d.continual.benchmark import parted, split_classes
from cl3d.continual.estimate import expected_seconds
from cl3d.data import Dataset, shapes40
from cl3d.distill import Budget, Training, presets
from cl3d.errors import InputError
from cl3d.random import generator
from cl3d.testing.condensers import small

pytestmark = pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")

STEPS, CLASSES = 3, 6
ORDER = [4, 0, 2, 5, 1, 3]
GROUPS = parted(ORDER, split_classes(CLASSES, STEPS))
QUICK = Training(epochs=1, batch_size=8)
PRESETS = sorted(name for name in presets.__all__ if callable(getattr(presets, name)) and name != "citation")
STRATEGIES = {
    "scratch": Scratch(QUICK),
    "rehearse": Rehearse(QUICK, memory_batch=4),
    "online": Online(QUICK, memory_batch=4),
    "naive": Naive(QUICK),
    "cumulative": Cumulative(QUICK),
}
MEMORY = ("scratch", "rehearse", "online")
RESERVOIRS = ("reservoir", "balanced_reservoir")


@pytest.fixture(scope="module")
def data():
    return shapes40(num_points=67, num_classes=CLASSES, train_per_class=4, test_per_class=2)


def tiny_run(data, preset="herding", strategy="scratch", **changes) -> ContinualRun:
    condenser = small(getattr(presets, preset)())
    budget = Budget(total=CLASSES * 2 * 67 * 12) if preset in RESERVOIRS else Budget(ppc=2)
    settings = {"budget": budget, "steps": STEPS, "given_order": ORDER} | changes
    return ContinualRun(data, NET, STRATEGIES[strategy], condenser, **settings)


class Enough(Exception):
    pass


def logged(data, monkeypatch, folder, *arguments, **settings) -> Log:
    log = Log()
    seen = watched(data, GROUPS, log)
    with logging(log, monkeypatch):
        run = tiny_run(seen, *arguments, **settings)
        run.start(folder, on_start=lambda: expected_seconds(run))  # as the script's header does
    return log


def check_log_is_no_empty_one(log: Log, condenses: bool) -> None:
    """The instruments work: each step's clouds were read, learnt and tested."""
    for step in range(STEPS):
        of_step = [reading for reading in log.readings if reading.step == step]
        assert any(r.by == "data" and r.activity != "test" and ("train", step) in r.sources for r in of_step)
        for by in ("data", "network"):
            tested = [r.sources for r in of_step if r.activity == "test" and r.by == by]
            assert {("test", i) for i in range(step + 1)} <= frozenset().union(*tested)
        if condenses:
            shown = [r.sources for r in of_step if r.activity == "condense" and r.by == "network"]
            assert frozenset().union(*shown) == {("train", step)}


@pytest.mark.parametrize("preset", PRESETS)
def test_no_condenser_reads_or_shows_another_steps_clouds(data, tmp_path, monkeypatch, preset):
    log = logged(data, monkeypatch, tmp_path, preset)
    condenser = getattr(presets, preset)()
    looks = condenser.objective is not None or condenser.initializer.training is not None
    check_log_is_no_empty_one(log, condenses=looks)
    assert not leaks(log, remembers=True)


@pytest.mark.parametrize(
    ("strategy", "classifier"),
    [(name, "softmax") for name in STRATEGIES] + [(name, "nearest_mean") for name in MEMORY],
)
def test_no_strategy_reads_or_shows_them(data, tmp_path, monkeypatch, strategy, classifier):
    log = logged(data, monkeypatch, tmp_path, "herding", strategy, classifier=classifier)
    check_log_is_no_empty_one(log, condenses=strategy in MEMORY)
    assert not leaks(log, remembers=strategy in MEMORY, cumulative=strategy == "cumulative")


def other(data: Dataset, kept: set[int], test: bool) -> Dataset:
    """The training clouds of all classes but ``kept`` are noise, and so are the test clouds if ``test``."""

    def noise(clouds, labels):
        drawn = torch.randn(clouds.points.shape, generator=generator(0, "poison"))
        chosen = torch.isin(clouds.labels, torch.tensor(sorted(labels)))
        return clouds.with_points(torch.where(chosen[:, None, None], drawn, clouds.points))

    everything = set(range(CLASSES))
    changed = noise(data.test, everything) if test else data.test
    poisoned = replace(data, train=noise(data.train, everything - kept), test=changed)
    assert not torch.equal(poisoned.test.points, data.test.points)
    return poisoned


def run_up_to(data, folder: Path, last: int, monkeypatch, *arguments, **settings) -> Path:
    """A run that ends after step ``last``; its data has the same name whatever it holds."""

    def stop(results):
        if results.steps[-1].step == last:
            raise Enough

    with monkeypatch.context() as patch:
        patch.setattr(Dataset, "fingerprint", lambda self: "the same")
        try:
            tiny_run(data, *arguments, **settings).start(folder, on_step=stop)
        except Enough:
            return folder
    raise AssertionError(f"there was no step {last}")


def memory_file(folder: Path, step: int) -> bytes:
    return (folder / "memory" / f"step_{step + 1:02d}.safetensors").read_bytes()


def weights(folder: Path, step: int) -> dict[str, torch.Tensor]:
    state = load_file(folder / "state" / f"step_{step + 1:02d}.safetensors")
    found = {name: tensor for name, tensor in state.items() if name.startswith(("net.", "optimizer."))}
    assert found
    return found


@pytest.mark.parametrize("preset", [name for name in PRESETS if name not in RESERVOIRS])
def test_what_a_step_leaves_hangs_on_its_own_clouds_alone(data, tmp_path, monkeypatch, preset):
    """All other clouds, of steps before and after, are noise: the step's file has the same bytes."""
    step = 1
    poisoned = other(data, set(GROUPS[step]), test=True)
    files = [
        memory_file(run_up_to(clouds, tmp_path / name, step, monkeypatch, preset), step)
        for name, clouds in (("clean", data), ("poisoned", poisoned))
    ]
    assert files[0] == files[1]


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_weights_and_memory_hang_on_nothing_that_comes_later(data, tmp_path, monkeypatch, strategy, step):
    seen = {label for group in GROUPS[: step + 1] for label in group}
    poisoned = other(data, seen, test=True)
    clean, changed = (
        run_up_to(clouds, tmp_path / name, step, monkeypatch, "dm", strategy)
        for name, clouds in (("clean", data), ("poisoned", poisoned))
    )
    for earlier in range(step + 1 if strategy in MEMORY else 0):
        assert memory_file(clean, earlier) == memory_file(changed, earlier)
    before, after = weights(clean, step), weights(changed, step)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("preset", RESERVOIRS)
def test_a_reservoir_hangs_on_nothing_that_comes_later(data, tmp_path, monkeypatch, preset):
    """Its one set is of all steps so far, so that noise in earlier ones would change it rightly."""
    step = 1
    poisoned = other(data, {label for group in GROUPS[: step + 1] for label in group}, test=True)
    clean, changed = (
        run_up_to(clouds, tmp_path / name, step, monkeypatch, preset)
        for name, clouds in (("clean", data), ("poisoned", poisoned))
    )
    files = [{path.name: path.read_bytes() for path in (f / "memory").iterdir()} for f in (clean, changed)]
    assert len(files[0]) > step
    assert files[0] == files[1]


def test_poison_works(data, tmp_path, monkeypatch):
    """Noise in a step's own clouds changes what it leaves, and the weights."""
    poisoned = other(data, {label for label in range(CLASSES) if label not in GROUPS[0]}, test=True)
    clean, changed = (
        run_up_to(clouds, tmp_path / name, 0, monkeypatch, "dm", "rehearse")
        for name, clouds in (("clean", data), ("poisoned", poisoned))
    )
    assert memory_file(clean, 0) != memory_file(changed, 0)
    assert any(not torch.equal(t, weights(changed, 0)[name]) for name, t in weights(clean, 0).items())


@pytest.mark.parametrize("preset", ["random", "herding", "dm", "pcc", "morphing"])
def test_the_log_finds_the_leaking_control_out(data, tmp_path, monkeypatch, preset):
    log = logged(data, monkeypatch, tmp_path, preset, joint_condensed=True)
    found = leaks(log, remembers=True)
    future = {("train", step) for step in range(1, STEPS)}
    assert any(r.by == "data" and r.step == 0 and future <= r.sources for r in found)
    if preset != "random":  # which shows them to no network
        shown = [r.sources for r in found if r.by == "network" and r.step == 0]
        assert future <= frozenset().union(*shown)


@pytest.mark.parametrize("preset", ["dm", "pcc", "morphing"])
def test_poison_finds_the_leaking_control_out(data, tmp_path, monkeypatch, preset):
    poisoned = other(data, set(GROUPS[0]), test=True)
    files = [
        memory_file(run_up_to(clouds, tmp_path / name, 0, monkeypatch, preset, joint_condensed=True), 0)
        for name, clouds in (("clean", data), ("poisoned", poisoned))
    ]
    assert files[0] != files[1]


def test_the_leaking_control_holds_the_same_bytes_and_says_what_it_is(data, tmp_path):
    for strategy in MEMORY:
        runs = [
            tiny_run(data, "pcc", strategy, joint_condensed=joint).start(tmp_path / f"{strategy}-{joint}")
            for joint in (False, True)
        ]
        honest, leaking = (results.to_dict() for results in runs)
        assert honest["memory_bytes_per_step"] == leaking["memory_bytes_per_step"]
        assert honest["memory_clouds_per_step"] == leaking["memory_clouds_per_step"]
        assert (honest["settings"]["leaks"], leaking["settings"]["leaks"]) == (False, True)
        assert memory_file(tmp_path / f"{strategy}-True", 1) != memory_file(tmp_path / f"{strategy}-False", 1)


def test_a_killed_control_goes_on_to_the_same_files(data, tmp_path):
    def killed(step):
        raise Enough

    tiny_run(data, "pcc", joint_condensed=True).start(tmp_path / "whole")
    with pytest.raises(Enough):
        tiny_run(data, "pcc", joint_condensed=True).start(tmp_path / "killed", on_step=killed)
    tiny_run(data, "pcc", joint_condensed=True).start(tmp_path / "killed")
    whole, again = (tmp_path / name for name in ("whole", "killed"))
    assert [memory_file(whole, i) for i in range(STEPS)] == [memory_file(again, i) for i in range(STEPS)]
    assert (whole / "results.json").read_bytes() == (again / "results.json").read_bytes()


@pytest.mark.parametrize(
    ("preset", "strategy", "words"),
    [("dd3d", "scratch", "cannot be parted"), ("pcc", "naive", "naive has no memory")],
)
def test_controls_that_cannot_be_are_refused_before_the_run(data, preset, strategy, words):
    with pytest.raises(InputError, match=words):
        tiny_run(data, preset, strategy, joint_condensed=True)
