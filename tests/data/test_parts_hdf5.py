"""ShapeNetPart and the labelled parts as HDF5: lists, classes, and parts that belong to their class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from cl3d.data import Dataset, labeled_parts, shapenetpart
from cl3d.data.shapenetpart import SHAPENETPART_CLASSES
from cl3d.errors import InputError

FIRST = np.cumsum([0, *SHAPENETPART_CLASSES.values()])


def write_file(
    path: Path, labels: Sequence[int], first: Sequence[int], column: bool, points: int = 24
) -> None:
    """The part of a point follows from whether x is positive, by which it is known again."""
    rng = np.random.default_rng(len(labels) + int(column))
    data = rng.standard_normal((len(labels), points, 3)).astype(np.float32)
    pid = np.array([first[label] for label in labels])[:, None] + (data[:, :, 0] > 0)
    with h5py.File(path, "w") as file:
        file["data"], file["pid"] = data, pid.astype(np.uint8)
        file["label"] = np.array(labels, np.uint8).reshape((-1, 1) if column else -1)


def write_shapenetpart(root: Path, within: str = "shapenet_part_seg_hdf5_data") -> Path:
    folder = root / within
    folder.mkdir(parents=True)
    for split, numbers, clouds in (("train", (0, 1), 16), ("val", (0,), 5), ("test", (0,), 16)):
        names = [f"ply_data_{split}{number}.h5" for number in numbers]
        # some lists give the folders of the machine where they were made
        (folder / f"{split}_hdf5_file_list.txt").write_text(
            "\n".join(f"./hdf5_data/{name}" for name in names)
        )
        for number, name in zip(numbers, names, strict=True):
            write_file(folder / name, range(clouds), FIRST.tolist(), column=number == 0)
    lines = [f"{name}\t{number:08d}" for number, name in enumerate(SHAPENETPART_CLASSES)]
    (folder / "all_object_categories.txt").write_text("\n".join(lines) + "\n")
    return root


def check_parts(dataset: Dataset) -> None:
    """Every part is one of its cloud's class, by name and by position."""
    for split in (dataset.train, dataset.test):
        assert split.parts is not None
        owners = [name.partition("/")[0] for name in dataset.part_names]
        for label, parts in zip(split.labels.tolist(), split.parts, strict=True):
            assert {owners[part] for part in parts.tolist()} == {dataset.class_names[label]}


@pytest.mark.parametrize(
    "within", ["shapenet_part_seg_hdf5_data", "shapenet_part_seg_hdf5_data/hdf5_data", "hdf5_data"]
)
def test_train_is_train_and_val(tmp_path: Path, within: str) -> None:
    dataset = shapenetpart(write_shapenetpart(tmp_path / "data", within), num_points=9, normalize=False)
    assert (len(dataset.train), len(dataset.test)) == (16 + 16 + 5, 16)
    assert dataset.train.labels.tolist() == [*range(16), *range(16), *range(5)]
    check_parts(dataset)
    assert dataset.train.parts is not None
    # parts are drawn along with their points
    assert torch.equal(dataset.train.parts % 2, (dataset.train.points[..., 0] > 0) ^ (first_odd(dataset)))


def first_odd(dataset: Dataset) -> torch.Tensor:
    return torch.tensor([FIRST[label] % 2 == 1 for label in dataset.train.labels]).unsqueeze(1)


def test_the_fifty_parts(tmp_path: Path) -> None:
    dataset = shapenetpart(write_shapenetpart(tmp_path), num_points=9)
    assert (dataset.num_classes, len(dataset.part_names)) == (16, 50)
    ranges = {
        "Airplane": (0, 3),
        "Chair": (12, 15),
        "Earphone": (16, 18),
        "Motorbike": (30, 35),
        "Table": (47, 49),
    }
    for name, (low, high) in ranges.items():
        of_class = [i for i, part in enumerate(dataset.part_names) if part.startswith(f"{name}/")]
        assert of_class == list(range(low, high + 1))
    assert dataset.part_names[12:14] == ("Chair/1", "Chair/2")


