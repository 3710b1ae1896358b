"""A run that takes another's memory: the same files as if it had condensed by itself, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cl3d.continual import ContinualRun, Naive, Online, Rehearse, Scratch
from cl3d.continual.estimate import expected_seconds
from cl3d.data import shapes40
from cl3d.distill import Budget, Condenser, Training, presets
from cl3d.errors import InputError
from cl3d.locks import locked
from cl3d.models import PointNet
from cl3d.testing.condensers import small

pytestmark = pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")

SMALL = partial(PointNet, channels=(5, 11), head=(7,))
QUICK = Training(epochs=2, batch_size=8)
BUDGETS = {"ppc": Budget(ppc=2), "total": Budget(total=9 * 12 * 32 + 5)}


class Enough(Exception):
    pass


@pytest.fixture(scope="module")
def dataset():
    return shapes40(num_points=32, num_classes=7, train_per_class=5, test_per_class=2)


@pytest.fixture(scope="module")
def source(dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    tiny_run(dataset).start(folder)
    return folder


@pytest.fixture
def idle(monkeypatch):
    """No condenser condenses."""

    def called(*args, **kwargs):
        raise AssertionError("condensed again")

    return lambda: monkeypatch.setattr(Condenser, "__call__", called)


def tiny_run(dataset, strategy=None, preset="dm", budget=BUDGETS["ppc"], **changes) -> ContinualRun:
    condenser, settings = small(getattr(presets, preset)()), {"steps": 3, "seed": 3} | changes
    return ContinualRun(dataset, SMALL, strategy or Scratch(QUICK), condenser, budget, **settings)


def outcome(folder: Path) -> dict[str, bytes]:
    files = [folder / "results.json", folder / "accuracy_matrix.csv", *(folder / "memory").iterdir()]
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.parametrize(
    ("preset", "budget"),
    [("random", "ppc"), ("shape_model", "ppc"), ("dd3d", "ppc"), ("pcc", "total"), ("morphing", "total")],
)
def test_the_same_files_without_condensing_again(dataset, tmp_path, idle, preset, budget):
    made = partial(tiny_run, dataset, preset=preset, budget=BUDGETS[budget])
    rehearse = Rehearse(QUICK, memory_batch=5)
    made().start(tmp_path / "source")
    made(rehearse).start(tmp_path / "alone")
    idle()
    made(rehearse, memory_of=tmp_path / "source").start(tmp_path / "recalled")
    assert outcome(tmp_path / "recalled") == outcome(tmp_path / "alone")


def test_other_class_orders_are_told_apart_by_themselves(dataset, tmp_path, idle):
    order = [3, 1, 0, 6, 5, 2, 4]
    tiny_run(dataset, given_order=order).start(tmp_path / "source")
    idle()
    changes = {"given_order": order, "order_seed": 5, "classifier": "nearest_mean"}
    tiny_run(dataset, Online(replace(QUICK, epochs=1)), memory_of=tmp_path / "source", **changes).start(
        tmp_path / "recalled"
    )
    with pytest.raises(InputError, match=r"differs in class_order\)"):
        tiny_run(dataset, memory_of=tmp_path / "source")


def test_what_condensing_cost_is_told_as_it_was(dataset, source, tmp_path):
    tiny_run(dataset, Rehearse(QUICK), memory_of=source).start(tmp_path)
    for name in ("seconds", "peak_memory"):
        there, here = (json.loads((f / f"{name}.json").read_text())["per_step"] for f in (source, tmp_path))
        assert all(b["condense"] >= a["condense"] > 0 for a, b in zip(there, here, strict=True))


def test_forecasts_leave_condensing_out(dataset, source):
    alone, recalled = (tiny_run(dataset, memory_of=where) for where in (None, source))
    assert expected_seconds(recalled, 1.0) < expected_seconds(alone, 1.0)
    assert expected_seconds(recalled, 1.0) == expected_seconds(alone, 1.0, condensing=False)


def test_killed_it_goes_on_to_the_same_files(dataset, source, tmp_path, idle):
    def killed(results):
        raise Enough

    idle()
    made = partial(tiny_run, dataset, Rehearse(QUICK), memory_of=source)
    made().start(tmp_path / "whole")
    with pytest.raises(Enough):
        made().start(tmp_path / "killed", on_step=killed)
    made().start(tmp_path / "killed")
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 4, "order_seed": 3}, r"differs in seed\)"),
        ({"preset": "random"}, r"differs in buffer, buffer_settings\)"),
        ({"budget": Budget(ppc=1)}, r"differs in budget\)"),
        ({"steps": 2}, r"differs in classes_per_step\)"),
        ({"joint_condensed": True}, r"differs in leaks\)"),
        ({"preset": "reservoir", "budget": BUDGETS["total"]}, "buffer=reservoir condenses nothing"),
        ({"strategy": Naive(QUICK)}, "strategy=naive has no memory"),
    ],
)
def test_a_run_with_another_memory_is_refused(dataset, source, changes, words):
    with pytest.raises(InputError, match=words):
        tiny_run(dataset, memory_of=source, **changes)


def test_other_data_and_versions_are_refused(dataset, source, tmp_path):
    other = replace(dataset, train=dataset.train.with_points(2 * dataset.train.points))
    with pytest.raises(InputError, match=r"differs in data_fingerprint\)"):
        tiny_run(other, memory_of=source)
    copy = shutil.copytree(source, tmp_path / "copy")
    results = json.loads((copy / "results.json").read_text())
    (copy / "results.json").write_text(json.dumps(results | {"cl3d_version": "0.0.1"}))
    with pytest.raises(InputError, match=r"differs in cl3d_version\)"):
        tiny_run(dataset, memory_of=copy)
    (copy / "results.json").write_text(json.dumps(results | {"status": "interrupted"}))
    with pytest.raises(InputError, match="not finished and was left: resume it"):
        tiny_run(dataset, memory_of=copy)
    with locked(copy), pytest.raises(InputError, match="in use by another process: wait for it"):
        tiny_run(dataset, memory_of=copy)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("results.json", None, r"there is no results\.json that can be read"),
        ("results.json", b"[]", r"there is no results\.json that can be read"),
        ("results.json", b'{"status": "finished"}', r"there is no results\.json that can be read"),
        ("seconds.json", b"{", r"there is no seconds\.json that can be read"),
        ("memory/step_03.safetensors", None, r"there is no file .*step_03\.safetensors"),
        ("memory/step_02.safetensors", b"half", r"step_02\.safetensors is not a whole safetensors file"),
    ],
)
def test_what_is_missing_or_damaged_is_said_before_any_training(
    dataset, source, tmp_path, name, content, words
):
    copy = shutil.copytree(source, tmp_path / "copy")
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        tiny_run(dataset, memory_of=copy)


def test_sets_of_another_run_or_step_are_noticed(dataset, source, tmp_path):
    tiny_run(dataset, seed=4, order_seed=3).start(tmp_path / "other")
    own, other = (folder / "memory" / "step_01.safetensors" for folder in (source, tmp_path / "other"))
    for number, file in ((1, other), (2, own)):
        copy = shutil.copytree(source, tmp_path / f"copy_{number}")
        shutil.copy(file, copy / "memory" / f"step_0{number}.safetensors")
        with pytest.raises(InputError, match=f"step_0{number}.safetensors is a set of another run or step"):
            tiny_run(dataset, memory_of=copy)


def test_models_that_cannot_be_told_apart_are_refused(dataset, tmp_path):
    def nameless(width):
        return replace(tiny_run(dataset), model=lambda classes: PointNet(classes, channels=(width,)))

    nameless(5).start(tmp_path)
    with pytest.raises(InputError, match="a model without a name"):
        replace(nameless(7), memory_of=tmp_path)


def test_pictures_of_what_sets_started_from_are_taken_too(dataset, tmp_path):
    def started(folder):
        return [file.read_bytes() for file in sorted((folder / "initial").iterdir())]

    for name in ("source", "damaged", "none"):
        tiny_run(dataset).start(tmp_path / name, keep_initial=name != "none")
    (tmp_path / "damaged" / "initial" / "step_02.safetensors").write_bytes(b"half")
    for name in ("source", "damaged", "none"):
        recalled = tiny_run(dataset, Rehearse(QUICK), memory_of=tmp_path / name)
        recalled.start(tmp_path / f"of_{name}", keep_initial=True)
    assert started(tmp_path / "of_source") == started(tmp_path / "source")
    assert len(started(tmp_path / "of_damaged")) == 2
    assert not (tmp_path / "of_none" / "initial").exists()
