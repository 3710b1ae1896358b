"""ModelNet40 and ModelNet10: the real release where present, and small ones in its layout."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from cl3d.clouds import concatenate, normalize
from cl3d.data import modelnet
from cl3d.data.dataset import Dataset
from cl3d.data.hdf5 import read_file
from cl3d.data.modelnet import MODELNET10_CLASSES, modelnet10, modelnet40
from cl3d.errors import InputError
from cl3d.random import generator
from cl3d.rotations import random_rotations, rotate

FOLDER = "modelnet40_ply_hdf5_2048"
# not in alphabetical order, and with classes that ModelNet10 lacks in between
NAMES = ["vase", *reversed(MODELNET10_CLASSES), "airplane"]
PER_FILE = 2 * len(NAMES)
POINTS = 16


def stored(file: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """What a synthetic release holds in a file: two clouds of each class, off the centre."""
    rng = np.random.default_rng(sum(file.encode()))
    data = rng.standard_normal((PER_FILE, POINTS, 3)).astype(np.float32) + 3
    return data, rng.permutation(PER_FILE).astype(np.uint8) % len(NAMES)


def write_release(root: Path, column: bool = True, prefix: str = f"data/{FOLDER}/") -> Path:
    folder = root / FOLDER
    folder.mkdir(parents=True)
    (folder / "shape_names.txt").write_text("\n".join(NAMES) + "\n")
    for split, count in (("train", 2), ("test", 1)):
        files = [f"ply_data_{split}{i}.h5" for i in range(count)]
        (folder / f"{split}_files.txt").write_text("".join(f"{prefix}{name}\n" for name in files) + "\n")
        for name in files:
            data, label = stored(name)
            with h5py.File(folder / name, "w") as file:
                file["data"] = data
                file["label"] = label.reshape(-1, 1) if column else label
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_release(tmp_path)


def stored_train() -> tuple[torch.Tensor, torch.Tensor]:
    parts = [stored(f"ply_data_train{i}.h5") for i in range(2)]
    data, label = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return torch.from_numpy(data), torch.from_numpy(label.astype(np.int64))


@pytest.fixture(scope="session")
def real40(real_data: Path) -> Dataset:
    return modelnet40(real_data, download=False)


@pytest.fixture(scope="session")
def real10(real_data: Path) -> Dataset:
    return modelnet10(real_data / FOLDER, download=False)


def test_the_real_modelnet40_has_its_official_split(real40: Dataset) -> None:
    assert (len(real40.train), len(real40.test), real40.num_classes) == (9843, 2468, 40)
    assert real40.name == "modelnet40"
    assert real40.class_names[:2] == ("airplane", "bathtub")
    assert real40.class_names[-1] == "xbox"
    assert real40.train.classes == real40.test.classes == list(range(40))
    assert real40.train.num_points == 1024
    assert real40.train.parts is None
    assert real40.part_names == ()


def test_the_real_modelnet10_is_its_part_of_modelnet40(real10: Dataset, real40: Dataset) -> None:
    assert (len(real10.train), len(real10.test), real10.num_classes) == (3991, 908, 10)
    assert real10.name == "modelnet10"
    old = [real40.class_names.index(name) for name in real10.class_names]
    for ten, forty in ((real10.train, real40.train), (real10.test, real40.test)):
        subset = forty.of_classes(old)
        assert torch.equal(ten.points, subset.points)
        assert [old[label] for label in ten.labels.tolist()] == subset.labels.tolist()


def test_the_real_clouds_are_normalised(real40: Dataset) -> None:
    points = real40.test.points
    assert points.mean(dim=1).abs().max() < 1e-6
    assert torch.allclose(points.norm(dim=2).amax(dim=1), torch.ones(len(points)), atol=1e-6)


@pytest.mark.parametrize("settings", [{"num_points": 256}, {"num_points": 255, "rotation": "so3", "seed": 3}])
def test_the_real_clouds_are_drawn_as_in_published_figures(real_data: Path, settings: dict[str, Any]) -> None:
    seed, num_points = settings.get("seed", 0), settings["num_points"]
    dataset = modelnet40(real_data, download=False, **settings)
    files = [real_data / FOLDER / f"ply_data_test{i}.h5" for i in range(2)]
    stored = concatenate([read_file(path, 40) for path in files])
    expected = stored.resample(num_points, generator(seed, "points", "modelnet40", "test"))
    points = normalize(expected.points)
    if "rotation" in settings:
        turns = random_rotations(len(points), generator(seed, "rotation", "modelnet40", "test"))
        points = rotate(points, turns)
    assert torch.equal(dataset.test.points, points)
    assert torch.equal(dataset.test.labels, expected.labels)


@pytest.mark.parametrize("column", [True, False])
@pytest.mark.parametrize("prefix", [f"data/{FOLDER}/", "/home/someone/", "./", ""])
def test_reads_the_released_layout(tmp_path: Path, column: bool, prefix: str) -> None:
    write_release(tmp_path, column, prefix)
    dataset = modelnet40(tmp_path, num_points=POINTS)
    points, labels = stored_train()
    assert dataset.class_names == tuple(NAMES)
    assert torch.equal(dataset.train.labels, labels)
    assert torch.equal(dataset.train.points, normalize(points))
    assert len(dataset.test) == PER_FILE


def test_the_root_may_be_the_folder_itself_or_come_from_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = modelnet40(folder, num_points=4).fingerprint()
    monkeypatch.setenv("CL3D_DATA", str(folder.parent))
    assert modelnet40(num_points=4).fingerprint() == given
    assert modelnet40(str(folder), num_points=4).fingerprint() == given


def test_points_are_chosen_from_the_stored_ones_by_the_seed(folder: Path) -> None:
    whole = normalize(stored_train()[0])
    first, again, other = (modelnet40(folder, num_points=5, seed=seed).train.points for seed in (1, 1, 2))
    assert first.shape == (2 * PER_FILE, 5, 3)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    # the shapes agree up to the position and scale that five points of sixteen have
    for chosen, cloud in zip(first, whole, strict=True):
        scale = torch.pdist(chosen).max()
        spread = torch.cdist(cloud, cloud)
        distances = torch.pdist(chosen) / scale
        assert any(
            all((spread / limit - d).abs().min() < 1e-4 for d in distances)
            for limit in spread[spread > 0].tolist()
        )


def test_train_and_test_are_drawn_independently(folder: Path) -> None:
    # the same file in both splits: only the draw differs
    (folder / "test_files.txt").write_text("ply_data_train0.h5\nply_data_train1.h5\n")
    dataset = modelnet40(folder, num_points=5)
    assert torch.equal(dataset.train.labels, dataset.test.labels)
    assert not torch.equal(dataset.train.points, dataset.test.points)


@pytest.mark.parametrize("rotation", ["y", "so3"])
def test_rotations_turn_each_cloud_by_its_own(folder: Path, rotation: str) -> None:
    aligned = modelnet40(folder, num_points=POINTS)
    turned = modelnet40(folder, num_points=POINTS, rotation=rotation)
    for before, after in ((aligned.train, turned.train), (aligned.test, turned.test)):
        # the rotation of each cloud, by least squares
        found = torch.linalg.lstsq(before.points.double(), after.points.double()).solution.mT
        eye = torch.eye(3, dtype=torch.float64).expand_as(found)
        assert torch.allclose(found @ found.mT, eye, atol=1e-5)
        assert torch.allclose(torch.linalg.det(found), torch.ones(len(found), dtype=torch.float64), atol=1e-5)
        assert len(found.reshape(len(found), -1).round(decimals=3).unique(dim=0)) == len(found)
        assert torch.allclose(after.points[..., 1], before.points[..., 1], atol=1e-6) == (rotation == "y")
        assert torch.equal(after.labels, before.labels)
    assert turned.fingerprint() == modelnet40(folder, num_points=POINTS, rotation=rotation).fingerprint()
    assert (
        turned.fingerprint() != modelnet40(folder, num_points=POINTS, rotation=rotation, seed=1).fingerprint()
    )


@pytest.mark.parametrize("rotation", [None, "y", "so3"])
@pytest.mark.parametrize("num_points", [5, POINTS])
def test_modelnet10_has_the_same_clouds(folder: Path, num_points: int, rotation: str | None) -> None:
    ten = modelnet10(folder, num_points=num_points, seed=3, rotation=rotation)
    forty = modelnet40(folder, num_points=num_points, seed=3, rotation=rotation)
    assert ten.class_names == MODELNET10_CLASSES == tuple(sorted(MODELNET10_CLASSES))
    assert ten.train.classes == list(range(10))
    for small, large in ((ten.train, forty.train), (ten.test, forty.test)):
        kept = torch.tensor([forty.class_names[label] in MODELNET10_CLASSES for label in large.labels])
        assert torch.equal(small.points, large.points[kept])
        assert [ten.class_names[label] for label in small.labels] == [
            forty.class_names[label] for label in large.labels[kept]
        ]


def test_a_modelnet10_class_without_a_name_is_named(folder: Path) -> None:
    names = ["couch" if name == "sofa" else name for name in NAMES]
    (folder / "shape_names.txt").write_text("\n".join(names))
    with pytest.raises(InputError, match="lack sofa of modelnet10"):
        modelnet10(folder, num_points=4)


@pytest.mark.parametrize("load", [modelnet40, modelnet10])
def test_more_points_than_stored_says_how_many_there_are(folder: Path, load: Any) -> None:
    with pytest.raises(InputError, match="num_points is 17, but the clouds have 16 points"):
        load(folder, num_points=17)


@pytest.mark.parametrize("num_points", [0, -1])
def test_no_points_are_refused(tmp_path: Path, num_points: int) -> None:
    with pytest.raises(InputError, match="give a whole number from 1"):
        modelnet40(tmp_path, num_points=num_points)


@pytest.mark.parametrize("rotation", ["z", "SO3", "", "aligned"])
def test_other_rotations_are_refused_before_anything_is_read(tmp_path: Path, rotation: str) -> None:
    with pytest.raises(InputError, match=r"give None \(aligned, as stored\), 'y'"):
        modelnet40(tmp_path, rotation=rotation)


@pytest.mark.parametrize(
    "name", ["train_files.txt", "test_files.txt", "shape_names.txt", "ply_data_train1.h5"]
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{FOLDER}/{name}"):
        modelnet40(folder.parent, num_points=4, download=False)


@pytest.mark.parametrize("name", ["train_files.txt", "test_files.txt", "shape_names.txt"])
@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe\x00"])
def test_a_list_without_text_is_named(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        modelnet40(folder, num_points=4)


def test_a_label_without_a_name_is_found(folder: Path) -> None:
    (folder / "shape_names.txt").write_text("\n".join(NAMES[:-1]))
    with pytest.raises(InputError, match=r"ply_data_train0\.h5: cloud \d+ has label 11, but there are 11"):
        modelnet40(folder, num_points=4)


def test_a_truncated_file_is_named(folder: Path) -> None:
    path = folder / "ply_data_test0.h5"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match=r"ply_data_test0\.h5 is truncated"):
        modelnet40(folder, num_points=4)


def test_an_absent_release_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        modelnet10(tmp_path, download=False)
    for part in (
        "https://modelnet.cs.princeton.edu",
        "https://shapenet.cs.stanford.edu/media/modelnet40_ply_hdf5_2048.zip",
        str(tmp_path / FOLDER),
        "dataset=shapes40",
    ):
        assert part in str(caught.value)


def test_a_release_that_is_unpacked_on_the_way_is_the_same(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path_factory.mktemp("root")
    with zipfile.ZipFile(root / f"{FOLDER}.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"{FOLDER}/{path.name}")
    md5 = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    files = dict.fromkeys(("train_files.txt", "test_files.txt", "shape_names.txt")) | {
        name: value for name, value in md5.items() if name.endswith(".h5")
    }
    monkeypatch.setattr(modelnet, "RELEASE", replace(modelnet.RELEASE, files=files))
    assert modelnet40(root, num_points=4).fingerprint() == modelnet40(folder, num_points=4).fingerprint()


def test_the_hashes_are_those_of_the_seven_published_files() -> None:
    hashes = [value for name, value in modelnet.RELEASE.files.items() if name.endswith(".h5")]
    assert len(set(hashes)) == len(hashes) == 7
    assert all(value is not None and len(value) == 32 for value in hashes)
