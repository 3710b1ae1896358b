"""Where releases are looked for, and what a full disk says."""

from __future__ import annotations

import errno
from pathlib import Path

import pooch
import pytest

from cl3d.data.cache import places
from cl3d.data.roots import DiskFullError, data_root, find, place, room_for
from cl3d.errors import InputError


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_meanwhile_is_named(tmp_path: Path, number: int) -> None:
    with pytest.raises(DiskFullError, match="7 bytes are needed"), room_for(tmp_path, 7):
        raise OSError(number, "No space left on device")


def test_other_errors_pass_the_guard(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), room_for(tmp_path, 0):
        raise PermissionError(errno.EACCES, "no")


def test_the_root_is_the_argument_then_the_environment_then_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CL3D_DATA", str(tmp_path / "environment"))
    assert data_root(tmp_path / "given") == tmp_path / "given"
    assert data_root() == tmp_path / "environment"
    monkeypatch.setenv("CL3D_DATA", "")
    assert data_root() == Path(pooch.os_cache("cl3d"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_root("~/clouds") == tmp_path / "clouds"
    with pytest.raises(InputError, match=r"root=2024 is no path: write .* \./2024"):
        data_root(2024)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="cache=5 is no path"):
        places(tmp_path, 5)  # type: ignore[arg-type]


def test_a_release_is_found_in_the_root_or_as_the_root(tmp_path: Path) -> None:
    folder = tmp_path / "clouds"
    folder.mkdir()
    # an empty folder is one that somebody made for the release
    assert find("clouds", "train_files.txt", tmp_path) is None
    (folder / "train_files.txt").write_text("x\n")
    assert find("clouds", "train_files.txt", tmp_path) == folder
    assert find("clouds", "train_files.txt", folder) == folder
    renamed = folder.rename(tmp_path / "mine")
    assert find("clouds", "train_files.txt", renamed) == renamed
    assert find("clouds", "train_files.txt", tmp_path) is None
    assert place("clouds", tmp_path) == place("clouds", tmp_path / "clouds") == tmp_path / "clouds"
