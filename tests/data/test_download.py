"""Finding, downloading and resuming releases, against a server on this machine."""

from __future__ import annotations

import logging
import shutil
import socket
import threading
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pooch
import pytest
from release_server import FILES, Server, is_whole, left_in, zipped

from cl3d.data import download
from cl3d.data.download import Release, obtain
from cl3d.data.roots import DiskFullError
from cl3d.errors import InputError


def test_downloads_once_and_leaves_the_folder_alone(server: Server, release: Release, tmp_path: Path) -> None:
    root = tmp_path / "new" / "root"
    assert obtain(release, root) == root / "clouds"
    assert is_whole(root / "clouds")
    assert left_in(root) == {"clouds"}
    assert obtain(release, root) == root / "clouds"
    assert server.asked == [None]


def test_reports_progress_and_prints_nothing(
    server: Server, release: Release, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[int, int | None]] = []
    level, filters = pooch.get_logger().level, list(pooch.get_logger().filters)
    obtain(release, tmp_path, report=lambda done, total: told.append((done, total)))
    total = len(server.content)
    assert told[-1] == (total, total)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert capfd.readouterr() == ("", "")
    assert (pooch.get_logger().level, pooch.get_logger().filters) == (level, filters)
    assert pooch.get_logger().isEnabledFor(logging.WARNING)


def test_a_wrong_hash_leaves_nothing_in_place(server: Server, release: Release, tmp_path: Path) -> None:
    server.content = zipped({**FILES, "ply_data_train0.h5": b"other"})
    with pytest.raises(InputError, match=r"ply_data_train0\.h5 has the md5 \w{32} instead of \w{32}"):
        obtain(release, tmp_path)
    assert left_in(tmp_path) == set()


def test_missing_members_leave_nothing_in_place(server: Server, release: Release, tmp_path: Path) -> None:
    server.content = zipped({"train_files.txt": b"x\n"})
    with pytest.raises(InputError, match="has 0 entries 'clouds/ply_data_train0"):
        obtain(release, tmp_path)
    assert left_in(tmp_path) == set()


def test_a_zip_file_that_is_there_is_used_and_kept(server: Server, release: Release, tmp_path: Path) -> None:
    (tmp_path / "clouds.zip").write_bytes(server.content)
    assert is_whole(obtain(release, tmp_path))
    assert server.asked == []
    assert left_in(tmp_path) == {"clouds", "clouds.zip"}


def test_a_wrong_zip_file_that_is_there_is_kept(server: Server, release: Release, tmp_path: Path) -> None:
    (tmp_path / "clouds.zip").write_bytes(b"precious")
    with pytest.raises(InputError, match=r"clouds\.zip is damaged"):
        obtain(release, tmp_path)
    assert left_in(tmp_path) == {"clouds.zip"}


def test_what_a_killed_process_left_is_cleared(server: Server, release: Release, tmp_path: Path) -> None:
    (tmp_path / "clouds.unpacking").mkdir()
    (tmp_path / "clouds.unpacking" / "old.h5").write_bytes(b"old")
    assert is_whole(obtain(release, tmp_path))
    assert left_in(tmp_path) == {"clouds"}


def test_of_several_at_once_one_downloads(server: Server, release: Release, tmp_path: Path) -> None:
    server.cut = [200_000]
    together = threading.Barrier(4)
    got: list[Path] = []

    def get() -> None:
        together.wait()
        got.append(obtain(release, tmp_path))

    threads = [threading.Thread(target=get) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [tmp_path / "clouds"] * 4
    assert is_whole(tmp_path / "clouds")
    assert server.asked == [None, "bytes=200000-"]


def says_what_to_do(message: str, release: Release, root: Path) -> bool:
    wanted = (release.url, release.page, str(root / "clouds"), "dataset=shapes40")
    return all(part in message for part in wanted) and "\n" not in message


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_refusing_server_says_what_to_do(
    server: Server, release: Release, tmp_path: Path, status: int
) -> None:
    server.status = status
    with pytest.raises(InputError, match=str(status)) as caught:
        obtain(release, tmp_path)
    assert says_what_to_do(str(caught.value), release, tmp_path)
    assert left_in(tmp_path) == set()


def test_no_server_says_what_to_do(release: Release, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gone = replace(release, url=f"http://127.0.0.1:{port}/clouds.zip")
    with pytest.raises(InputError, match="refused") as caught:
        obtain(gone, tmp_path)
    assert says_what_to_do(str(caught.value), gone, tmp_path)


def test_without_download_says_what_to_do_and_asks_nobody(
    server: Server, release: Release, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="download is off") as caught:
        obtain(release, tmp_path / "root", download=False)
    assert says_what_to_do(str(caught.value), release, tmp_path / "root")
    assert server.asked == []
    assert not (tmp_path / "root").exists()


def test_a_root_that_is_a_file_says_what_to_do(release: Release, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="could not be downloaded"):
        obtain(release, tmp_path / "file")


usage = namedtuple("usage", "total used free")


def test_a_full_disk_is_seen_before_the_download(
    server: Server, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 5, 5))
    with pytest.raises(DiskFullError, match=f"{len(server.content):,} bytes are needed") as caught:
        obtain(release, tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_full_disk_keeps_the_download(
    server: Server, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise DiskFullError("full")

    with monkeypatch.context() as patch:
        patch.setattr(download, "unpack", full)
        with pytest.raises(DiskFullError):
            obtain(release, tmp_path)
    assert left_in(tmp_path) == {"clouds.zip"}
    assert is_whole(obtain(release, tmp_path))
    assert server.asked == [None]


def test_an_empty_folder_is_filled(release: Release, tmp_path: Path) -> None:
    (tmp_path / "clouds").mkdir()
    assert is_whole(obtain(release, tmp_path / "clouds"))
