"""The prepared copy on disk: used again, mapped, made anew when it must be, whole or absent."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import filelock
import numpy as np
import pytest
import torch
from sources import toy, write_clouds

from cl3d.data import cache as module
from cl3d.data.cache import derived, places
from cl3d.data.load import load
from cl3d.data.roots import DiskFullError
from cl3d.data.rows import FileRows
from cl3d.data.source import Source
from cl3d.errors import InputError, Note

HERE = Path(__file__).parent


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """The files that were read."""
    from cl3d.data.source import Reader

    whole, names = Reader.read, []

    def read(self, file):
        names.append(file.path.name)
        return whole(self, file)

    monkeypatch.setattr(Reader, "read", read)
    return names


def open_toy(folder: Path, cache=None, source=toy, **options):
    return load(lambda: source(folder), cache=cache, **{"num_points": 5, **options})


def with_parts(folder: Path) -> Source:
    return toy(folder, parts=True)


def left(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def only(cache: Path) -> Path:
    (name,) = left(cache)
    return cache / name


@pytest.mark.parametrize("source", [toy, with_parts])
def test_the_same_bytes_with_and_without(tmp_path, cache, reads, source):
    settings = {"rotation": "so3", "seed": 4, "source": source}
    plain = open_toy(tmp_path / "toy", False, **settings)
    assert plain.prepared is None
    first, second = (open_toy(tmp_path / "toy", cache, **settings) for _ in range(2))
    assert len(reads) == 6, "the second start reads nothing"
    for dataset in (first, second):
        assert dataset.fingerprint() == plain.fingerprint()
        assert (dataset.part_names, dataset.duplicates) == (plain.part_names, plain.duplicates)
        assert dataset.prepared == only(cache)
        for ours, theirs in ((dataset.train, plain.train), (dataset.test, plain.test)):
            assert (ours.parts is None) == (theirs.parts is None)
            assert ours.parts is None or torch.equal(ours.parts, theirs.parts)


def test_the_points_are_mapped_and_writing_stays_private(tmp_path, cache):
    dataset = open_toy(tmp_path / "toy", cache)
    path = dataset.prepared / "train_points.npy"
    maps = Path("/proc/self/maps")
    if maps.exists():
        assert str(path) in maps.read_text()
    before = path.read_bytes()
    dataset.train.points[0] = 7
    assert path.read_bytes() == before
    assert open_toy(tmp_path / "toy", cache).train.points.max() < 7


@pytest.mark.parametrize("change", ["content", "time", "another", "list", "settings", "source", "format"])
def test_changes_make_another(tmp_path, cache, reads, change, monkeypatch):
    folder = tmp_path / "toy"
    open_toy(folder, cache)
    settings, source = {}, toy
    if change == "content":
        write_clouds(folder / "b.npy", clouds=5, seed=9)
    if change == "time":
        os.utime(folder / "b.npy", ns=(5, 5))
    if change == "another":
        source = lambda folder: replace(toy(folder), train=toy(folder).train[:1])  # noqa: E731
    if change == "list":
        (folder / "list.txt").write_text("x")
        source = lambda folder: toy(folder, others=[folder / "list.txt"])  # noqa: E731
    if change == "settings":
        settings = {"normalize": False}
    if change == "source":
        source = lambda folder: toy(folder, options={"surface_points": 3})  # noqa: E731
    if change == "format":
        monkeypatch.setattr(module, "FORMAT", module.FORMAT + 1)
    reads.clear()
    now = open_toy(folder, cache, source, **settings)
    assert reads
    assert len(left(cache)) == 2, "the old one stays"
    assert now.fingerprint() == open_toy(folder, False, source, **settings).fingerprint()


def cut(folder: Path) -> None:
    path = folder / "train_points.npy"
    path.write_bytes(path.read_bytes()[:-4])


def zeros(folder: Path) -> None:
    path = folder / "test_points.npy"
    data = path.read_bytes()
    path.write_bytes(data[:128] + bytes(len(data) - 128))


def a_bit(folder: Path) -> None:
    path = folder / "train_points.npy"
    data = bytearray(path.read_bytes())
    data[-7] ^= 1
    path.write_bytes(data)


def a_name(folder: Path) -> None:
    text = (folder / "cache.json").read_text()
    (folder / "cache.json").write_text(text.replace('"lamp"', '"lump"', 1))


def other_labels(folder: Path) -> None:
    np.save(folder / "test_labels.npy", np.zeros(6, np.int64))


def other_shape(folder: Path) -> None:
    points = np.load(folder / "train_points.npy")
    np.save(folder / "train_points.npy", points.reshape(-1, 3, points.shape[1]))


def without_points(folder: Path) -> None:
    (folder / "train_points.npy").unlink()


def without_description(folder: Path) -> None:
    (folder / "cache.json").unlink()


def half_a_description(folder: Path) -> None:
    text = (folder / "cache.json").read_text()
    (folder / "cache.json").write_text(text[: len(text) // 2])


def another_description(folder: Path) -> None:
    told = json.loads((folder / "cache.json").read_text())
    told["key"]["settings"]["seed"] = 5
    (folder / "cache.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        zeros,
        a_bit,
        a_name,
        other_labels,
        other_shape,
        without_points,
        without_description,
        half_a_description,
        another_description,
    ],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_one_is_made_again(tmp_path, cache, damage):
    whole = open_toy(tmp_path / "toy", cache).fingerprint()
    damage(only(cache))
    with pytest.warns(Note, match="is damaged .*: prepared again"):
        assert open_toy(tmp_path / "toy", cache).fingerprint() == whole
    assert open_toy(tmp_path / "toy", cache).fingerprint() == whole
    assert len(left(cache)) == 1


def test_missing_files_are_named(tmp_path, cache):
    source = toy(tmp_path / "toy")
    (tmp_path / "toy" / "b.npy").unlink()
    with pytest.raises(InputError, match=r"b\.npy cannot be found"):
        load(lambda: source, cache=cache, num_points=5)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, cache, monkeypatch):
    def full(self, batch):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(FileRows, "append", full)
        with pytest.raises(DiskFullError, match=r"is full: free some space, .* cache=false"):
            open_toy(tmp_path / "toy", cache)
    assert left(cache) == []
    assert open_toy(tmp_path / "toy", cache).prepared is not None


def test_an_error_on_the_way_leaves_nothing(tmp_path, cache):
    with pytest.raises(InputError, match="give 11 or less"):
        open_toy(tmp_path / "toy", cache, num_points=12)
    assert left(cache) == []


def test_where_it_is_kept(tmp_path, monkeypatch):
    assert places(tmp_path, False) == []
    assert places(tmp_path, "~/x") == [Path.home() / "x"]
    monkeypatch.setenv("CL3D_CACHE", str(tmp_path / "elsewhere"))
    assert places(tmp_path) == places(tmp_path, True) == [tmp_path / "elsewhere"]
    monkeypatch.delenv("CL3D_CACHE")
    beside, users = places(tmp_path)
    assert beside == tmp_path / "prepared"
    assert (users.name, users.parent.name) == ("prepared", "cl3d")


def test_a_read_only_root_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("CL3D_CACHE")
    monkeypatch.setattr(module.pooch, "os_cache", lambda name: tmp_path / "home" / name)
    root = tmp_path / "root"
    root.mkdir()
    toy(root / "toy")
    root.chmod(0o555)
    assert open_toy(root / "toy").prepared.parent == tmp_path / "home" / "cl3d" / "prepared"
    assert sorted(path.name for path in root.iterdir()) == ["toy"]
    root.chmod(0o755)
    # what is prepared already is used wherever it is
    assert open_toy(root / "toy").prepared.parent == tmp_path / "home" / "cl3d" / "prepared"
    assert open_toy(root / "toy", seed=1).prepared.parent == root / "prepared"


def test_nowhere_to_write_is_noted(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(Note, match="for this run alone, as nothing can be written to .*file"):
        assert open_toy(tmp_path / "toy", tmp_path / "file" / "cache").prepared is None


def test_what_is_derived_is_kept_beside(tmp_path, cache):
    dataset, made = open_toy(tmp_path / "toy", cache), []

    def doubled():
        made.append(1)
        return replace(
            dataset, name="toy, doubled", train=dataset.train.with_points(2 * dataset.train.points)
        )

    first, second = (derived(dataset, "doubled", doubled) for _ in range(2))
    assert len(made) == 1
    assert (first.name, first.prepared.parent) == ("toy, doubled", cache)
    assert torch.equal(second.train.points, 2 * dataset.train.points)
    plain = open_toy(tmp_path / "toy", False)
    assert derived(plain, "doubled", lambda: plain) is plain


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


def test_of_two_at_once_one_prepares(tmp_path, cache):
    expected = open_toy(tmp_path / "toy", False).fingerprint()
    processes = [start(tmp_path / "toy", cache, 0.3) for _ in range(2)]
    go_on(*processes)
    told = [process.communicate(timeout=60)[0].split("\n") for process in processes]
    assert sorted(len(lines) for lines in told) == [2, 4], "one reads both files"
    assert {lines[-2] for lines in told} == {expected}
    assert len(left(cache)) == 1


def test_a_kill_in_the_middle_leaves_nothing_that_counts(tmp_path, cache):
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


def test_what_is_left_of_others_is_removed_unless_they_live(tmp_path, cache):
    open_toy(tmp_path / "toy", cache, seed=1)
    for name in ("killed", "living"):
        (cache / f"{name}.preparing").mkdir()
        (cache / f"{name}.preparing" / "train_points.npy").write_bytes(b"half")
    with filelock.FileLock(cache / "living.lock"):
        open_toy(tmp_path / "toy", cache, seed=2)
        assert [name for name in left(cache) if "preparing" in name] == ["living.preparing"]
    open_toy(tmp_path / "toy", cache, seed=3)
    assert len(left(cache)) == 3
    assert not any("preparing" in name for name in left(cache))


def test_files_are_closed_where_preparing_fails(tmp_path, cache):
    import gc

    gc.collect()
    with pytest.raises(InputError, match="give 11 or less"):
        open_toy(tmp_path / "toy", cache, num_points=12)
    opened = Path("/proc/self/fd")
    if opened.exists():
        targets = [os.readlink(path) for path in opened.iterdir() if path.is_symlink()]
        assert not [target for target in targets if "train_points" in target]
