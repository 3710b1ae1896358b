"""Sweeps: a folder for each job, gone on with by the same command, whatever launches the jobs."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from script_runs import SCRIPTS, TINY, TINY_RUN, results_of, resume, run

from cl3d.config_paths import CONFIGS
from cl3d.report.collect import collect
from cl3d.report.summary import summarize
from cl3d.run_folder import LONGEST_NAME, job_folder

SLURM = str(Path(__file__).with_name("single_node_slurm.sh"))
LAUNCHERS = {
    "joblib": ("hydra_plugins.hydra_joblib_launcher", "hydra.launcher.n_jobs=2"),
    "processes": ("hydra_plugins.hydra_joblib_launcher", "hydra.launcher.n_jobs=2"),
    "slurm": ("hydra_plugins.hydra_submitit_launcher", "hydra.launcher.cpus_per_task=1"),
    "submitit_local": ("hydra_plugins.hydra_submitit_launcher", "hydra.launcher.timeout_min=10"),
    "submitit_slurm": ("hydra_plugins.hydra_submitit_launcher", "hydra.launcher.timeout_min=10"),
}


def test_jobs_are_named_by_their_settings():
    assert job_folder("buffer-random_seed-0") == "buffer-random_seed-0"
    assert job_folder("condenser/objective-dm_data.root-/a b") == "condenser_objective-dm_data.root-_a_b"
    assert job_folder("") == "job"
    long, longer = job_folder("x" * 300), job_folder("x" * 301)
    assert long != longer
    assert LONGEST_NAME < len(long) < 200


def test_a_larger_sweep_runs_what_is_new(monkeypatch, tmp_path, capsys):
    def sweep(buffers):
        return run("cl_run", "-m", *TINY_RUN, f"buffer={buffers}", monkeypatch=monkeypatch, folder=tmp_path)

    assert sweep("random,k_center") == 0
    capsys.readouterr()
    assert sweep("random,herding,k_center") == 0
    shown = capsys.readouterr().out
    assert shown.count("it is finished: nothing to do") == 2
    assert shown.count("final accuracy") == 1
    names = {row.name for row in summarize(collect([tmp_path]), "random").rows}
    assert names == {"random", "herding", "k_center"}


def test_sets_are_found_again_by_their_settings(monkeypatch, tmp_path, capsys):
    """The jobs of ``distill.py``, whose places in the sweep have changed."""

    def sweep(condensers):
        arguments = ["-m", *TINY, "report=false", f"condenser={condensers}"]
        assert run("distill", *arguments, monkeypatch=monkeypatch, folder=tmp_path) == 0
        return capsys.readouterr().out

    sweep("random")
    assert sweep("herding,random").count("it is finished: nothing to do") == 1
    assert len(list(tmp_path.glob("*condenser-*/synthetic.safetensors"))) == 2


def test_a_dry_run_counts_jobs_and_hours_and_runs_nothing(monkeypatch, tmp_path, capsys):
    def sweep(*more, code=0):
        arguments = ["-m", *TINY_RUN, "buffer=random", *more]
        assert run("cl_run", *arguments, monkeypatch=monkeypatch, folder=tmp_path) == code
        return capsys.readouterr().out

    sweep("seed=0")
    made = sorted(tmp_path.rglob("*"))
    shown = sweep("seed=0,1,2", "dry_run=true")
    assert re.search(r"3 jobs, 1 finished; the others take about \d+\.\d\d hours", shown)
    assert shown.count(": finished") == 1
    assert shown.count(": about") == 2
    assert sorted(tmp_path.rglob("*")) == made
    assert "1 jobs, 0 finished" in sweep("steps=2,99", "dry_run=true", code=2), (
        "a refused one hides the others"
    )


def test_a_run_of_before_there_were_dry_runs_is_gone_on_with(monkeypatch, tmp_path, capsys):
    arguments = [*TINY_RUN, "buffer=random"]
    assert run("cl_run", *arguments, monkeypatch=monkeypatch, folder=tmp_path / "run") == 0
    config = tmp_path / "run" / "config.yaml"
    config.write_text(config.read_text().replace("dry_run: false\n", ""))
    assert resume("cl_run", tmp_path / "run", monkeypatch=monkeypatch) == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize("preset", sorted(path.stem for path in (CONFIGS / "hydra/launcher").glob("*.yaml")))
def test_launcher_presets_need_their_plugins_or_compose(preset, monkeypatch, capsys):
    code = run("cl_run", f"hydra/launcher={preset}", "--cfg=job", monkeypatch=monkeypatch, folder=None)
    plugin = {"processes": "joblib", "ray_local": "ray"}.get(preset, "submitit")
    if importlib.util.find_spec("hydra_plugins") and importlib.util.find_spec(
        f"hydra_plugins.hydra_{plugin}_launcher"
    ):
        assert code == 0
    else:
        assert code == 2
        assert "pip install cl3d[sweeps] brings more" in capsys.readouterr().err


def sweep_with(
    launcher: str, folder: Path, *settings: str, beside: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs a tiny sweep; ``beside`` is a command that is given the sweep's as arguments, in SLURM's reach."""
    module, option = LAUNCHERS[launcher]
    if importlib.util.find_spec("hydra_plugins") is None or importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed: pip install cl3d[sweeps]")
    slurm = launcher.endswith("slurm")
    if slurm and shutil.which("sinfo") is None:
        pytest.skip("SLURM is not installed: apt-get install slurm-wlm munge")
    command = [
        *([SLURM] if slurm else []),
        *beside,
        sys.executable,
        str(SCRIPTS / "cl_run.py"),
        "-m",
        *TINY_RUN,
        f"hydra/launcher={launcher}",
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(SCRIPTS.parent), *sys.path])}
    return subprocess.run(
        [*command, option, f"folder={folder}", *settings], env=environment, capture_output=True, text=True
    )


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_sweep_in_processes_goes_on_where_it_was(tmp_path, launcher):
    folder, swept = tmp_path / "sweep", ("buffer=random", "seed=0,1")
    told = sweep_with(launcher, folder, *swept)
    assert told.returncode == 0, told.stderr
    jobs = sorted(path.parent for path in folder.glob("*/results.json"))
    whole = [(job / "results.json").read_bytes() for job in jobs]
    assert [results_of(job)["settings"]["seed"] for job in jobs] == [0, 1]
    # as if the second had been killed in its second step
    for left in ("results.json", "state/step_02.safetensors", "memory/step_02.safetensors"):
        (jobs[1] / left).unlink()
    assert sweep_with(launcher, folder, *swept).returncode == 0
    assert [(job / "results.json").read_bytes() for job in jobs] == whole


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_job_that_is_refused_is_told_of_and_stops_no_other(tmp_path, launcher):
    told = sweep_with(launcher, tmp_path / "sweep", "buffer=random", "steps=99,1")
    assert told.returncode == 2
    assert "steps=99 with 5 classes: give 1 to 5" in told.stderr.splitlines()[-1]
    assert "Traceback" not in told.stderr
    assert len(list((tmp_path / "sweep").glob("*/results.json"))) == 1


