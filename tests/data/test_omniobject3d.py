"""OmniObject3D: folders that lack their file, classes that are too small, and the seeded split."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from formats.format_writers import ply

from cl3d.data import Dataset, omniobject3d
from cl3d.errors import InputError, Note

COUNTS = {"apple": 20, "ball": 16, "cup": 15, "dish": 5, "egg": 3, "fan": 1}


def write(
    root: Path,
    counts: Mapping[str, int] = COUNTS,
    resolution: int = 1024,
    points: int = 12,
    within: str = "OmniObject3D/point_clouds/ply_files",
) -> Path:
    """Clouds whose x coordinates are all different, by which they are known again."""
    for label, (name, count) in enumerate(counts.items()):
        for number in range(count):
            folder = root / within / str(resolution) / name / f"{name}_{number + 1:03d}"
            folder.mkdir(parents=True)
            cloud = np.random.default_rng([label, number]).standard_normal((points, 3)).astype(np.float32)
            (folder / f"pcd_{resolution}.ply").write_bytes(ply(cloud))
    return root


def write_hdf5(root: Path, counts: Mapping[str, int] = COUNTS, points: int = 12) -> Path:
    """The same clouds, in double precision."""
    folder = root / "OmniObject3D/point_clouds/hdf5_files/1024"
    folder.mkdir(parents=True)
    for label, (name, count) in enumerate(counts.items()):
        drawn = [np.random.default_rng([label, i]).standard_normal((points, 3)) for i in range(count)]
        with h5py.File(folder / f"{name}_1024.hdf5", "w") as file:
            file["data"] = np.stack(drawn)
    return root


def clouds(dataset: Dataset, split: str, name: str) -> set[bytes]:
    part = getattr(dataset, split).of_class(dataset.class_names.index(name))
    return {cloud.numpy().tobytes() for cloud in part.points}


def load(root: Path, **options) -> Dataset:
    return omniobject3d(root, num_points=12, normalize=False, **options)


def test_classes_with_enough_clouds(tmp_path: Path) -> None:
    dataset = load(write(tmp_path))
    assert dataset.class_names == ("apple", "ball")  # a fifth of 15 is 3
    assert dataset.train.clouds_of_each_class() == [16, 12]
    assert dataset.test.clouds_of_each_class() == [4, 4]
    fewer = load(tmp_path, min_test=3)
    assert fewer.class_names == ("apple", "ball", "cup")
    assert fewer.test.clouds_of_each_class() == [4, 4, 3]


def test_every_class(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.warns(Note, match="2 classes have fewer than 4 test clouds, .*: egg, fan"):
        dataset = load(tmp_path, classes="all")
    assert dataset.class_names == tuple(COUNTS)
    assert [len(clouds(dataset, "test", name)) for name in COUNTS] == [4, 4, 4, 4, 2, 0]
    assert [len(clouds(dataset, "train", name)) for name in COUNTS] == [16, 12, 11, 1, 1, 1]


ENOUGH = {"enough": ("apple", "ball"), "all": ("apple", "ball", "cup")}


@pytest.mark.parametrize("classes", ENOUGH)
def test_nothing_is_said_where_all_is_well(tmp_path: Path, classes: str) -> None:
    write(tmp_path, {"apple": 20, "ball": 16, "cup": 5 if classes == "all" else 15})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(tmp_path, classes=classes).class_names == ENOUGH[classes]


def test_the_split_is_disjoint_and_seeded(tmp_path: Path) -> None:
    first, second = load(write(tmp_path)), load(tmp_path, cache=False)
    assert first.fingerprint() == second.fingerprint()
    for name in first.class_names:
        assert not clouds(first, "train", name) & clouds(first, "test", name)
        assert len(clouds(first, "train", name) | clouds(first, "test", name)) == COUNTS[name]
    other = load(tmp_path, split_seed=1)
    assert clouds(other, "test", "apple") != clouds(first, "test", "apple")
    assert load(tmp_path, seed=1).fingerprint() == first.fingerprint()  # the split is apart from the seed


def test_other_classes_do_not_change_the_split(tmp_path: Path) -> None:
    before = load(write(tmp_path))
    write(tmp_path, {"aardvark": 17})
    after = load(tmp_path)
    assert after.class_names == ("aardvark", "apple", "ball")
    for split in ("train", "test"):
        for name in before.class_names:
            assert clouds(after, split, name) == clouds(before, split, name)


def test_folders_without_their_file_are_counted(tmp_path: Path) -> None:
    write(tmp_path)
    folder = tmp_path / "OmniObject3D" / "point_clouds" / "ply_files" / "1024"
    (folder / "apple" / "apple_004" / "pcd_1024.ply").unlink()
    for number in range(4, 17):
        (folder / "ball" / f"ball_{number:03d}" / "pcd_1024.ply").unlink()
    with pytest.warns(Note, match=r"14 of 60 folders have no pcd_1024\.ply and are left out"):
        dataset = load(tmp_path)
    assert dataset.class_names == ("apple",)
    assert len(dataset.train) + len(dataset.test) == 19


@pytest.mark.parametrize("resolution", [4096, 16384])
@pytest.mark.parametrize("within", ["point_clouds/ply_files", "OmniObject3D/raw/point_clouds/ply_files"])
def test_other_resolutions_and_places(tmp_path: Path, resolution: int, within: str) -> None:
    write(tmp_path, {"apple": 20}, resolution, points=16, within=within)
    dataset = omniobject3d(tmp_path, resolution=resolution, num_points=5)
    assert dataset.train.points.shape == (16, 5, 3)
    assert float(dataset.train.points.norm(dim=2).max()) <= 1 + 1e-6
    with pytest.raises(InputError, match=r"1024 has no files <class>/<object>/pcd_1024\.ply"):
        omniobject3d(tmp_path)


def test_points_do_not_hang_on_the_place(tmp_path: Path) -> None:
    first = omniobject3d(write(tmp_path / "a"), num_points=6, rotation="so3")
    second = omniobject3d(write(tmp_path / "b"), num_points=6, rotation="so3")
    assert torch.equal(first.train.points, second.train.points)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 2048}, "resolution=2048: give one of 1024, 4096, 16384"),
        ({"classes": "most"}, "classes='most': give 'enough' .* or 'all'"),
        ({"min_test": 0}, "min_test=0: give a whole number from 1"),
        ({"split_seed": 0.5}, "split_seed=0.5: give a whole number from 0"),
        ({"min_test": 5}, "no class with 5 test clouds among a fifth of its objects: .* give classes=all"),
        ({"num_points": 13}, "num_points is 13, but the clouds have 12"),
    ],
)
def test_other_settings_are_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        omniobject3d(write(tmp_path), **options)


def test_damage_and_absence_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"OmniObject3D is not in .*//omniobject3d\.github\.io, sign up"):
        omniobject3d(tmp_path)
    write(tmp_path)
    path = next(tmp_path.glob("*/*/*/*/ball/ball_007/*.ply"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"ball_007/pcd_1024\.ply"):
        load(tmp_path)


@pytest.mark.parametrize("classes", ["enough", "all"])
@pytest.mark.filterwarnings("ignore:omniobject3d")
def test_the_hdf5_files_hold_the_same_clouds(tmp_path: Path, classes: str) -> None:
    ply = load(write(tmp_path / "ply"), classes=classes)
    hdf5 = load(write_hdf5(tmp_path / "hdf5"), classes=classes)
    assert hdf5.class_names == ply.class_names
    for split in ("train", "test"):
        of_ply, of_hdf5 = getattr(ply, split), getattr(hdf5, split)
        assert of_hdf5.clouds_of_each_class() == of_ply.clouds_of_each_class()
    for name in ply.class_names:
        both = [clouds(data, "train", name) | clouds(data, "test", name) for data in (ply, hdf5)]
        assert both[0] == both[1]
    write(tmp_path / "hdf5")
    assert load(tmp_path / "hdf5", classes=classes).fingerprint() == ply.fingerprint(), "ply comes first"
    again = load(tmp_path / "hdf5", classes=classes, layout="hdf5", cache=False)
    assert again.fingerprint() == hdf5.fingerprint()
    other = load(tmp_path / "hdf5", classes=classes, layout="hdf5", split_seed=1)
    assert clouds(other, "test", "apple") != clouds(hdf5, "test", "apple")


def test_hdf5_files_that_cannot_be_used(tmp_path: Path) -> None:
    folder = write_hdf5(tmp_path) / "OmniObject3D/point_clouds/hdf5_files/1024"
    with h5py.File(folder / "ball_1024.hdf5", "a") as file:
        file["data"][7, 3, 1] = np.nan
    with pytest.raises(InputError, match=r"ball_1024\.hdf5: cloud 7 has NaN"):
        load(tmp_path)
    (folder / "ball_1024.hdf5").write_bytes((folder / "ball_1024.hdf5").read_bytes()[:900])
    with pytest.raises(InputError, match=r"ball_1024\.hdf5 is truncated or corrupt"):
        load(tmp_path)
    with h5py.File(folder / "ball_1024.hdf5", "w") as file:
        file.create_dataset("data", (1 << 40, 12, 3), np.float64, chunks=(2, 12, 3))[:2] = 1
    with pytest.raises(InputError, match=r"ball_1024\.hdf5 is .* bytes are promised, far more than"):
        load(tmp_path)
    with h5py.File(folder / "ball_1024.hdf5", "w") as file:
        file["points"] = np.ones((5, 12, 3))
    with pytest.raises(InputError, match=r"ball_1024\.hdf5 has no dataset 'data' of shape"):
        load(tmp_path)
    (folder / "apple_1024.hdf5").write_bytes(b"")
    with pytest.raises(InputError, match=r"(?s)apple_1024\.hdf5 .*\n.*ball_1024\.hdf5 has no"):
        load(tmp_path)  # each of them is named
    with pytest.raises(InputError, match=r"4096 has no files <class>_4096\.hdf5"):
        load(tmp_path, resolution=4096, layout="hdf5")
    with pytest.raises(InputError, match="layout is 'h5'; give one of auto, ply, hdf5"):
        load(tmp_path, layout="h5")
