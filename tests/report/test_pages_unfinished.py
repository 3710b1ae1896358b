"""Reports of runs that were interrupted, and of folders that are damaged or lack files."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from run_folders import a_set, leave, of, remember, results, viewer_of, whole_run

from cl3d.continual import Results, StepResult
from cl3d.continual.state import RunStates
from cl3d.distill import save
from cl3d.errors import InputError, Note
from cl3d.locks import locked
from cl3d.report.pages.write import report_after


@pytest.mark.parametrize("done", [0, 1, 2])
def test_an_interrupted_run_has_a_report(tmp_path, done):
    run = leave(tmp_path / "run", results(3, 6, done=done))
    remember(run, [a_set("points", [2 * step, 2 * step + 1]) for step in range(done)])
    page = of(run)
    assert f"This run is interrupted: the numbers are of the {done} of 3 steps" in page
    assert ("id='memory'" in page) is (done > 0)


def test_a_killed_run_is_told_from_a_running_one(tmp_path):
    run = leave(tmp_path / "run", results(3, 6, done=1) | {"status": "running"})
    assert "This run is killed" in of(run)
    with locked(run):
        assert "This run is running" in of(run)


class Anything:
    """What a state is of, as far as it is asked."""

    class clock:
        train_iterations = train_exp_counter = total_iterations = 3

    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def test_results_that_are_gone_are_those_of_the_state(tmp_path):
    settings = results(3, 6)["settings"]
    run = leave(tmp_path / "run", results(3, 6, done=0))
    remember(run, [a_set("points", [0, 1])])
    step = StepResult(
        step=0,
        classes=(0, 1),
        accuracy=0.625,
        accuracy_in_task=0.7,
        ahead=None,
        untrained=0.1,
        row=(0.625, None, None),
        class_accuracy={0: 0.5, 1: 0.75},
        memory_bytes=1536,
        memory_clouds=4,
        memory_files=("step_01.safetensors",),
        condensing={},
        seconds={"condense": 1.0, "train": 2.0, "test": 0.5},
        peak_bytes={"condense": 1 << 20, "train": 2 << 20, "test": 0},
    )
    RunStates(run, settings | {"cl3d_version": "0"}).write([step], Anything())
    for name in ("results.json", "seconds.json", "peak_memory.json"):
        (run / name).unlink()
    page = of(run)
    assert "62.5 %" in page
    assert "of the 1 of 3 steps" in page
    assert len(viewer_of(page)["sets"][0]["clouds"]) == 4
    assert isinstance(Results(settings, [step]).to_dict(), dict)


def test_missing_and_damaged_pieces_are_named_and_the_rest_is_shown(tmp_path):
    whole = whole_run(tmp_path / "whole", initial=True)
    damages = {
        "memory/step_02.safetensors": "step_02.safetensors is not a whole safetensors file",
        "initial/step_01.safetensors": "does not hold what a set started from",
        "results.json": "is damaged",
        "environment.json": "JSONDecodeError",
        "config.yaml": "ParserError",
    }
    for name, said in damages.items():
        run = tmp_path / "run"
        shutil.copytree(whole, run)
        (run / name).write_bytes(b"{[: damaged")
        page = of(run)
        assert said in page, name
        assert "id='memory'" in page
        shutil.rmtree(run)
    for name in ("memory", "initial", "seconds.json", "peak_memory.json", "environment.json", "config.yaml"):
        run = tmp_path / "run"
        shutil.copytree(whole, run)
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()
        assert "</html>" in of(run)
        shutil.rmtree(run)


def test_results_that_lack_keys_lose_only_their_part(tmp_path):
    run = whole_run(tmp_path / "run")
    content = results(3, 6)
    for key in ("forgetting", "class_accuracy_per_step", "memory_files_per_step", "memory_clouds_per_step"):
        (run / "results.json").write_text(json.dumps({k: v for k, v in content.items() if k != key}))
        page = of(run)
        assert "Accuracy" in page
        assert "id='memory'" in page, key


def test_folders_without_a_run_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no run in"):
        of(tmp_path)
    (tmp_path / "config.yaml").write_text("script: compare\n")
    with pytest.raises(InputError, match="there is no run in"):
        of(tmp_path)
    with pytest.raises(InputError, match="points=0"):
        of(whole_run(tmp_path / "run"), resolutions=[0])


def test_a_set_that_ran_off_or_is_not_there_yet_is_told(tmp_path):
    (tmp_path / "config.yaml").write_text("script: distill\n")
    assert "Condensing has not ended" in of(tmp_path)
    save(a_set("points", [0]), tmp_path / "last_good.safetensors")
    assert "The optimisation ran off" in of(tmp_path)


def test_a_report_that_fails_never_loses_the_run(tmp_path, monkeypatch):
    run = whole_run(tmp_path / "run")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    (run / "report.html").mkdir()  # cannot be written
    with pytest.warns(Note, match=r"no report was written .*scripts/report\.py"):
        report_after(run)
    (run / "report.html").rmdir()
    from cl3d.report.pages import continual

    monkeypatch.setattr(continual, "report", lambda *_: 1 / 0)
    with pytest.warns(Note, match="ZeroDivisionError"):
        report_after(run)
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert after == before
