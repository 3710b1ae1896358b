"""Jobs: what is there is not made again, what fails is told, and an interrupt reaches all that runs."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from cl3d.errors import InputError
from cl3d.report.jobs import Job, distilling, evaluating, run_jobs, seeds_of

WRITES = """
import sys
from pathlib import Path
folder = Path(sys.argv[-1].removeprefix('folder="').removesuffix('"'))
needs = [a.removeprefix("needs=") for a in sys.argv if a.startswith("needs=")]
assert all(Path(path).exists() for path in needs)
folder.mkdir(parents=True, exist_ok=True)
(folder / "product").touch()
print("told")
"""


@pytest.fixture
def scripts(tmp_path):
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "writes.py").write_text(WRITES)
    (folder / "fails.py").write_text("import sys; sys.exit(2)")
    (folder / "stops.py").write_text("import sys; sys.exit(130)")
    return folder


def job(tmp_path: Path, name: str, script: str = "writes", needs: Path | None = None) -> Job:
    settings = () if needs is None else (f"needs={needs}",)
    return Job(name, script, settings, tmp_path / name / "product", needs)


@pytest.mark.parametrize("workers", [1, 3])
def test_jobs_wait_for_what_they_need(scripts, tmp_path, workers):
    first = job(tmp_path, "first")
    second = job(tmp_path, "second", needs=first.product)
    said, ended = [], []
    run_jobs([second, first], scripts, workers, said.append, lambda: ended.append(second.done))
    assert ended == [False, True]
    assert [text.split()[1] for text in said] == ["first:", "second:"]
    assert (tmp_path / "first" / "log.txt").exists() == (workers > 1)


def test_what_is_there_is_not_made_again(scripts, tmp_path):
    first, second = job(tmp_path, "first", "fails"), job(tmp_path, "second")
    first.product.parent.mkdir()
    first.product.touch()
    said = []
    run_jobs([first, second], scripts, say=said.append)
    assert len(said) == 1
    assert "1/1 second" in said[0]


@pytest.mark.parametrize("workers", [1, 2])
def test_one_that_fails_does_not_stop_the_others(scripts, tmp_path, workers):
    bad = job(tmp_path, "bad", "fails")
    left, good = job(tmp_path, "left", needs=bad.product), job(tmp_path, "good")
    with pytest.raises(InputError, match=r"bad: fails\.py stopped with 2 .*; 1 that .* not run") as caught:
        run_jobs([bad, left, good], scripts, workers)
    assert good.done
    assert ("log.txt" in str(caught.value)) == (workers > 1)


def test_a_job_that_was_interrupted_interrupts_all(scripts, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_jobs([job(tmp_path, "first", "stops"), job(tmp_path, "second")], scripts)
    assert not (tmp_path / "second").exists()


def test_an_interrupt_reaches_the_scripts(scripts, tmp_path):
    """Only this process hears it, as when a cluster ends a job."""
    (scripts / "waits.py").write_text(
        "import signal, sys, time\n"
        "from pathlib import Path\n"
        "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        "Path(sys.argv[1] + '_started').touch()\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    Path(sys.argv[1] + '_kept').touch()\n"
    )
    waiting = [Job(name, "waits", (name,), tmp_path / name / "product") for name in ("first", "second")]

    def interrupt():
        while not all(Path(f"{job.title}_started").exists() for job in waiting):
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            run_jobs(waiting, scripts, workers=2)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert all(Path(f"{job.title}_kept").exists() for job in waiting)


def test_a_condensers_own_settings_have_the_last_word(tmp_path):
    made = distilling("a", "dm condenser.iterations=3", ["model=pct", "seed=1"], tmp_path / 'a "folder"')
    assert made.command()[1:5] == ["condenser=dm", "model=pct", "seed=1", "condenser.iterations=3"]
    assert made.command()[5] == "report=false"
    assert made.command()[6] == f'folder="{tmp_path}/a \\"folder\\""'
    tested = evaluating("a", made.product, ["runs=2"], tmp_path / "b")
    assert tested.needs == made.product
    assert not tested.ready
    assert evaluating("a", "data", [], tmp_path / "c").command()[1] == "set=data"


def test_seeds_are_a_list_or_their_number():
    assert seeds_of(2) == [0, 1]
    assert seeds_of([5, 3]) == [5, 3]
    for wrong in (0, -1, True, [0, 0], [-1], ["a"], [True], "3", None):
        with pytest.raises(InputError, match="seeds="):
            seeds_of(wrong)