def damage(root: Path, key: str, value: object) -> None:
    with h5py.File(root / "shapenet_part_seg_hdf5_data" / "ply_data_train1.h5", "r+") as file:
        if value is None:
            del file[key]
        elif isinstance(value, np.ndarray):
            del file[key]
            file[key] = value
        else:
            file[key][2, 7] = value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, r"point 7 of cloud 2 has part 5, but the parts of its class 2 are \[6, 7\]"),
        (50, "point 7 of cloud 2 has part 50"),
        (None, "has no dataset 'pid'"),
        (
            np.zeros((16, 23), np.uint8),
            r"'pid' is uint8 of shape \(16, 23\); give integers of shape \(16, 24\)",
        ),
        (np.zeros((16, 24), np.float32), "'pid' is float32"),
    ],
)
def test_parts_that_cannot_be(tmp_path: Path, value: object, message: str) -> None:
    damage(write_shapenetpart(tmp_path), "pid", value)
    with pytest.raises(InputError, match=rf"ply_data_train1\.h5.* ?{message}"):
        shapenetpart(tmp_path, num_points=9)


def test_other_classes_are_refused(tmp_path: Path) -> None:
    listed = write_shapenetpart(tmp_path) / "shapenet_part_seg_hdf5_data" / "all_object_categories.txt"
    lines = listed.read_text().splitlines()
    listed.write_text("\n".join(lines[::-1]))
    with pytest.raises(InputError, match=r"lists Table, .* not the classes of ShapeNetPart in their order"):
        shapenetpart(tmp_path)


def test_absent_releases(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"shapenet_part_seg_hdf5_data, .*https://shapenet\.org, sign up"):
        shapenetpart(tmp_path)
    with pytest.raises(InputError, match=r"shapenetcore_partanno_segmentation_benchmark_v0, .*sign up"):
        shapenetpart(tmp_path, layout="text")
    with pytest.raises(InputError, match="layout is 'off'; give one of auto, hdf5, text"):
        shapenetpart(tmp_path, layout="off")
    with pytest.raises(InputError, match=r"labeled_parts_hdf5.*LabelMeshes"):
        labeled_parts(tmp_path)


def write_labeled(root: Path, parts: str = "Ant/leg\nAnt/head\nCup/handle\nCup/body\n") -> Path:
    folder = root / "labeled_parts_hdf5"
    folder.mkdir()
    (folder / "all_object_categories.txt").write_text("Ant\t00000000\nCup\t00000001\n")
    (folder / "part_names.txt").write_text(parts)
    for split in ("train", "test"):
        (folder / f"{split}_hdf5_file_list.txt").write_text(f"ply_data_{split}0.h5\n")
        write_file(folder / f"ply_data_{split}0.h5", [0, 1, 1], [0, 2], column=True)
    return root


def test_labeled_parts_take_their_names_from_the_lists(tmp_path: Path) -> None:
    dataset = labeled_parts(write_labeled(tmp_path), num_points=9)
    assert dataset.class_names == ("Ant", "Cup")
    assert dataset.part_names == ("Ant/leg", "Ant/head", "Cup/handle", "Cup/body")
    assert dataset.train.labels.tolist() == [0, 1, 1]
    check_parts(dataset)
    (tmp_path / "labeled_parts_hdf5" / "part_names.txt").write_text("Ant/a\nAnt/b\nCup/c\nCup/d\n")
    assert labeled_parts(tmp_path, num_points=9).part_names[0] == "Ant/a"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ("Ant/leg\nBee/wing\n", "part_names.txt names 'Bee/wing'"),
        ("Ant/leg\nAnt\n", "part_names.txt names 'Ant'"),
        ("Ant/leg\nAnt/head\n", r"has part 2, but the parts of its class 1 are \[\]"),
        ("", "part_names.txt is empty"),
    ],
)
def test_part_names_that_do_not_fit(tmp_path: Path, parts: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        labeled_parts(write_labeled(tmp_path, parts), num_points=9)


def test_real_parts(real_data: Path) -> None:
    dataset = labeled_parts(real_data, num_points=512)
    assert (len(dataset.train), len(dataset.test)) == (228, 152)
    assert (dataset.num_classes, len(dataset.part_names)) == (19, 94)
    assert set(dataset.train.clouds_of_each_class()) == {12}
    assert set(dataset.test.clouds_of_each_class()) == {8}
    check_parts(dataset)
    again = labeled_parts(real_data, num_points=512, cache=False)
    assert again.fingerprint() == dataset.fingerprint()
    assert torch.equal(again.train.parts, dataset.train.parts)
