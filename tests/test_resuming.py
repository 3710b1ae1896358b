"""What may have happened to a run before it is resumed: one sentence, nothing lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from script_runs import TINY, results_of, resume, run
from small_disk import small_disk

from cl3d.distill import checkpoint

NET = ["model.channels=[8,16]", "model.head=[8]", "device=cpu"]
RUN = ["steps=2", "ppc=2", "strategy.training.epochs=2", "buffer=random"]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Has ``animals``, a user's own clouds of four classes, and the runs ``whole`` and ``interrupted``."""
    from cl3d.continual import templates

    place = tmp_path_factory.mktemp("place")
    rng = np.random.default_rng(0)
    for label, name in enumerate(("ant", "bee", "cat", "dog")):
        (place / "animals" / name).mkdir(parents=True)
        for number in range(6):
            cloud = rng.standard_normal((40, 3)) * [1, 1 + label, 0.5]
            np.save(place / "animals" / name / f"{number}.npy", cloud)
    arguments = ["dataset=folder", f"data.root={place / 'animals'}", "data.num_points=32", *NET, *RUN]
    fit = templates.fit

    def second_time_interrupted(*args, **kwargs):
        if (place / "interrupted" / "memory").exists():
            raise KeyboardInterrupt
        return fit(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        assert run("cl_run", *arguments, monkeypatch=patch, folder=place / "whole") == 0
        patch.setattr(templates, "fit", second_time_interrupted)
        assert run("cl_run", *arguments, monkeypatch=patch, folder=place / "interrupted") == 130
    assert len(results_of(place / "interrupted")["accuracy_per_step"]) == 1
    return place


@pytest.fixture
def animals(place) -> Path:
    return place / "animals"


@pytest.fixture
def interrupted(place, tmp_path) -> Path:
    """A copy of the run that was interrupted in its second step."""
    return Path(shutil.copytree(place / "interrupted", tmp_path / "run"))


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


@pytest.fixture
def refused_without_loss(interrupted, monkeypatch, capsys):
    """Asserts that resuming is refused in one sentence, before the header, and changes nothing."""

    def check(*words: str) -> None:
        before = content(interrupted)
        assert resume("cl_run", interrupted, monkeypatch=monkeypatch) == 2
        shown = capsys.readouterr()
        assert len(shown.err.strip().splitlines()) == 1, shown.err
        assert "Traceback" not in shown.err
        for word in words:
            assert word in shown.err
        assert "expected" not in shown.out, "the header was shown"
        assert content(interrupted) == before

    return check


@pytest.fixture
def goes_on(place, interrupted, monkeypatch):
    """Asserts that resuming ends in the same files as a run without a break."""

    def check() -> None:
        assert resume("cl_run", interrupted, monkeypatch=monkeypatch) == 0
        for name in ("results.json", "memory/step_01.safetensors", "memory/step_02.safetensors"):
            assert (interrupted / name).read_bytes() == (place / "whole" / name).read_bytes()

    return check


def test_missing_data(animals, tmp_path, refused_without_loss, goes_on):
    animals.rename(tmp_path / "elsewhere")
    refused_without_loss(str(animals))
    (tmp_path / "elsewhere").rename(animals)
    goes_on()


def test_changed_data(animals, refused_without_loss, goes_on):
    kept = (animals / "cat" / "3.npy").read_bytes()
    np.save(animals / "cat" / "3.npy", np.load(animals / "cat" / "3.npy")[::-1] * [1, 2, 1])
    refused_without_loss("differs in data_fingerprint")
    (animals / "cat" / "3.npy").write_bytes(kept)
    goes_on()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seed: 0", "seed: 1", ["differs in", "seed"]),
        ("epochs: 2", "epochs: 3", ["differs in", "strategy_settings"]),
        ("steps: 2", "steps: 40", ["steps=40", "4 classes"]),
        ("ppc: 2", "ppc: many", ["ppc=many"]),
        ("device: cpu", "device: abacus", ["device=abacus"]),
        ("steps: 2", "stepz: 2", ["another version", "stepz"]),
        ("script: cl_run", "script: distill", ["is a run of distill.py"]),
    ],
)
def test_a_config_that_was_edited(interrupted, refused_without_loss, old, new, words):
    path = interrupted / "config.yaml"
    kept = path.read_text()
    assert old in kept
    path.write_text(kept.replace(old, new))
    refused_without_loss(*words)