def table_of(folder: Path) -> list[list[str]]:
    """The cells of a sweep's table, seconds and memory aside."""
    command = [sys.executable, str(SCRIPTS / "tables.py"), str(folder), "--reference=random"]
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS.parent)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    head, _, *rows = [line.split("|") for line in told.stdout.splitlines() if line]
    kept = [place for place, name in enumerate(head) if name.strip() not in ("seconds", "peak MiB")]
    assert len(kept) == len(head) - 2
    return [[row[place] for place in kept] for row in (head, *rows)]


@pytest.mark.slow
def test_joblib_and_slurm_come_to_the_same_table(tmp_path):
    """By the presets, as one would type them."""
    tables, files = [], []
    for launcher in ("processes", "slurm"):
        folder = tmp_path / launcher
        assert sweep_with(launcher, folder, "buffer=random,herding", "seed=0,1").returncode == 0
        tables.append(table_of(folder))
        files.append({path.parent.name: path.read_bytes() for path in folder.glob("*/results.json")})
    assert tables[0] == tables[1]
    assert files[0] == files[1]
    assert len(files[0]) == 4


PREEMPTS = """
import subprocess, sys, time
from pathlib import Path
folder, *command = sys.argv[1:]
sweep = subprocess.Popen(command)
while sweep.poll() is None and not list(Path(folder).glob("*/state/step_01.safetensors")):
    time.sleep(0.1)
job = subprocess.run(["squeue", "--noheader", "--format=%A"], capture_output=True, text=True).stdout
subprocess.run(["scancel", "--signal=USR2", job.split()[0]], check=True)
sys.exit(sweep.wait())
"""
"""Sends a sweep's job what SLURM sends to one that is preempted or runs out of time, in its second step."""


@pytest.mark.slow
def test_a_job_of_slurm_that_is_preempted_is_queued_again_and_goes_on(tmp_path):
    def sweep(folder, *beside):
        told = sweep_with("slurm", folder, "buffer=random", "strategy.training.epochs=200", beside=beside)
        assert told.returncode == 0, told.stderr
        (job,) = [path.parent for path in folder.glob("*/results.json")]
        return job

    folder = tmp_path / "preempted"
    job = sweep(folder, sys.executable, "-c", PREEMPTS, str(folder))
    logs = "".join(path.read_text() for path in folder.glob(".submitit/*/*log*"))
    assert "DUE TO JOB REQUEUE" in logs
    whole = sweep(tmp_path / "whole")
    assert (job / "results.json").read_bytes() == (whole / "results.json").read_bytes()
