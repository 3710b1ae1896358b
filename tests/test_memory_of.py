"""``memory_of=`` from the command line: working folders, breaks, sources that are gone, sweeps."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from script_runs import TINY_RUN, results_of, resume, run

from cl3d.continual.recalled import Recalled

DM = ("buffer=dm", "condenser.iterations=2", "report=false")
REHEARSE = ("strategy=rehearse", "strategy.training.epochs=1")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Has the runs ``source`` and ``alone``, of which each has condensed by itself."""
    place = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        for name, more in (("source", ()), ("alone", REHEARSE)):
            assert run("cl_run", *TINY_RUN, *DM, *more, monkeypatch=patch, folder=place / name) == 0
    return place


@pytest.fixture
def there(place, tmp_path, monkeypatch) -> Path:
    """A copy of it, as working folder."""
    copy = Path(shutil.copytree(place, tmp_path / "copy"))
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def interrupted(there, monkeypatch) -> Path:
    """A run over the memory of ``source``, a relative path, that was interrupted in its second step."""

    def interrupts(self, *args, **kwargs):
        if (there / "run" / "memory").exists():
            raise KeyboardInterrupt
        return recall(self, *args, **kwargs)

    recall = Recalled.__call__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recalled, "__call__", interrupts)
        settings = (*TINY_RUN, *DM, *REHEARSE, "memory_of=source")
        assert run("cl_run", *settings, monkeypatch=patch, folder=there / "run") == 130
    assert len(results_of(there / "run")["accuracy_per_step"]) == 1
    (there / "elsewhere").mkdir()
    monkeypatch.chdir(there / "elsewhere")
    return there / "run"


def same(one: Path, other: Path) -> bool:
    files = [{p.relative_to(f): p.read_bytes() for p in f.glob("memory/*")} for f in (one, other)]
    return files[0] == files[1] and results_of(one) == results_of(other)


def test_an_interrupted_run_goes_on_from_another_working_folder(there, interrupted, monkeypatch):
    assert resume("cl_run", interrupted, monkeypatch=monkeypatch) == 0
    assert same(interrupted, there / "alone")


def test_an_interrupted_run_whose_source_is_gone_goes_on_by_itself(there, interrupted, monkeypatch, capsys):
    shutil.move(there / "source", there / "moved")
    assert resume("cl_run", interrupted, monkeypatch=monkeypatch) == 2
    assert "leave it out (memory_of=null, beside resume= too)" in capsys.readouterr().err
    assert resume("cl_run", interrupted, "memory_of=null", monkeypatch=monkeypatch) == 0
    assert same(interrupted, there / "alone")


def test_an_interrupted_run_goes_on_with_a_source_that_has_moved(there, interrupted, monkeypatch, capsys):
    shutil.move(there / "source", there / "moved")
    assert resume("cl_run", interrupted, "memory_of=../moved", monkeypatch=monkeypatch) == 0
    assert same(interrupted, there / "alone")
    assert "condensed by" in capsys.readouterr().out


@pytest.mark.parametrize("begun_with", ["memory_of: null", ""])
def test_a_run_that_was_begun_without_takes_what_is_left(there, interrupted, monkeypatch, begun_with):
    config = interrupted / "config.yaml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("memory_of:")]
    config.write_text("\n".join([*lines, begun_with, ""]))
    settings = (*TINY_RUN, *DM, *REHEARSE, "memory_of=../source")
    monkeypatch.setattr("cl3d.distill.Condenser.__call__", None)  # nothing is condensed
    assert run("cl_run", *settings, monkeypatch=monkeypatch, folder=interrupted) == 0
    assert same(interrupted, there / "alone")


def test_a_sweep_takes_the_memory_of_each_seed(there, monkeypatch, capsys):
    def call(*arguments):
        return run("cl_run", *arguments, *TINY_RUN[:-1], *DM, monkeypatch=monkeypatch, folder=None)

    shutil.move(there / "source", there / "source_0")
    assert call("seed=1", "folder=source_1") == 0
    monkeypatch.setattr("cl3d.distill.Condenser.__call__", None)  # nothing is condensed
    sweep = ("-m", "memory_of=source_${seed}", "seed=0,1", "strategy=rehearse,online", "folder=sweep")
    assert call(*sweep, "dry_run=true") == 0
    assert "4 jobs, 0 finished" in capsys.readouterr().out
    assert call(*sweep) == 0
    settings = [results_of(path.parent)["settings"] for path in there.glob("sweep/*/results.json")]
    assert len({(told["strategy"], told["seed"]) for told in settings}) == 4
    capsys.readouterr()
    assert call("-m", *sweep[2:]) == 0  # the jobs are the same without
    assert capsys.readouterr().out.count("it is finished: nothing to do") == 4
