"""Scripts that are interrupted or killed leave what is finished, and go on."""

from __future__ import annotations

import contextlib
import os
import pkgutil
import signal
import time
from pathlib import Path

import pytest
import torch
from script_runs import TINY, TINY_RUN, results_of, resume, run

from cl3d.distill import load


@pytest.fixture
def cl_run(monkeypatch, tmp_path):
    def call(*arguments, folder=tmp_path / "run"):
        return run("cl_run", *TINY_RUN, *arguments, monkeypatch=monkeypatch, folder=folder)

    return call


def test_interrupting_leaves_what_is_finished(cl_run, tmp_path, monkeypatch, capsys):
    from cl3d.continual import templates

    trained = templates.fit

    def second_time_interrupted(*args, **kwargs):
        if (tmp_path / "run" / "memory").exists():
            raise KeyboardInterrupt
        return trained(*args, **kwargs)

    monkeypatch.setattr(templates, "fit", second_time_interrupted)
    assert cl_run("buffer=random") == 130
    folder = tmp_path / "run"
    results = results_of(folder)
    assert results["status"] == "interrupted"
    assert len(results["accuracy_per_step"]) == 1
    assert str(folder) in capsys.readouterr().err
    monkeypatch.setattr(templates, "fit", trained)
    assert resume("cl_run", folder, "seed=3", monkeypatch=monkeypatch) == 2
    assert "leave out seed=3" in capsys.readouterr().err
    assert resume("cl_run", folder, monkeypatch=monkeypatch) == 0
    assert "step 1:" not in capsys.readouterr().out
    assert cl_run("buffer=random", folder=tmp_path / "whole") == 0
    whole = tmp_path / "whole" / "results.json"
    assert (folder / "results.json").read_bytes() == whole.read_bytes()


def test_what_an_interrupt_advises_works(monkeypatch, tmp_path, capsys):
    """Also where the folder is the default one, which the stored config has relative."""
    from cl3d.continual import templates

    fit = templates.fit
    monkeypatch.setattr(templates, "fit", lambda *args, **kwargs: signal.raise_signal(signal.SIGTERM))
    arguments = [*TINY_RUN, "buffer=random"]
    assert run("cl_run", *arguments, monkeypatch=monkeypatch, folder=None) == 130
    advice = next(word for word in capsys.readouterr().err.split() if word.startswith("resume="))
    folder = Path(advice.removeprefix("resume="))
    monkeypatch.setattr(templates, "fit", fit)
    moved = folder.rename(tmp_path / "moved")
    assert run("cl_run", *arguments, monkeypatch=monkeypatch, folder=moved) == 0
    assert resume("cl_run", moved, monkeypatch=monkeypatch) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert resume("distill", moved, monkeypatch=monkeypatch) == 2
    assert "is a run of cl_run.py" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "before its run began"),
        ("a: [1", "is damaged"),
        ("script: cl_run\nsteps: 2\n", "another version"),
    ],
)
def test_a_config_that_is_no_run_cannot_be_resumed(monkeypatch, tmp_path, capsys, content, words):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text(content)
    assert resume("cl_run", tmp_path / "run", monkeypatch=monkeypatch) == 2
    assert words in capsys.readouterr().err


def test_a_folder_without_a_run_cannot_be_resumed(monkeypatch, tmp_path, capsys):
    assert resume("cl_run", tmp_path / "nothing", monkeypatch=monkeypatch) == 2
    assert "holds no run" in capsys.readouterr().err
    assert not (tmp_path / "nothing").exists()


def test_sigterm_is_heard_as_an_interrupt(cl_run, tmp_path, monkeypatch):
    from cl3d.continual import templates

    monkeypatch.setattr(templates, "fit", lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGTERM))
    assert cl_run("buffer=random") == 130
    assert results_of(tmp_path / "run")["status"] == "interrupted"


