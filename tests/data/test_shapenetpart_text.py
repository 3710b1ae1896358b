"""ShapeNetPart in its text layout: a file of points and one of parts per shape."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from test_parts_hdf5 import FIRST, check_parts, write_shapenetpart

from cl3d.data import shapenetpart
from cl3d.data.shapenetpart import SHAPENETPART_CLASSES
from cl3d.errors import InputError

FOLDER = "shapenetcore_partanno_segmentation_benchmark_v0"
SYNSETS = {name: f"{number:08d}" for number, name in enumerate(SHAPENETPART_CLASSES)}


def write_shape(folder: Path, synset: str, shape: str, points: int, num_parts: int) -> None:
    rng = np.random.default_rng(points)
    for kind in ("points", "points_label"):
        (folder / synset / kind).mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / synset / "points" / f"{shape}.pts", rng.standard_normal((points, 3)), fmt="%.5f")
    rows = "".join(f"{i % num_parts + 1}\n" for i in range(points))
    (folder / synset / "points_label" / f"{shape}.seg").write_text(rows)


def write(root: Path) -> Path:
    folder = root / FOLDER
    lists: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for number, (name, synset) in enumerate(SYNSETS.items()):
        for split, listed in lists.items():
            if split == "val" and number > 2:
                continue
            write_shape(folder, synset, f"{split}{number}", 20 + number, SHAPENETPART_CLASSES[name])
            listed.append(f"shape_data/{synset}/{split}{number}")
    (folder / "synsetoffset2category.txt").write_text("".join(f"{n}\t{s}\n" for n, s in SYNSETS.items()))
    (folder / "train_test_split").mkdir()
    for split, listed in lists.items():
        path = folder / "train_test_split" / f"shuffled_{split}_file_list.json"
        path.write_text(json.dumps(listed[::-1]))
    return root


def test_shapes_of_the_lists_in_their_order(tmp_path: Path) -> None:
    dataset = shapenetpart(write(tmp_path), num_points=16)
    assert (len(dataset.train), len(dataset.test)) == (16 + 3, 16)
    assert dataset.train.labels.tolist() == [*range(15, -1, -1), 2, 1, 0]
    assert dataset.class_names == tuple(SHAPENETPART_CLASSES)
    assert len(dataset.part_names) == 50
    check_parts(dataset)


def test_parts_count_on_from_class_to_class(tmp_path: Path) -> None:
    dataset = shapenetpart(write(tmp_path), num_points=20)
    chair = dataset.train.of_class(4)
    assert chair.parts is not None
    assert chair.parts.unique().tolist() == [12, 13, 14, 15]
    for label, parts in enumerate(SHAPENETPART_CLASSES.values()):
        found = dataset.test.of_class(label).parts
        assert found is not None
        assert found.unique().tolist() == list(range(FIRST[label], FIRST[label] + parts))


def test_clouds_with_fewer_points_have_some_again(tmp_path: Path) -> None:
    dataset = shapenetpart(write(tmp_path), num_points=30, normalize=False)
    assert dataset.train.num_points == 30
    assert len(dataset.test.points[-1].unique(dim=0)) == 20


def test_hdf5_comes_first(tmp_path: Path) -> None:
    write(write_shapenetpart(tmp_path))
    chosen = {
        layout: len(shapenetpart(tmp_path, num_points=9, layout=layout).train) for layout in ("auto", "text")
    }
    assert chosen == {"auto": 37, "text": 19}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("1\n" * 20 + "\n1\n", "has the parts of 21 points, but there are 20: get both files again"),
        ("1\n" * 19 + "5\n", "part 19 is '5'; the parts of its class are 1 to 4"),
        ("0\n" * 20, "part 0 is '0'; the parts of its class are 1 to 4"),
        ("1.0\n" * 20, "part 0 is '1.0'"),
        ("", "has the parts of 0 points"),
        ("\xe9" * 20, "cannot be read"),
    ],
)
def test_parts_that_do_not_fit(tmp_path: Path, change: str, message: str) -> None:
    path = write(tmp_path) / FOLDER / SYNSETS["Airplane"] / "points_label" / "train0.seg"
    path.write_text(change, encoding="utf-8")
    with pytest.raises(InputError, match=rf"train0\.seg.*{message}"):
        shapenetpart(tmp_path, num_points=9)


def test_changed_parts_are_noticed(tmp_path: Path) -> None:
    before = shapenetpart(write(tmp_path), num_points=20)
    path = tmp_path / FOLDER / SYNSETS["Airplane"] / "points_label" / "test0.seg"
    path.write_text("4\n" * 20)
    after = shapenetpart(tmp_path, num_points=20)
    assert after.test.of_class(0).parts.unique().tolist() == [3]
    assert not torch.equal(after.test.parts, before.test.parts)


def test_lists_that_cannot_be_used(tmp_path: Path) -> None:
    folder = write(tmp_path) / FOLDER
    listed = folder / "train_test_split" / "shuffled_val_file_list.json"
    for content, message in (
        ('["shape_data/99999999/a"]', "names 'shape_data/99999999/a', which is of none of the classes"),
        ('{"a": 1}', "holds no list of names"),
        ("[", "cannot be read"),
        (f'["shape_data/{SYNSETS["Bag"]}/gone"]', r"gone\.pts cannot be found"),
    ):
        listed.write_text(content)
        with pytest.raises(InputError, match=message):
            shapenetpart(tmp_path, num_points=9)
    listed.unlink()
    with pytest.raises(InputError, match=r"shuffled_val_file_list\.json cannot be read"):
        shapenetpart(tmp_path, num_points=9)
    (folder / "synsetoffset2category.txt").write_text("Bag\t1\n")
    with pytest.raises(
        InputError, match=r"synsetoffset2category\.txt does not list the classes Airplane, Bag"
    ):
        shapenetpart(tmp_path, num_points=9)


def test_real_shapes(real_data: Path, tmp_path: Path) -> None:
    """One shape per class, all in the list of train: some are listed for testing here."""
    shutil.copytree(real_data / "fixtures" / FOLDER, tmp_path / FOLDER)
    lists = tmp_path / FOLDER / "train_test_split"
    shapes = json.loads((lists / "shuffled_train_file_list.json").read_text())
    (lists / "shuffled_val_file_list.json").write_text("[]")
    (lists / "shuffled_test_file_list.json").write_text(json.dumps(shapes[:3]))
    dataset = shapenetpart(tmp_path)
    assert dataset.train.labels.tolist() == list(range(16))
    assert dataset.test.labels.tolist() == [0, 1, 2]
    assert dataset.duplicates is not None
    assert dataset.duplicates.test_in_train == 3
    check_parts(dataset)
    plane = shapenetpart(tmp_path, num_points=2488, normalize=False).train[:1]
    wings = plane.points[plane.parts == 1]  # the second part of an airplane
    assert (wings.amax(dim=0) - wings.amin(dim=0)).tolist() == pytest.approx([0.13, 0.06, 0.72], abs=0.02)
