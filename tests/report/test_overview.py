"""The list of runs: states, figures and how to go on, of folders as the scripts leave them."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from run_folders import results
from script_runs import TINY, run

from cl3d.config_paths import CONFIGS
from cl3d.distill.checkpoint import Checkpoint, State
from cl3d.errors import InputError
from cl3d.locks import in_use, locked
from cl3d.report.overview.entry import entry
from cl3d.report.overview.listing import as_lines, as_records, runs_in

NOW = 1_700_000_000


def config_of(script: str, *overrides: str) -> str:
    """What a script stores."""
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        config = compose(script, overrides=["folder=here", *overrides])
    return OmegaConf.to_yaml(OmegaConf.merge({"script": script}, config), resolve=True)


@pytest.fixture(scope="module")
def configs() -> dict[str, str]:
    """Those of each script, composed once."""
    more = {
        "evaluate": ["set=runs/pcc/synthetic.safetensors"],
        "cross": ["condensers=[random,dm]", "models=[pointnet]", "seeds=[0,1]"],
    }
    scripts = ("cl_run", "distill", "evaluate", "compare", "compare_cl", "cross")
    return {script: config_of(script, *more.get(script, [])) for script in scripts}


@pytest.fixture
def leave(configs, tmp_path):
    """Leaves a folder of a script, with these files."""
    ages = iter(range(100))

    def left(name: str, script: str, **files: object) -> Path:
        folder = tmp_path / "runs" / name
        command = f"python scripts/{script}.py folder=elsewhere seed=3"
        contents = {"config.yaml": configs[script], "environment.json": json.dumps({"command": command})}
        for file, content in (contents | {n.replace("__", "."): c for n, c in files.items()}).items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        age = next(ages)
        for path in folder.rglob("*"):
            os.utime(path, (NOW - age, NOW - age))
        return folder

    return left


def only(folder: Path):
    found = entry(folder)
    assert found is not None
    return found


def test_a_continual_run_tells_steps_accuracy_and_bytes(leave):
    found = only(leave("a", "cl_run", results__json=results(5, 10)))
    assert found.state == "finished"
    assert (found.facts.done, found.facts.planned) == (5, 5)
    assert found.facts.figures == {"final_accuracy": 0.9 - 0.16, "average_accuracy": pytest.approx(0.82)}
    assert found.facts.headline == "74.0 % (average 82.0 %)"
    assert found.facts.nbytes == 300000
    assert found.facts.what == "pcc, scratch, shapes40, seed 0"
    assert found.go_on is None


def test_runs_of_networks_that_segment_tell_their_instance_miou(leave):
    told = results(2, 4, task="part_segmentation")
    figures = {"final_instance_miou": 0.25, "average_instance_miou": 0.5}
    told |= {**figures, "instance_miou_per_step": [0.75, 0.25]}
    continual = only(leave("a", "cl_run", results__json=told))
    assert continual.facts.headline == "instance mIoU 25.0 % (average 50.0 %)"
    assert continual.facts.figures == figures
    value = {"mean": 0.5, "std": 0.25, "instance_miou": [0.5]}
    evaluated = only(leave("b", "evaluate", evaluation__json=value))
    assert evaluated.facts.headline == "instance mIoU 50.0 ± 25.0 %"
    table = "condenser,instance_miou,accuracy\nrandom,0.5,0.9\ndm,0.75,0.8\n"
    compared = only(leave("c", "compare", comparison__csv=table))
    assert compared.facts.headline == "instance mIoU 75.0 % by dm"
    table = "memory,figure,final\nrandom,instance mIoU,0.3\n"
    continual = only(leave("d", "compare_cl", comparison__md="", runs__csv=table))
    assert continual.facts.headline == "instance mIoU 30.0 % by random"


def test_one_that_was_killed_is_interrupted_and_one_at_work_is_running(leave):
    folder = leave("a", "cl_run", results__json=results(5, 10, done=3) | {"status": "running"})
    assert only(folder).state == "interrupted"
    assert (only(folder).facts.done, only(folder).facts.planned) == (3, 5)
    assert only(folder).go_on == f"python scripts/cl_run.py resume={folder}"
    with locked(folder):
        assert only(folder).state == "running"
        assert only(folder).go_on is None
    assert only(folder).state == "interrupted"
    (folder / "results.json").write_text(json.dumps(results(5, 10, done=3) | {"status": "failed"}))
    assert only(folder).state == "failed"
    (folder / "results.json").unlink()
    assert (only(folder).state, only(folder).facts.done) == ("interrupted", 0)


def test_a_condensation_tells_its_iterations(leave):
    folder = leave("a", "distill")
    planned = only(folder).facts.planned
    assert (only(folder).state, only(folder).facts.done) == ("interrupted", 0)
    Checkpoint(folder / "checkpoint.safetensors", {}).write(State({}, {"losses": [0.5] * 7}))
    assert (only(folder).facts.done, only(folder).facts.planned) == (7, planned)
    (folder / "synthetic.safetensors").write_text("")
    (folder / "cost.json").write_text(json.dumps({"nbytes": 1234, "moved_mean": 0.0123}))
    found = only(folder)
    assert (found.state, found.facts.nbytes, found.facts.headline) == ("finished", 1234, "moved 0.012")


def test_an_evaluation_tells_its_figure_and_its_command(leave):
    folder = leave("a b", "evaluate")
    assert only(folder).state == "interrupted"
    words = shlex.split(only(folder).go_on or "")
    assert words == ["python", "scripts/evaluate.py", "seed=3", f'folder="{folder}"']
    assert only(folder).facts.what == "pointnet on pcc, seed 0"
    (folder / "environment.json").unlink()  # of an earlier version
    assert (only(folder).state, only(folder).go_on) == ("interrupted", None)
    (folder / "evaluation.json").write_text(json.dumps({"mean": 0.612, "std": 0.01}))
    assert only(folder).facts.headline == "61.2 ± 1.0 %"
    assert only(folder).state == "finished"


def test_comparisons_tell_how_many_are_done_and_which_is_best(leave):
    value = {"mean": 0.5}
    compared = leave("a", "compare", **{"dm/seed_0/evaluation/evaluation__json": value})
    assert (only(compared).state, only(compared).facts.done, only(compared).facts.planned) == (
        "interrupted",
        1,
        12,
    )
    (compared / "comparison.csv").write_text("condenser,seed,accuracy\nrandom,0,0.5\ndm,0,0.6\ndm,1,0.7\n")
    assert (only(compared).state, only(compared).facts.headline) == ("finished", "65.0 % by dm")
    os.utime(compared / "comparison.csv", (0, 0))  # more was asked for since
    assert only(compared).state == "interrupted"
    cells = {f"cells/{row}/pointnet/seed_0/evaluation__json": value for row in ("random", "dm")}
    crossed = leave("b", "cross", **cells, cross__csv="")
    assert (only(crossed).state, only(crossed).facts.done, only(crossed).facts.planned) == (
        "interrupted",
        2,
        4,
    )
    table = "memory,final\nrandom,0.3\nherding,0.4\n"
    continual = leave("c", "compare_cl", comparison__md="", runs__csv=table)
    assert (only(continual).state, only(continual).facts.headline) == ("finished", "40.0 % by herding")
    os.utime(continual / "comparison.md", (0, 0))  # more was asked for since
    assert only(continual).state == "interrupted"


def test_the_newest_come_first_and_what_is_damaged_does_not_stop_the_list(leave, tmp_path):
    leave("new", "cl_run", results__json=results(5, 10))
    leave("sweep/old", "cl_run", results__json=results(5, 10, done=2) | {"status": "running"})
    leave("broken", "cl_run", results__json="{")
    (leave("worse", "distill") / "config.yaml").write_text("a: [1")
    (leave("unstarted", "distill") / "config.yaml").write_text("")
    (tmp_path / "runs" / "not_a_run").mkdir()
    (tmp_path / "runs" / "not_a_run" / "config.yaml").write_text("some: thing\n")
    found = runs_in([tmp_path / "runs", tmp_path / "runs" / "new"])
    names = [one.folder.name for one in found]
    assert sorted(names) == ["broken", "new", "old", "unstarted", "worse"]
    assert names.index("new") < names.index("old") < names.index("broken")
    assert {one.folder.name for one in found if one.state == "damaged"} == {"broken", "worse"}
    lines = as_lines(found).splitlines()
    assert len([line for line in lines if line.startswith("damaged: ")]) == 2
    assert any("interrupted" in line and "2/5" in line and "sweep/old" in line for line in lines)
    assert any("finished" in line and "74.0 % (average 82.0 %)" in line for line in lines)
    assert lines[-2:] == ["To go on:", f"  python scripts/cl_run.py resume={tmp_path}/runs/sweep/old"]
    records = json.loads(json.dumps(as_records(found)))
    assert {record["state"] for record in records} == {"finished", "interrupted", "damaged"}
    assert next(r for r in records if r["state"] == "finished")["figures"]["final_accuracy"] == 0.9 - 0.16


def test_what_a_comparison_has_started_is_its_own_matter(leave, tmp_path):
    leave("many", "compare")
    leave("many/dm/seed_0/set", "distill")
    assert [one.script for one in runs_in([tmp_path / "runs"])] == ["compare"]
    assert len(runs_in([tmp_path / "runs"], within=True)) == 2
    leave("set", "distill")
    leave("set/pointnet", "evaluate")
    assert len(runs_in([tmp_path / "runs"])) == 3, "an evaluation may lie in its set's folder"


def test_looking_changes_nothing_and_keeps_nobody_out(leave, tmp_path):
    folder = leave("a", "cl_run", results__json=results(5, 10))
    with locked(folder):
        assert in_use(folder)
    before = {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}
    runs_in([tmp_path])
    assert {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]} == before
    with (folder / ".lock").open("rb") as looking, locked(folder):
        assert looking.readable()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder .*nowhere: give folders of runs"):
        runs_in([tmp_path / "nowhere"])


def test_the_script_lists_what_the_scripts_leave(monkeypatch, tmp_path, capsys):
    arguments = [*TINY, "condenser=random", "ppc=1", "report=false"]
    assert run("distill", *arguments, monkeypatch=monkeypatch, folder=tmp_path / "runs" / "set") == 0
    path = tmp_path / "runs" / "set" / "synthetic.safetensors"
    less = [*TINY, f"set={path}", "training.epochs=1", "runs=1"]
    assert run("evaluate", *less, monkeypatch=monkeypatch, folder=tmp_path / "runs" / "value") == 0
    capsys.readouterr()
    monkeypatch.setattr("sys.argv", ["runs.py", "--json"])
    assert list_runs() == 0
    records = {record["script"]: record for record in json.loads(capsys.readouterr().out)}
    assert records["distill"]["nbytes"] == 5 * 32 * 12
    assert records["evaluate"]["state"] == "finished"
    monkeypatch.setattr("sys.argv", ["runs.py", "--state", "running", "runs"])
    assert list_runs() == 0
    assert capsys.readouterr().out == "no runs\n"
    monkeypatch.setattr("sys.argv", ["runs.py", "nowhere"])
    assert list_runs() == 2
    assert "there is no folder nowhere" in capsys.readouterr().err


def list_runs() -> int:
    import runpy

    from script_runs import SCRIPTS

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPTS / "runs.py"), run_name="__main__")
    return int(ended.value.code or 0)