@pytest.mark.parametrize("instead", [AttributeError, OSError], ids=["an error", "a refusal"])
def test_an_interrupt_that_an_import_swallows_is_one(cl_run, tmp_path, monkeypatch, capsys, instead):
    from cl3d.report import continual

    def half_imported(*args, **kwargs):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        raise instead("module 'm' has no attribute 'a'")

    monkeypatch.setattr(continual, "show_header", half_imported)
    assert cl_run("buffer=random") == 130
    assert capsys.readouterr().err.startswith("interrupted")


SECONDS = 10.0
"""In which a signal is to end a run."""


def ended_by(sent: signal.Signals, child: int) -> float:
    """Seconds that a process takes to end with the code of an interrupt."""
    start = time.monotonic()
    os.kill(child, sent)
    while time.monotonic() - start < 3 * SECONDS:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 130
            return time.monotonic() - start
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    raise AssertionError(f"{sent.name} has not ended the run")


@pytest.mark.parametrize(
    ("busy", "sent", "settings", "kept"),
    [
        ("cl3d.report.continual.show_header", signal.SIGTERM, ["buffer=random"], []),
        (
            "cl3d.distill.loop.Loop._step",
            signal.SIGINT,
            ["buffer=dm", "condenser.iterations=1000000"],
            ["condensing_01.safetensors"],
        ),
        (
            "cl3d.continual.templates.fit",
            signal.SIGTERM,
            ["buffer=random", "strategy.training.epochs=1000000"],
            [],
        ),
    ],
    ids=["starting", "condensing", "training"],
)
def test_a_signal_ends_a_run_within_ten_seconds(cl_run, tmp_path, monkeypatch, busy, sent, settings, kept):
    """A process of its own, at work on what would take much longer."""
    began, folder = tmp_path / "began", tmp_path / "run"
    work = pkgutil.resolve_name(busy)

    def marked(*args, **kwargs):
        began.touch()
        if busy.endswith("show_header"):
            time.sleep(6 * SECONDS)
        return work(*args, **kwargs)

    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        monkeypatch.setattr(busy, marked)
        os._exit(cl_run(*settings))
    while not began.exists():
        assert os.waitpid(child, os.WNOHANG) == (0, 0), "the run has not begun"
        time.sleep(0.02)
    time.sleep(0.2)
    assert ended_by(sent, child) < SECONDS
    assert results_of(folder)["status"] == "interrupted"
    assert [path.name for path in (folder / "state").glob("*")] == kept


def test_an_interrupted_distillation_is_taken_up_by_the_same_command(monkeypatch, tmp_path, capsys):
    from cl3d.distill import loop

    arguments = [*TINY, "condenser=dm", "condenser.iterations=5", "ppc=1"]
    assert run("distill", *arguments, monkeypatch=monkeypatch, folder=tmp_path / "whole") == 0
    step, steps = loop.Loop._step, []

    def third_step_interrupted(self):
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        step(self)

    monkeypatch.setattr(loop.Loop, "_step", third_step_interrupted)
    folder = tmp_path / "set"
    assert run("distill", *arguments, monkeypatch=monkeypatch, folder=folder) == 130
    assert (folder / "checkpoint.safetensors").is_file()
    other = [*arguments, "condenser.real_batch=3"]
    assert run("distill", *other, monkeypatch=monkeypatch, folder=folder) == 2
    assert "a run with other settings" in capsys.readouterr().err
    assert run("distill", *arguments, monkeypatch=monkeypatch, folder=folder) == 0
    assert len(steps) == 3 + 3
    assert not (folder / "checkpoint.safetensors").exists()
    first, second = (load(tmp_path / name / "synthetic.safetensors") for name in ("whole", "set"))
    assert torch.equal(first.decode().points, second.decode().points)
    assert run("distill", *arguments, monkeypatch=monkeypatch, folder=folder) == 0
    assert "finished: nothing to do" in capsys.readouterr().out
