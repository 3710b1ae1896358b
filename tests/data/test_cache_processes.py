"""Several processes and one prepared copy: one makes it, and a kill leaves nothing that counts."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from test_cache import left, only, open_toy

HERE = Path(__file__).parent

SLOW = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(HERE)!r})
from dataclasses import replace
from sources import toy
from cl3d.data.load import load

folder, cache, wait = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])

print("ready", flush=True)
input()  # importing takes longer at times

def slowly(file):
    def read():
        print("reading", file.path.name, flush=True)
        time.sleep(wait)
        yield from file.read()
    return replace(file, read=read)

source = toy(folder)
source = replace(source, train=[slowly(file) for file in source.train])
print(load(lambda: source, cache=cache, num_points=5).fingerprint(), flush=True)
"""


def start(folder: Path, cache: Path, wait: float) -> subprocess.Popen[str]:
    """A process that is about to prepare, and does when it is given a line."""
    command = [sys.executable, "-c", SLOW, str(folder), str(cache), str(wait)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go_on(*processes: subprocess.Popen[str]) -> None:
    """Lets processes go on, all at once."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def test_of_two_at_once_one_prepares(tmp_path):
    cache = tmp_path / "cache"
    expected = open_toy(tmp_path / "toy", False).fingerprint()
    processes = [start(tmp_path / "toy", cache, 0.3) for _ in range(2)]
    go_on(*processes)
    told = [process.communicate(timeout=60)[0].split("\n") for process in processes]
    assert sorted(len(lines) for lines in told) == [2, 4], "one reads both files"
    assert {lines[-2] for lines in told} == {expected}
    assert len(left(cache)) == 1


def test_a_kill_in_the_middle_leaves_nothing_that_counts(tmp_path):
    cache = tmp_path / "cache"
    expected = open_toy(tmp_path / "toy", False).fingerprint()
    process = start(tmp_path / "toy", cache, 60)
    go_on(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "reading a.npy\n"
    assert [path.name for path in cache.glob("*.preparing/*")] == ["train_points.npy"]
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert [name.endswith(".preparing") for name in left(cache)] == [True]
    assert open_toy(tmp_path / "toy", cache).fingerprint() == expected
    assert only(cache).suffix != ".preparing", "what the killed process left is gone"
    shutil.rmtree(only(cache))  # always safe
    assert open_toy(tmp_path / "toy", cache).fingerprint() == expected
