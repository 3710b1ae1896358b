"""Files that are whole or absent, and what killed writers leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cl3d.atomic import write_bytes, write_text
from cl3d.errors import InputError

HANGS = """
import os, sys
from pathlib import Path
from cl3d.atomic import write_bytes

def hang(handle):
    print("there", flush=True)
    sys.stdin.read()

os.fsync = hang
write_bytes(Path(sys.argv[1]), b"half")
"""


@pytest.fixture
def writer(tmp_path: Path):
    """A process that is in the middle of writing ``a.txt``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HANGS, str(tmp_path / "a.txt")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    yield process
    process.kill()
    process.communicate()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_there_is_replaced(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_bytes(tmp_path / "new" / "a.txt", content)
        assert (tmp_path / "new" / "a.txt").read_bytes() == content
    assert names(tmp_path / "new") == ["a.txt"]
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "new" / "a.txt").stat().st_mode & 0o777 == 0o666 & ~mask


def test_what_a_killed_writer_left_is_removed(tmp_path: Path, writer: subprocess.Popen[bytes]) -> None:
    (tmp_path / ".a.txt.backup").write_text("ours")
    write_text(tmp_path / "b.txt", "other")
    assert len(names(tmp_path)) == 3
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    write_text(tmp_path / "b.txt", "of another file")
    assert len(names(tmp_path)) == 3
    write_text(tmp_path / "a.txt", "whole")
    assert names(tmp_path) == [".a.txt.backup", "a.txt", "b.txt"]


def test_a_living_writer_is_left_alone(tmp_path: Path, writer: subprocess.Popen[bytes]) -> None:
    write_text(tmp_path / "a.txt", "first")
    assert len(names(tmp_path)) == 2
    writer.communicate()  # lets it go on
    assert writer.returncode == 0
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "half"


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*a\.txt .*choose a writable folder"):
        write_text(tmp_path / "file" / "a.txt", "x")