def test_a_missing_config(interrupted, refused_without_loss):
    (interrupted / "config.yaml").unlink()
    refused_without_loss("holds no run", str(interrupted))


@pytest.mark.parametrize("damage", ["state", "memory", "results", "all"])
def test_damaged_files_are_noted_and_made_again(interrupted, goes_on, capsys, damage):
    """The step is run again; a user's eye is drawn to it by one line for each file."""
    hurt = {
        "state": ["state/step_01.safetensors"],
        "memory": ["memory/step_01.safetensors"],
        "results": ["results.json"],
        "all": ["state/step_01.safetensors", "memory/step_01.safetensors", "results.json"],
    }[damage]
    for name in hurt:
        path = interrupted / name
        path.write_bytes(path.read_bytes()[:-9])
    goes_on()
    notes = capsys.readouterr().err.strip()
    assert ("going on from the state before it" in notes) == (damage != "results")


DISTILL = [*TINY, "condenser=dm", "condenser.iterations=5", "ppc=1"]


def distilled(folder: Path) -> bytes:
    return (folder / "synthetic.safetensors").read_bytes()


@pytest.fixture
def distilling(monkeypatch, tmp_path):
    """The folder of a distillation without a break."""
    assert run("distill", *DISTILL, monkeypatch=monkeypatch, folder=tmp_path / "whole") == 0
    return tmp_path / "whole"


@pytest.mark.parametrize("kilobytes", [4, 8, 12])
def test_a_distillation_on_a_full_disk(distilling, monkeypatch, tmp_path, capsys, kilobytes):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    with small_disk(tmp_path / "disk", kilobytes) as disk:
        folder = disk.folder / "run"
        assert run("distill", *DISTILL, monkeypatch=monkeypatch, folder=folder) == 2
        error = capsys.readouterr().err.strip()
        assert len(error.splitlines()) == 1, error
        assert "No space left on device" in error
        disk.change(kilobytes=4000)
        assert run("distill", *DISTILL, monkeypatch=monkeypatch, folder=folder) == 0
        assert distilled(folder) == distilled(distilling)
        assert not (folder / "checkpoint.safetensors").exists()


@pytest.mark.parametrize("damage", ["cut", "edited config"])
def test_a_distillation_whose_files_were_touched(distilling, monkeypatch, tmp_path, capsys, damage):
    from cl3d.distill import loop

    step, steps = loop.Loop._step, []

    def third_step_interrupted(self):
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        step(self)

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(loop.Loop, "_step", third_step_interrupted)
        assert run("distill", *DISTILL, monkeypatch=monkeypatch, folder=folder) == 130
    capsys.readouterr()
    kept, config = folder / "checkpoint.safetensors", folder / "config.yaml"
    if damage == "cut":
        kept.write_bytes(kept.read_bytes()[:-5])
    else:
        before, text = content(folder), config.read_text()
        config.write_text(text.replace("real_batch: 16", "real_batch: 3"))
        assert config.read_text() != text
        assert resume("distill", folder, monkeypatch=monkeypatch) == 2
        assert "differs in condenser" in capsys.readouterr().err
        config.write_text(text)
        assert content(folder) == before
    assert resume("distill", folder, monkeypatch=monkeypatch) == 0
    assert ("condensing from the beginning" in capsys.readouterr().err) == (damage == "cut")
    assert distilled(folder) == distilled(distilling)
