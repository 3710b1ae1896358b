"""A user's own folder: every format, given and drawn splits, and what cannot be used."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from formats.format_writers import npy, obj, off, pcd, ply, stl_binary, text

from cl3d.clouds import normalize
from cl3d.data import Dataset, folder
from cl3d.errors import InputError, Note

CORNERS = np.array([[0, 0, 0], [2, 0, 0], [0, 0, 1], [2, 0, 1]], np.float32)
TRIANGLES = [[0, 1, 2], [1, 3, 2]]


def cloud(seed: int, points: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((points, 3)).astype(np.float32)


CLOUDS: dict[str, Callable[[np.ndarray], bytes]] = {
    "ply": ply,
    "off": off,
    "pcd": lambda points: pcd(points, "binary_compressed"),
    "pts": text,
    "txt": lambda points: text(points, ","),
    "xyz": text,
    "NPY": npy,
}
MESHES = {
    "ply": ply(CORNERS, TRIANGLES),
    "off": off(CORNERS, TRIANGLES),
    "obj": obj(CORNERS, TRIANGLES),
    "stl": stl_binary(CORNERS[TRIANGLES]),
}


def write(root: Path, counts: Mapping[str, int], ending: str = "xyz", first: int = 0) -> Path:
    """Clouds with the same x coordinates as their number in the class."""
    for label, (name, count) in enumerate(sorted(counts.items())):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            path = root / name / f"{number:03d}.{ending}"
            path.write_bytes(CLOUDS[ending](cloud(1000 * (len(name) + label) + number)))
    return root


def load(root: Path, **options) -> Dataset:
    return folder(root, **({"num_points": 20, "normalize": False} | options))


def known(dataset: Dataset, split: str, name: str) -> set[bytes]:
    part = getattr(dataset, split).of_class(dataset.class_names.index(name))
    return {points.numpy().tobytes() for points in part.points}


@pytest.mark.parametrize("ending", CLOUDS)
def test_clouds_of_every_format(tmp_path: Path, ending: str) -> None:
    write(tmp_path / "own" / "train", {"train": 1})  # a class may be called anything
    for split, seed in (("train", 3), ("test", 4)):
        path = tmp_path / "own" / "cup" / split / f"a.{ending}"
        path.parent.mkdir(parents=True)
        path.write_bytes(CLOUDS[ending](cloud(seed)))
    (tmp_path / "own" / "train" / "test").mkdir()
    (tmp_path / "own" / "train" / "test" / "b.npy").write_bytes(npy(cloud(5)))
    dataset = load(tmp_path / "own")
    assert (dataset.name, dataset.class_names) == ("own", ("cup", "train"))
    assert torch.allclose(dataset.train.points[0], torch.from_numpy(cloud(3)), atol=1e-6)
    assert torch.allclose(dataset.test.points[0], torch.from_numpy(cloud(4)), atol=1e-6)


@pytest.mark.parametrize("ending", MESHES)
def test_meshes_are_sampled(tmp_path: Path, ending: str) -> None:
    for name in ("a", "b"):
        (tmp_path / "flat").mkdir(exist_ok=True)
        (tmp_path / "flat" / f"{name}.{ending}").write_bytes(MESHES[ending])
    dataset = load(tmp_path, num_points=500, surface_points=600)
    points = dataset.train.points[0]
    assert torch.allclose(points[:, 1], torch.zeros(500))
    assert points.mean(dim=0).tolist() == pytest.approx([1, 0, 0.5], abs=0.1)
    turned = load(tmp_path, num_points=500, surface_points=600, up="z").train.points[0]
    assert torch.allclose(turned, points[:, [0, 2, 1]])  # x, z, -y: and y is 0


def test_given_splits_are_kept(tmp_path: Path) -> None:
    for name in ("cup", "jar"):
        write(tmp_path / name, {"train": 5, "test": 2})
    dataset = load(tmp_path)
    assert dataset.train.clouds_of_each_class() == [5, 5]
    assert dataset.test.clouds_of_each_class() == [2, 2]
    assert load(tmp_path, split_seed=3, test_fraction=0.5).fingerprint() == dataset.fingerprint()


@pytest.mark.parametrize(
    ("fraction", "tests"), [(0.2, [2, 1, 1]), (0.5, [5, 2, 1]), (0.01, [1, 1, 1]), (0.99, [9, 3, 1])]
)
def test_splits_are_drawn(tmp_path: Path, fraction: float, tests: Sequence[int]) -> None:
    counts = {"bag": 10, "cup": 4, "jar": 2}
    dataset = load(write(tmp_path, counts), test_fraction=fraction)
    assert dataset.test.clouds_of_each_class() == tests
    assert len(dataset.train) + len(dataset.test) == 16
    for name, count in counts.items():
        assert len(known(dataset, "train", name) | known(dataset, "test", name)) == count


def test_drawn_splits_are_the_same_again_and_apart_from_other_classes(tmp_path: Path) -> None:
    before = load(write(tmp_path / "own", {"cup": 10, "jar": 10}))
    assert load(tmp_path / "own", cache=False).fingerprint() == before.fingerprint()
    assert known(load(tmp_path / "own", split_seed=1), "test", "cup") != known(before, "test", "cup")
    write(tmp_path / "own", {"jar": 1}, first=10)
    (tmp_path / "own" / "bag").mkdir()
    write(tmp_path / "own", {"bag": 6})
    after = load(tmp_path / "own")
    assert known(after, "test", "cup") == known(before, "test", "cup")
    assert len(known(before, "test", "jar") - known(after, "test", "jar")) <= 1
    points = load(tmp_path / "own", num_points=7, rotation="so3")
    (tmp_path / "own").rename(tmp_path / "moved")
    moved = load(tmp_path / "moved", num_points=7, rotation="so3")
    assert moved.name == "moved"
    assert torch.equal(moved.train.points, points.train.points)


def test_clouds_may_differ_in_size(tmp_path: Path) -> None:
    (tmp_path / "cup").mkdir()
    for number, points in enumerate((5, 20, 50)):
        (tmp_path / "cup" / f"{number}.npy").write_bytes(npy(cloud(number, points)))
    dataset = folder(tmp_path, num_points=20)
    both = torch.cat([dataset.train.points, dataset.test.points])
    assert both.shape == (3, 20, 3)
    assert sorted(len(points.unique(dim=0)) for points in both) == [5, 20, 20]
    assert any(torch.allclose(points, normalize(torch.from_numpy(cloud(1)))) for points in both)


def test_other_files_are_counted(tmp_path: Path) -> None:
    write(tmp_path, {"cup": 3, "jar": 3})
    (tmp_path / "cup" / ".DS_Store").touch()
    (tmp_path / "__MACOSX" / "cup").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "cup" / "._000.xyz").touch()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(tmp_path)
    (tmp_path / "cup" / "readme.md").touch()
    (tmp_path / "jar" / "more").mkdir()
    (tmp_path / "jar" / "more" / "000.xyz").write_bytes(text(cloud(1)))
    with pytest.warns(Note, match="2 files are left out"):
        assert len(load(tmp_path).train) == 4


def test_all_test_clouds_are_copies(tmp_path: Path) -> None:
    for split in ("train", "test"):
        make(tmp_path, f"cup/{split}/a.xyz", f"jar/{split}/abc.xyz")
        for name in ("cup/{}/a.xyz", "jar/{}/abc.xyz"):
            (tmp_path / name.format(split)).write_bytes(text(cloud(len(name))))
    with pytest.raises(InputError, match="no test clouds left, as exact copies of all stand in train"):
        load(tmp_path, drop_duplicates=True)


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(text(cloud(len(name))))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.xyz"], r"has no folders: put the shapes of each class into a folder, <class>/\*"),
        (
            ["cup/a.xyz", "cup/b.xyz", "jar/"],
            r"jar has no shapes: put files into it that end in \.ply,",
        ),
        (["cup/a.xyz", "cup/b.xyz", "jar/a.jpg"], "jar has no shapes"),
        (["cup/a.xyz", "cup/b.xyz", "jar/a.xyz"], "jar has one cloud, which cannot be for both"),
        (["cup/train/a.xyz"], "cup/test has no shapes"),
        (["cup/train/", "cup/test/a.xyz"], "cup/train has no shapes"),
        (["cup/train/a.xyz", "cup/test/a.xyz", "jar/a.xyz"], "cup has train or test, but .*jar has neither"),
        (["train/cup/a.xyz", "test/cup/a.xyz"], "has train and test where classes belong"),
    ],
)
def test_folders_that_cannot_be_used(tmp_path: Path, names: Sequence[str], message: str) -> None:
    make(tmp_path, *names)
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"1 2 nan\n1 2 3\n", "line 1"), (b"1 2\n", "line 1"), (b"1 2 3\n" * 4, "coincide")],
)
def test_damaged_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    (write(tmp_path, {"cup": 4}) / "cup" / "002.xyz").write_bytes(content)
    with pytest.raises(InputError, match=rf"cup/002\.xyz.*{message}"):
        load(tmp_path)
    told: list[str] = []
    with pytest.raises(InputError, match="1 of 4 files of"):
        load(tmp_path, check=told.append)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_fraction": 0}, r"test_fraction=0: give the part for testing, in \(0, 1\)"),
        ({"test_fraction": 1.0}, "test_fraction=1.0"),
        ({"test_fraction": float("nan")}, "test_fraction=nan"),
        ({"test_fraction": "half"}, "test_fraction=half"),
        ({"split_seed": -1}, "split_seed=-1: give a whole number from 0"),
        ({"surface_points": 0}, "surface_points=0: give a whole number from 1"),
        ({"up": "x"}, "up is 'x'; give 'y' or 'z'"),
        ({"root": None}, r"no data is given: set root \(data\.root=\)"),
        ({"root": ""}, "no data is given"),
        ({"root": 2024}, r"root=2024 is no path: .* as \./2024"),
        ({"root": "gone"}, r"gone does not exist: give a folder <class>/\*, or a file that ends in \.npz"),
        ({"root": "own.zip"}, r"own\.zip is a file of another kind"),
    ],
)
def test_other_settings_are_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    (tmp_path / "own.zip").touch()
    with pytest.raises(InputError, match=message):
        folder(**{"root": tmp_path, **options})
