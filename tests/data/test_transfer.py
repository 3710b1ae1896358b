"""Transfers are continued where they were cut, and anything odd starts them over."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pooch
import pytest
from release_server import Server, is_whole, left_in

from cl3d.data.download import Release, obtain
from cl3d.data.transfer import ResumingDownloader
from cl3d.errors import InputError


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


def test_the_downloader_works_as_one_of_pooch(server: Server, tmp_path: Path) -> None:
    known = "sha256:" + hashlib.sha256(server.content).hexdigest()
    downloader = ResumingDownloader(tmp_path / "part")
    got = pooch.retrieve(server.url, known, fname="x.zip", path=tmp_path, downloader=downloader)
    assert Path(got).read_bytes() == server.content
    assert {path.name for path in tmp_path.iterdir()} == {"x.zip"}
