"""Scripts under torchrun: several processes leave what one leaves, also where one of them dies."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import DictConfig
from processes import environment, in_processes
from script_runs import SCRIPTS, TINY, TINY_RUN, resume, run

from cl3d import cli, distributed
from cl3d.distill.checkpoint import read_checkpoint
from cl3d.errors import InputError
from cl3d.launched import check_shared

KILLED = Path(__file__).with_name("killed.py")
DISTILL = [*TINY, "condenser=pcc", "condenser.iterations=6", "ppc=2"]
CL_RUN = [*TINY_RUN, "buffer=dm", "condenser.iterations=4"]
OF_ONE_LAUNCH = {"cost.json", "seconds.json", "peak_memory.json", "environment.json", "report.html"}
"""Files that tell the times and the command."""


def torchrun(count: int, *command: object, restarts: int = 0) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    arguments = [f"--max-restarts={restarts}", *map(str, command)]
    return subprocess.run([*launcher, *arguments], env=environment(), capture_output=True, text=True)


def products(folder: Path) -> dict[str, bytes]:
    """What a run leaves, besides its own place and times, which also stand in states."""
    return {
        str(path.relative_to(folder)): b"" if path.parent.name == "state" else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {*OF_ONE_LAUNCH, ".lock", "config.yaml"}
    }


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """What one process leaves."""

    def look(script: str, *arguments: str) -> dict[str, bytes]:
        assert run(script, *arguments, monkeypatch=monkeypatch, folder=tmp_path / "alone") == 0
        return products(tmp_path / "alone")

    return look


@pytest.fixture
def one_of_two(monkeypatch):
    monkeypatch.setattr(distributed, "_place", distributed._Place(rank=0, world=2))


def test_a_script_of_one_process_is_refused(one_of_two):
    with pytest.raises(InputError, match=r"compare\.py is one process: start it with python"):
        check_shared("compare")


def test_torchrun_and_a_launcher_of_hydras_are_refused_together(monkeypatch):
    for name, value in zip(distributed.VARIABLES, ("0", "0", "2", "localhost", "1"), strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="give one of them"):
        check_shared("cl_run")


def test_half_of_what_torchrun_sets_is_refused(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="RANK is set and LOCAL_RANK, MASTER_ADDR, MASTER_PORT not"):
        distributed.launched()


def test_what_the_backend_says_is_passed_on():
    with (
        pytest.raises(distributed.Lost, match=r"has ended \(Connection closed by peer\)$"),
        distributed._connected(),
    ):
        raise RuntimeError("[/gloo/pair.cc:547] Connection closed by peer. This is\nto be read")


def folder_of_rank(folder: str) -> None:
    """Rank 1 is refused a folder that rank 0 has, and writes nothing."""
    from cl3d.atomic import remove, write_text
    from cl3d.locks import locked

    with locked(Path(folder)):
        write_text(Path(folder) / "written", str(distributed.rank()))
    assert distributed.by_main(distributed.rank) == 0
    with pytest.raises(ValueError, match="rank 0 has none"):
        distributed.by_main(lambda: int("rank 0 has none") if distributed.is_main() else 1)
    if not distributed.is_main():
        remove(Path(folder) / "written")


def test_rank_0_alone_writes_and_what_it_finds_all_find(tmp_path):
    in_processes(2, "test_torchrun:folder_of_rank", tmp_path)
    assert (tmp_path / "written").read_text() == "0"


def one_is_refused(folder: str) -> None:
    """Rank 0 is refused the first job of two, such as by a full disk; rank 1 waits for it in that job."""
    begun = []

    def task(config: DictConfig, where: Path) -> None:
        begun.append(where)
        if distributed.is_main():
            raise InputError("the disk is full")
        distributed.by_main(lambda: None)

    sys.argv = ["distill.py", "-m", "seed=0,1", f"folder={folder}"]
    with pytest.raises(SystemExit) as left:
        cli._launch("distill", task, lambda: None)
    assert left.value.code == (2 if distributed.is_main() else 1)
    assert len(begun) == 1
    (Path(folder) / f"{distributed.rank()}").touch()
    os._exit(0)  # not to wait for the other


def test_a_job_that_one_process_is_refused_ends_the_sweep_of_all(tmp_path):
    in_processes(2, "test_torchrun:one_is_refused", tmp_path)
    assert {"0", "1"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a_process_is_killed_and_torchrun_starts_again(alone, tmp_path, seed):
    draws = random.Random(seed)
    rank, steps = draws.randrange(2), draws.randrange(1, 6)
    folder, mark = tmp_path / "run", tmp_path / "mark"
    told = torchrun(
        2, KILLED, "killed", "distill", rank, steps, mark, *DISTILL, f"folder={folder}", restarts=1
    )
    assert told.returncode == 0, told.stderr
    assert mark.exists()
    assert told.stdout.count("written") == 1, "not one process alone told of its set"
    assert f"condensing {steps + 1}/6" in told.stdout
    assert products(folder) == alone("distill", *DISTILL)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "raises"])
def test_a_process_ends_and_one_alone_goes_on(alone, monkeypatch, tmp_path, how):
    folder, mark = tmp_path / "run", tmp_path / "mark"
    told = torchrun(2, KILLED, how, "distill", 1, 3, mark, *DISTILL, f"folder={folder}")
    assert told.returncode != 0
    assert ("Traceback" in told.stderr and "a class that is no good" in told.stderr) == (how == "raises")
    _, state = read_checkpoint(folder / "checkpoint.safetensors")
    assert len(state.facts["losses"]) == 3, "not all steps before the end were kept"
    assert resume("distill", folder, monkeypatch=monkeypatch) == 0
    assert products(folder) == alone("distill", *DISTILL)


@pytest.mark.slow
def test_a_stream_one_of_whose_processes_is_killed(alone, tmp_path):
    folder, mark = tmp_path / "run", tmp_path / "mark"
    told = torchrun(2, KILLED, "killed", "cl_run", 1, 6, mark, *CL_RUN, f"folder={folder}", restarts=1)
    assert told.returncode == 0, told.stderr
    assert mark.exists()
    assert products(folder) == alone("cl_run", *CL_RUN)


@pytest.mark.slow
def test_an_evaluation_in_a_folder_that_is_not_named(alone, tmp_path):
    arguments = [*TINY, "set=data", "runs=3", "training.epochs=2"]
    told = torchrun(2, SCRIPTS / "evaluate.py", *arguments)
    assert told.returncode == 0, told.stderr
    folders = list((tmp_path / "runs" / "evaluate").iterdir())
    assert len(folders) == 1, "each process took a folder of its own"
    assert products(folders[0]) == alone("evaluate", *arguments)


@pytest.mark.slow
def test_restarts_need_a_folder():
    told = torchrun(2, SCRIPTS / "distill.py", *DISTILL, restarts=1)
    assert told.returncode != 0
    assert "--max-restarts without folder=" in told.stderr


LEAVING = """
import atexit, sys
from cl3d.launched import gone_when_done

class Backend:
    def __del__(self):
        print("taken down")

kept = Backend()
atexit.register(print, "closed")
with gone_when_done():
    print("done")
    sys.exit(3)
"""


@pytest.mark.parametrize(("processes", "told"), [(1, "done closed taken down"), (2, "done closed")])
def test_one_of_several_leaves_with_its_code_and_is_not_taken_down(processes, told):
    place = {**environment(), "RANK": "0", "WORLD_SIZE": str(processes)}
    left = subprocess.run([sys.executable, "-c", LEAVING], env=place, capture_output=True, text=True)
    assert (left.stdout.split(), left.stderr, left.returncode) == (told.split(), "", 3)
