"""Unpacking zip files: what is asked for and nothing else, and no harm by a hostile file."""

from __future__ import annotations

import random
import shutil
import stat
import warnings
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from cl3d.data.archives import unpack
from cl3d.data.roots import DiskFullError
from cl3d.errors import InputError

CONTENT = {"release/a.h5": b"a" * 5000, "release/list.txt": b"a.h5\n"}
MEMBERS = tuple(CONTENT)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def pack(path: Path, *extra: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in (*CONTENT.items(), *extra):
            archive.writestr(name, content)
    return path


def check_refused(archive: Path, into: Path, message: str, max_bytes: int = 10_000) -> None:
    with pytest.raises(InputError, match=message) as caught:
        unpack(archive, MEMBERS, into, max_bytes)
    assert str(archive) in str(caught.value)
    assert list(into.iterdir()) == []


def test_writes_the_members_and_nothing_else(tmp_path: Path, into: Path) -> None:
    unpack(pack(tmp_path / "x.zip", ("release/more.json", b"{}"), ("other/", b"")), MEMBERS, into, 10_000)
    assert {path.name: path.read_bytes() for path in into.iterdir()} == {
        "a.h5": CONTENT["release/a.h5"],
        "list.txt": CONTENT["release/list.txt"],
    }


@pytest.mark.parametrize(
    "name", ["/etc/x", "../x", "release/../../x", "C:/x", "C:\\x", "\\\\server\\x", "release\\..\\x"]
)
def test_refuses_paths_that_lead_elsewhere(tmp_path: Path, into: Path, name: str) -> None:
    entry = zipfile.ZipInfo("placeholder")
    entry.filename = name
    check_refused(pack(tmp_path / "x.zip", (entry, b"x")), into, "absolute|outside")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_refuses_links_and_devices(tmp_path: Path, into: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("release/link")
    entry.external_attr = (kind | 0o777) << 16
    check_refused(pack(tmp_path / "x.zip", (entry, b"/etc/passwd")), into, "link or a device")


def test_refuses_encrypted_entries(tmp_path: Path, into: Path) -> None:
    path = pack(tmp_path / "x.zip")
    content = bytearray(path.read_bytes())
    # the general purpose flags of the first entry in the central directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    check_refused(path, into, "is encrypted")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_refuses_other_compressions(tmp_path: Path, into: Path, compression: int) -> None:
    entry = zipfile.ZipInfo("release/b.h5")
    entry.compress_type = compression
    check_refused(pack(tmp_path / "x.zip", (entry, b"b")), into, "neither stored nor deflated")


def test_refuses_more_bytes_than_expected(tmp_path: Path, into: Path) -> None:
    bomb = pack(tmp_path / "x.zip", ("release/zeros", bytes(1_000_000)))
    assert bomb.stat().st_size < 10_000
    check_refused(bomb, into, "1,005,005 bytes where at most 10,000")


@pytest.mark.parametrize("declared", [10, 4999, 5001, 9000])
def test_refuses_sizes_that_were_declared_wrongly(tmp_path: Path, into: Path, declared: int) -> None:
    path = pack(tmp_path / "x.zip")
    content = bytearray(path.read_bytes())
    # the uncompressed size of the first entry in the central directory
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = declared.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        unpack(path, MEMBERS, into, 10_000)
    assert sum(file.stat().st_size for file in into.iterdir()) <= 5000


def test_refuses_missing_and_doubled_members(tmp_path: Path, into: Path) -> None:
    with pytest.raises(InputError, match=r"has 0 entries 'release/b\.h5'"):
        unpack(pack(tmp_path / "x.zip"), [*MEMBERS, "release/b.h5"], into, 10_000)
    check_refused(pack(tmp_path / "y.zip", ("release/a.h5", b"b")), into, r"has 2 entries 'release/a\.h5'")


def test_refuses_what_is_no_zip_file(tmp_path: Path, into: Path) -> None:
    page = tmp_path / "x.zip"
    page.write_text("<html>Not found</html>")
    check_refused(page, into, "is damaged")


def test_any_damage_is_an_input_error(tmp_path: Path, into: Path) -> None:
    path = pack(tmp_path / "x.zip")
    whole = path.read_bytes()
    rng = random.Random(0)
    for _ in range(300):
        content = bytearray(whole)
        if rng.random() < 0.3:
            content = content[: rng.randrange(len(content))]
        else:
            for _ in range(rng.randint(1, 4)):
                content[rng.randrange(len(content))] = rng.randrange(256)
        path.write_bytes(content)
        try:
            unpack(path, MEMBERS, into, 10_000)
        except InputError:
            continue
        # what passes is what was packed: the checksums see every byte of it
        assert (into / "a.h5").read_bytes() == CONTENT["release/a.h5"]


def test_names_the_folder_and_the_bytes_where_the_disk_is_full(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10_000, 5_000, 5_000))
    with pytest.raises(DiskFullError, match=r"the disk of .*into is full: 5,005 bytes"):
        unpack(pack(tmp_path / "x.zip"), MEMBERS, into, 10_000)
    assert list(into.iterdir()) == []
