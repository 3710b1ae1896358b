"""Disks that are full or closed: one sentence, nothing lost, and the run goes on to the same bytes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from small_disk import SmallDisk, simulated_disk, small_disk

from cl3d.continual import ContinualRun, Rehearse
from cl3d.data import shapes40
from cl3d.distill import Budget, Training, checkpoint, load, presets
from cl3d.errors import InputError
from cl3d.models import PointNet

pytestmark = pytest.mark.filterwarnings("ignore:class .* are asked for")

SMALL = partial(PointNet, channels=(8, 16), head=(8,))
LARGE = 4000


@pytest.fixture(scope="module")
def dataset():
    return shapes40(num_points=32, num_classes=5, train_per_class=4, test_per_class=2)


def tiny_run(dataset) -> ContinualRun:
    condenser = replace(presets.dm(), iterations=3)
    strategy = Rehearse(Training(epochs=1, batch_size=8), memory_batch=4)
    return ContinualRun(dataset, SMALL, strategy, condenser, Budget(ppc=2), 3)


def outcome(folder: Path) -> dict[str, bytes]:
    files = [folder / "results.json", folder / "accuracy_matrix.csv", *(folder / "memory").glob("step_*")]
    return {file.name: file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def reference(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    tiny_run(dataset).start(folder)
    return folder


def footprint(folder: Path) -> int:
    """Kilobytes in whole pages."""
    return sum(-(-path.stat().st_size // 4096) * 4 for path in folder.rglob("*") if path.is_file())


def check_readable(folder: Path) -> None:
    """Every file that is there is whole, and nothing half-written is left."""
    for path in folder.rglob("*"):
        assert not path.name.startswith(".") or path.name == ".lock", f"{path} was left behind"
    for path in (folder / "memory").glob("*"):
        load(path)


def full_then_larger(dataset, disk: SmallDisk) -> None:
    folder = disk.folder / "run"
    with pytest.raises(InputError, match=r"No space left on device.*free space") as caught:
        tiny_run(dataset).start(folder)
    assert len(str(caught.value).splitlines()) == 1
    check_readable(folder)
    disk.change(kilobytes=LARGE)
    tiny_run(dataset).start(folder)


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_disk_that_gets_full_at_some_moment(dataset, reference, tmp_path, monkeypatch, part):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    with small_disk(tmp_path / "disk", max(4, int(part * footprint(reference)))) as disk:
        full_then_larger(dataset, disk)
        assert outcome(disk.folder / "run") == outcome(reference)


def test_the_simulated_disk_gives_the_same(dataset, reference, tmp_path):
    with simulated_disk(tmp_path / "disk", footprint(reference) // 2) as disk:
        full_then_larger(dataset, disk)
        assert outcome(disk.folder / "run") == outcome(reference)


def test_a_disk_that_is_closed_in_the_middle(dataset, reference, tmp_path):
    # simulated: the kernel closes no disk on which a file, here the lock, is open for writing
    with simulated_disk(tmp_path / "disk", LARGE) as disk:
        folder = disk.folder / "run"
        with pytest.raises(InputError, match=r"Read-only file system.*choose a writable folder"):
            tiny_run(dataset).start(folder, on_step=lambda step: disk.change(closed=True))
        check_readable(folder)
        assert len(list((folder / "memory").iterdir())) == 1
        disk.change(closed=False)
        tiny_run(dataset).start(folder)
        assert outcome(folder) == outcome(reference)


def test_a_disk_that_is_closed_between_two_sittings(dataset, reference, tmp_path):
    class Enough(Exception):
        pass

    def enough(step):
        raise Enough

    with small_disk(tmp_path / "disk", LARGE) as disk:
        folder = disk.folder / "run"
        with pytest.raises(Enough):
            tiny_run(dataset).start(folder, on_step=enough)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        disk.change(closed=True)
        shown: list[int] = []
        with pytest.raises(InputError, match=r"cannot write .*choose a writable folder"):
            tiny_run(dataset).start(folder, on_start=lambda: shown.append(1))
        assert {path: path.read_bytes() for path in before} == before
        disk.change(closed=False)
        tiny_run(dataset).start(folder)
        assert outcome(folder) == outcome(reference)
