"""A run that is killed, at whatever moment, goes on to the same files."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from killed import Killed, killed_at

from cl3d.continual import ContinualRun, Cumulative, Naive, Rehearse, Scratch, finished
from cl3d.data import shapes40
from cl3d.distill import Budget, Generator, Points, Training, checkpoint, load, presets
from cl3d.distill.parameterizations import generated
from cl3d.errors import InputError, Note
from cl3d.locks import locked
from cl3d.models import PointNet

SMALL = partial(PointNet, channels=(8, 16), head=(8,))
QUICK = Training(epochs=2, batch_size=8)
DM = replace(
    presets.dm(), iterations=4, real_batch=3, parameterization=Points(num_points=32, storage="uint8")
)
STRATEGIES = {
    "scratch": Scratch(QUICK),
    "rehearse": Rehearse(QUICK, memory_batch=5),
    "naive": Naive(QUICK),
    "cumulative": Cumulative(QUICK),
}
KILLS = [(name, count) for name in STRATEGIES for count in (1, 4, 8)] + [
    (name, count) for name in ("scratch", "rehearse") for count in (9, 13, 20)
]


@pytest.fixture(scope="module")
def dataset():
    return shapes40(num_points=32, num_classes=7, train_per_class=5, test_per_class=3)


@pytest.fixture(scope="module")
def references(dataset, tmp_path_factory):
    """Each strategy's run without a break."""
    folders = {name: tmp_path_factory.mktemp(name) for name in STRATEGIES}
    for name, folder in folders.items():
        tiny_run(dataset, name).start(folder)
    return folders


def tiny_run(dataset, strategy="scratch", **changes) -> ContinualRun:
    settings = {"condenser": DM, "budget": Budget(ppc=2), "steps": 3, "seed": 0} | changes
    return ContinualRun(dataset, SMALL, STRATEGIES[strategy], **settings)


def outcome(folder: Path) -> dict[str, bytes]:
    """What must not depend on breaks, byte by byte."""
    files = [folder / "results.json", folder / "accuracy_matrix.csv", *(folder / "memory").glob("step_*")]
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize(("strategy", "count"), KILLS)
def test_killed_during_the_work(dataset, references, tmp_path, monkeypatch, strategy, count):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    with pytest.raises(Killed):
        tiny_run(dataset, strategy).start(tmp_path, killed_at(count))
    tiny_run(dataset, strategy).start(tmp_path)
    assert outcome(tmp_path) == outcome(references[strategy])


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize("count", range(1, 25, 2))
def test_killed_while_a_file_is_written(dataset, references, tmp_path, monkeypatch, count):
    rename, left = os.replace, [count]

    def killed(source, target):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        rename(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(Killed):
        tiny_run(dataset).start(tmp_path)
    monkeypatch.undo()
    tiny_run(dataset).start(tmp_path)
    assert outcome(tmp_path) == outcome(references["scratch"])


SHRINKING = {
    "points": DM,
    "generator": replace(DM, parameterization=Generator()),
    "balanced_reservoir": presets.balanced_reservoir(),
}


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize("name", SHRINKING)
def test_a_memory_that_shrinks_goes_on_too(dataset, tmp_path, monkeypatch, name):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(generated, "REFIT_ITERATIONS", 2)
    rename, budget = os.replace, Budget(total=9 * 12 * 32)

    def start(folder, *progress):
        tiny_run(dataset, condenser=SHRINKING[name], budget=budget).start(folder, *progress)

    start(tmp_path / "reference")
    for count in (2, 5, 8):
        with pytest.raises(Killed):
            start(tmp_path / f"work_{count}", killed_at(count))
    for count in (7, 12, 17):
        left = [count]

        def killed(source, target, left=left):
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            rename(source, target)

        monkeypatch.setattr(os, "replace", killed)
        with pytest.raises(Killed):
            start(tmp_path / f"file_{count}")
        monkeypatch.setattr(os, "replace", rename)
    for folder in [*tmp_path.glob("work_*"), *tmp_path.glob("file_*")]:
        start(folder)
        assert outcome(folder) == outcome(tmp_path / "reference")


def start_and_be_killed(run, folder, after):
    """In a process of its own, which is killed after some seconds."""
    child = os.fork()
    if child == 0:
        try:
            run.start(folder)
        finally:
            os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_twenty_real_kills_in_a_row_and_apart(dataset, references, tmp_path):
    start = time.perf_counter()
    tiny_run(dataset, "rehearse").start(tmp_path / "timed")
    whole = time.perf_counter() - start
    draw = random.Random(0)
    for kill in range(20):
        folder = tmp_path / f"run_{kill // 2}"  # two kills for each run
        start_and_be_killed(tiny_run(dataset, "rehearse"), folder, draw.uniform(0, 0.8) * whole)
    for folder in tmp_path.glob("run_*"):
        tiny_run(dataset, "rehearse").start(folder)
        assert outcome(folder) == outcome(references["rehearse"])


def test_finished_steps_are_not_run_again(dataset, tmp_path):
    class Counting:
        def __init__(self):
            self.calls = 0

        def __getattr__(self, name):
            return getattr(DM, name)

        def __repr__(self):
            return "counting"

        def __call__(self, clouds, **kwargs):
            self.calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return DM(clouds, **kwargs)

    condenser = Counting()
    with pytest.raises(KeyboardInterrupt):
        tiny_run(dataset, condenser=condenser).start(tmp_path)
    assert not finished(tmp_path)
    tiny_run(dataset, condenser=condenser).start(tmp_path)
    assert condenser.calls == 2 + 1 + 1
    tiny_run(dataset, condenser=condenser).start(tmp_path)
    assert condenser.calls == 4
    assert finished(tmp_path)


def states(folder: Path) -> list[Path]:
    return sorted((folder / "state").glob("step_*"))


def test_the_two_newest_states_are_kept(references):
    for folder in references.values():
        assert [path.name for path in states(folder)] == ["step_02.safetensors", "step_03.safetensors"]
        assert not list((folder / "state").glob("condensing*"))


def test_a_copy_beside_the_states_is_no_state(dataset, references, tmp_path):
    folder = Path(shutil.copytree(references["naive"], tmp_path / "run"))
    newest = states(folder)[-1]
    newest.rename(newest.with_name("step_03 (copy).safetensors"))
    tiny_run(dataset, "naive").start(folder)
    assert outcome(folder) == outcome(references["naive"])
    assert newest.exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "both", "memory"])
