"""ShapeNet-55: a .npy per shape, in the order of its lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cl3d.data import shapenet55
from cl3d.data.shapenet55 import SHAPENET55_CLASSES
from cl3d.errors import InputError

SYNSETS = list(SHAPENET55_CLASSES)


def write(root: Path, points: int = 32) -> Path:
    """Two train shapes and one test shape of each class, train in reverse order."""
    folder = root / "ShapeNet55-34"
    (folder / "ShapeNet-55").mkdir(parents=True)
    (folder / "shapenet_pc").mkdir()
    rng = np.random.default_rng(0)
    for split, count in (("train", 2), ("test", 1)):
        names = [f"{synset}-{split}{number}.npy" for synset in SYNSETS[::-1] for number in range(count)]
        for name in names:
            np.save(folder / "shapenet_pc" / name, rng.standard_normal((points, 3)).astype(np.float32))
        (folder / "ShapeNet-55" / f"{split}.txt").write_text("\n".join(names) + "\n")
    return root


def test_all_classes(tmp_path: Path) -> None:
    dataset = shapenet55(write(tmp_path), num_points=32, normalize=False)
    assert (len(dataset.train), len(dataset.test), dataset.num_classes) == (110, 55, 55)
    assert dataset.test.labels.tolist() == list(range(54, -1, -1))
    assert (dataset.class_names[0], dataset.class_names[54]) == ("airplane", "washer")
    assert len(set(dataset.class_names)) == 55
    stored = np.load(tmp_path / "ShapeNet55-34" / "shapenet_pc" / f"{SYNSETS[-1]}-train0.npy")
    assert torch.equal(dataset.train.points[0], torch.from_numpy(stored))


def test_a_cloud_that_goes_changes_no_other(tmp_path: Path) -> None:
    before = shapenet55(write(tmp_path), num_points=8, rotation="y")
    listed = tmp_path / "ShapeNet55-34" / "ShapeNet-55" / "train.txt"
    lines = listed.read_text().splitlines()
    listed.write_text("\n".join(lines[1:]))
    after = shapenet55(tmp_path / "ShapeNet55-34", num_points=8, rotation="y")
    assert torch.equal(after.train.points, before.train.points[1:])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("00000000-a.npy", "names '00000000-a.npy'; give <synset>-<model>.npy"),
        (f"{SYNSETS[0]}-/../a.npy", "give <synset>-<model>.npy"),
        (f"{SYNSETS[0]}-gone.npy", r"02691156-gone\.npy cannot be found"),
        ("", r"train\.txt is empty"),
    ],
)
def test_lists_that_cannot_be_used(tmp_path: Path, line: str, message: str) -> None:
    (write(tmp_path) / "ShapeNet55-34" / "ShapeNet-55" / "train.txt").write_text(f"{line}\n")
    with pytest.raises(InputError, match=message):
        shapenet55(tmp_path, num_points=8)


def test_damage_and_absence_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ShapeNet55-34, .*https://github\.com/.*that folder"):
        shapenet55(tmp_path)
    folder = write(tmp_path) / "ShapeNet55-34" / "shapenet_pc"
    np.save(folder / f"{SYNSETS[7]}-test0.npy", np.ones((31, 3), np.float32) * np.arange(31)[:, None])
    with pytest.raises(InputError, match=f"{SYNSETS[7]}-test0"):
        shapenet55(tmp_path, num_points=8)
    (folder / f"{SYNSETS[7]}-test0.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match=f"{SYNSETS[7]}-test0"):
        shapenet55(tmp_path, num_points=8)
