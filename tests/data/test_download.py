"""Finding, downloading and resuming releases, against a server on this machine."""

from __future__ import annotations

import hashlib
import io
import logging
import shutil
import socket
import threading
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest

from cl3d.data import download
from cl3d.data.download import Release, obtain
from cl3d.data.roots import DiskFullError
from cl3d.data.transfer import ResumingDownloader
from cl3d.errors import InputError

FILES = {"train_files.txt": b"ply_data_train0.h5\n", "ply_data_train0.h5": bytes(range(256)) * 4000}


def zipped(files: dict[str, bytes] = FILES) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(f"clouds/{name}", content)
    return buffer.getvalue()


@dataclass
class Server:
    """What the server sends, and what it was asked."""

    content: bytes = field(default_factory=zipped)
    url: str = ""
    status: int = 200
    ranges: bool = True
    shift: int = 0
    """How far off the ranges are that it sends."""
    piece: int = 1 << 30
    """The most bytes that it sends as one range."""
    unasked: bool = False
    """Whether it sends a range to those who asked for none."""
    length: bool = True
    """Whether it announces the length."""
    cut: list[int] = field(default_factory=list)
    """How many bytes it sends before it closes each of the next connections."""
    asked: list[str | None] = field(default_factory=list)
    """The range of each request."""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.asked.append(asked)
        total = len(self.content)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.ranges else 0
        if self.status != 200:
            handler.send_error(self.status)
            return
        if start >= total:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{total}")
            handler.end_headers()
            return
        partial = self.unasked or bool(asked and self.ranges)
        body = self.content[start : start + self.piece] if partial else self.content[start:]
        handler.send_response(206 if partial else 200)
        if partial:
            end = start + len(body) - 1
            handler.send_header("Content-Range", f"bytes {start + self.shift}-{end}/{total}")
        if self.length:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: self.cut.pop(0)] if self.cut else body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.url = f"http://127.0.0.1:{running.server_port}/clouds.zip"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        running.shutdown()
        thread.join()


@pytest.fixture
def release(server: Server) -> Release:
    return Release(
        title="Clouds",
        folder="clouds",
        url=server.url,
        page="https://clouds.example.org",
        files={
            "train_files.txt": None,
            "ply_data_train0.h5": hashlib.md5(FILES["ply_data_train0.h5"]).hexdigest(),
        },
        max_bytes=2_000_000,
    )


def is_whole(folder: Path) -> bool:
    return {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def left_in(root: Path) -> set[str]:
    """What is in the data root beside the lock."""
    return {path.name for path in root.iterdir()} - {"clouds.lock"}


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


@pytest.mark.parametrize("length", [True, False])
def test_a_length_that_is_not_announced_is_reported_as_unknown(
    server: Server, release: Release, tmp_path: Path, length: bool
) -> None:
    server.length = length
    totals: set[int | None] = set()
    obtain(release, tmp_path, report=lambda done, total: totals.add(total))
    assert totals == {len(server.content) if length else None}


def test_a_cut_connection_is_continued(server: Server, release: Release, tmp_path: Path) -> None:
    server.cut = [300_000, 300_000]
    assert is_whole(obtain(release, tmp_path))
    assert server.asked == [None, "bytes=300000-", "bytes=600000-"]


def test_a_later_call_continues_what_is_held(server: Server, release: Release, tmp_path: Path) -> None:
    server.cut = [300_000, 0]
    with pytest.raises(InputError, match=r"the connection ended after 300,000 of 1,0\d\d,\d\d\d bytes"):
        obtain(release, tmp_path)
    assert left_in(tmp_path) == {"clouds.zip.part"}
    assert (tmp_path / "clouds.zip.part").read_bytes() == server.content[:300_000]
    assert is_whole(obtain(release, tmp_path))
    assert server.asked[-1] == "bytes=300000-"
    assert left_in(tmp_path) == {"clouds"}


def test_starts_over_where_the_server_knows_no_ranges(
    server: Server, release: Release, tmp_path: Path
) -> None:
    server.ranges = False
    server.cut = [300_000]
    assert is_whole(obtain(release, tmp_path))
    assert server.asked == [None, "bytes=300000-"]


def test_gives_up_where_no_connection_brings_more(server: Server, release: Release, tmp_path: Path) -> None:
    server.ranges = False
    server.cut = [300_000] * 10
    with pytest.raises(InputError, match="the connection ended"):
        obtain(release, tmp_path)
    assert len(server.asked) == 2


def test_starts_over_where_the_server_sends_another_range(
    server: Server, release: Release, tmp_path: Path
) -> None:
    (tmp_path / "clouds.zip.part").write_bytes(server.content[:1000])
    server.shift = 5
    assert is_whole(obtain(release, tmp_path))
    assert server.asked == ["bytes=1000-", None]


def test_ranges_that_are_shorter_than_asked_are_put_together(
    server: Server, release: Release, tmp_path: Path
) -> None:
    server.cut = [300_000]
    server.piece = 400_000
    assert is_whole(obtain(release, tmp_path))
    assert server.asked == [None, "bytes=300000-", "bytes=700000-"]


def test_a_range_that_nobody_asked_for_is_refused(server: Server, release: Release, tmp_path: Path) -> None:
    server.unasked = True
    server.shift = 5
    with pytest.raises(InputError, match="a part of the file that was not asked for"):
        obtain(release, tmp_path)


def test_a_part_that_is_complete_is_used(server: Server, release: Release, tmp_path: Path) -> None:
    (tmp_path / "clouds.zip.part").write_bytes(server.content)
    assert is_whole(obtain(release, tmp_path))
    assert server.asked == [f"bytes={len(server.content)}-"]


def test_a_part_that_is_too_long_is_dropped(server: Server, release: Release, tmp_path: Path) -> None:
    (tmp_path / "clouds.zip.part").write_bytes(server.content + b"more")
    assert is_whole(obtain(release, tmp_path))
    assert server.asked == [f"bytes={len(server.content) + 4}-", None]


def test_a_part_of_another_file_is_found_out_and_dropped(
    server: Server, release: Release, tmp_path: Path
) -> None:
    (tmp_path / "clouds.zip.part").write_bytes(b"x" * 1000)
    with pytest.raises(InputError):
        obtain(release, tmp_path)
    assert left_in(tmp_path) == set()
    assert is_whole(obtain(release, tmp_path))


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


def test_the_downloader_works_as_one_of_pooch(server: Server, tmp_path: Path) -> None:
    known = "sha256:" + hashlib.sha256(server.content).hexdigest()
    downloader = ResumingDownloader(tmp_path / "part")
    got = pooch.retrieve(server.url, known, fname="x.zip", path=tmp_path, downloader=downloader)
    assert Path(got).read_bytes() == server.content
    assert {path.name for path in tmp_path.iterdir()} == {"x.zip"}


def test_an_empty_folder_is_filled(release: Release, tmp_path: Path) -> None:
    (tmp_path / "clouds").mkdir()
    assert is_whole(obtain(release, tmp_path / "clouds"))