def test_a_damaged_state_falls_back_to_the_one_before(dataset, references, tmp_path, damage):
    tiny_run(dataset).start(tmp_path)
    before, newest = states(tmp_path)
    if damage in ("cut", "both"):
        newest.write_bytes(newest.read_bytes()[:-7])
    if damage == "flipped":
        content = bytearray(newest.read_bytes())
        content[-5] ^= 1
        newest.write_bytes(content)
    if damage == "both":
        before.unlink()
    if damage == "memory":
        (tmp_path / "memory" / "step_03.safetensors").write_bytes(b"")
    with pytest.warns(Note, match="going on from the state before it"):
        tiny_run(dataset).start(tmp_path)
    assert outcome(tmp_path) == outcome(references["scratch"])


def test_a_damaged_condensation_begins_anew(dataset, references, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    with pytest.raises(Killed):
        tiny_run(dataset).start(tmp_path, killed_at(3))
    (state,) = (tmp_path / "state").glob("condensing_*")
    state.write_bytes(state.read_bytes()[:-9])
    with pytest.warns(Note, match="condensing from the beginning"):
        tiny_run(dataset).start(tmp_path)
    assert outcome(tmp_path) == outcome(references["scratch"])


def test_a_run_of_other_settings_is_refused_and_left_as_it_is(dataset, tmp_path):
    tiny_run(dataset).start(tmp_path)
    before = outcome(tmp_path)
    with pytest.raises(InputError, match=r"differs in .*seed"):
        tiny_run(dataset, seed=1, budget=Budget(ppc=2)).start(tmp_path)
    assert outcome(tmp_path) == before


def test_a_model_without_a_name_begins_anew(dataset, tmp_path):
    for width in (8, 16):
        build = partial(PointNet, channels=(8, width), head=(8,))
        run = ContinualRun(dataset, lambda k, b=build: b(k), STRATEGIES["scratch"], DM, Budget(ppc=2), 3)
        run.start(tmp_path)
        again = ContinualRun(dataset, build, STRATEGIES["scratch"], DM, Budget(ppc=2), 3)
        again.start(tmp_path / str(width))
        memory = [folder / "memory" / "step_03.safetensors" for folder in (tmp_path, tmp_path / str(width))]
        assert torch.equal(*(load(path).decode().points for path in memory))


def test_a_condensation_of_a_model_without_a_name_is_not_gone_on_with(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    with pytest.raises(Killed):
        ContinualRun(dataset, lambda k: SMALL(k), STRATEGIES["scratch"], DM, Budget(ppc=2), 3).start(
            tmp_path, killed_at(3)
        )
    assert not list(tmp_path.glob("state/condensing_*"))


def test_a_folder_in_use_is_refused_before_anything_is_shown(dataset, tmp_path):
    shown: list[str] = []
    with locked(tmp_path), pytest.raises(InputError, match="in use by another process"):
        tiny_run(dataset).start(tmp_path, on_start=lambda: shown.append("header"))
    assert not shown
    tiny_run(dataset).start(tmp_path, on_start=lambda: shown.append("header"))
    assert shown == ["header"]


def test_the_memory_is_what_its_files_hold(dataset, tmp_path):
    """Bytes are rounded coordinates; a network must not see what is not kept."""
    from cl3d.continual import CondensedBuffer, class_incremental
    from cl3d.distill import save

    buffer = CondensedBuffer(DM, Budget(ppc=2), SMALL)
    benchmark = class_incremental(dataset, 3, list(range(7)))
    buffer.post_adapt(None, benchmark.train_stream[0])
    save(buffer.sets[0], tmp_path / "set.safetensors")
    assert torch.equal(buffer.sets[0].decode().points, load(tmp_path / "set.safetensors").decode().points)
