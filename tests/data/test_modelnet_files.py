"""ModelNet40 with a file per shape: meshes and resampled points, in the released layouts."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from cl3d.clouds import normalize
from cl3d.data.modelnet import MODELNET10_CLASSES, modelnet10, modelnet40
from cl3d.errors import InputError, Note

NAMES = sorted([*MODELNET10_CLASSES, "airplane", "vase"])
COUNTS = {"train": 2, "test": 1}


def box(size: tuple[float, float, float], glued: bool = False) -> str:
    """A box in OFF whose corner is the origin; some headers of the release have the counts on their line."""
    corners = [[x, y, z] for x in (0, size[0]) for y in (0, size[1]) for z in (0, size[2])]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    lines = [" ".join(map(str, corner)) for corner in corners]
    lines += [" ".join(map(str, (4, *face))) for face in faces]
    return f"OFF{'' if glued else chr(10)}8 6 0\n" + "\n".join(lines) + "\n"


def write_meshes(root: Path) -> Path:
    number = 0
    for name in NAMES:
        for split, count in COUNTS.items():
            folder = root / "ModelNet40" / name / split
            folder.mkdir(parents=True)
            for _ in range(count):
                number += 1
                size = (1.0, 2.0, 3.0 + number)
                (folder / f"{name}_{number:04d}.off").write_text(box(size, glued=number % 2 == 0))
    return root


def write_text(root: Path, points: int = 20) -> Path:
    folder = root / "modelnet40_normal_resampled"
    rng = np.random.default_rng(0)
    lists: dict[str, list[str]] = {split: [] for split in COUNTS}
    for name in NAMES:
        (folder / name).mkdir(parents=True)
        for split, count in COUNTS.items():
            for _ in range(count):
                lists[split].append(f"{name}_{len(lists[split]):04d}{0 if split == 'train' else 1}")
                np.savetxt(
                    folder / name / f"{lists[split][-1]}.txt",
                    rng.standard_normal((points, 6)),
                    fmt="%.6f",
                    delimiter=",",
                )
    (folder / "modelnet40_shape_names.txt").write_text("\n".join(NAMES))
    for split, names in lists.items():
        (folder / f"modelnet40_{split}.txt").write_text("\n".join(names) + "\n")
    return root


def test_meshes_are_sampled_on_their_surface_with_y_up(tmp_path: Path) -> None:
    dataset = modelnet40(write_meshes(tmp_path), num_points=2048, normalize=False)
    assert dataset.class_names == tuple(NAMES)
    assert dataset.train.labels.tolist() == [label for label in range(12) for _ in range(2)]
    assert len(dataset.test) == 12
    cloud = dataset.train.points[0]  # z is up in the files: the height of the first box is 4
    assert torch.allclose(cloud.amin(dim=0), torch.tensor([0.0, 0.0, -2.0]), atol=0.01)
    assert torch.allclose(cloud.amax(dim=0), torch.tensor([1.0, 4.0, 0.0]), atol=0.05)
    on_top = (cloud[:, 1] > 4 - 1e-5).float().mean()
    assert float(on_top) == pytest.approx(2 / 28, abs=0.02)  # by area
    again = modelnet40(tmp_path, num_points=2048, normalize=False, cache=False)
    assert torch.equal(again.train.points, dataset.train.points)


def test_copies_of_a_mesh_are_copies(tmp_path: Path) -> None:
    folder = write_meshes(tmp_path) / "ModelNet40"
    (folder / "vase" / "test" / "copy.off").write_text(box((1.0, 2.0, 4.0), glued=True))
    dataset = modelnet40(tmp_path, num_points=5)
    assert dataset.duplicates is not None
    assert dataset.duplicates.test_in_train == 1
    with pytest.warns(Note, match="dropped 1 of 13 test clouds"):
        assert len(modelnet40(tmp_path, num_points=5, drop_duplicates=True).test) == 12


def test_more_surface_points_when_asked_for(tmp_path: Path) -> None:
    write_meshes(tmp_path)
    with pytest.raises(InputError, match="num_points is 3000, but the clouds have 2048"):
        modelnet40(tmp_path, num_points=3000)
    assert modelnet40(tmp_path, num_points=3000, surface_points=3000).train.num_points == 3000


def test_resampled_text_by_its_lists(tmp_path: Path) -> None:
    folder = write_text(tmp_path) / "modelnet40_normal_resampled"
    dataset = modelnet40(tmp_path, num_points=20)
    assert dataset.class_names == tuple(NAMES)
    listed = (folder / "modelnet40_train.txt").read_text().split()
    assert [NAMES[label] for label in dataset.train.labels] == [name.rpartition("_")[0] for name in listed]
    first = np.loadtxt(folder / "airplane" / f"{listed[0]}.txt", delimiter=",", dtype=np.float32)[:, :3]
    assert torch.equal(dataset.train.points[0], normalize(torch.from_numpy(first)))


@pytest.mark.parametrize("write", [write_meshes, write_text])
@pytest.mark.parametrize("rotation", [None, "y"])
def test_modelnet10_has_the_same_clouds(tmp_path: Path, write, rotation: str | None) -> None:
    write(tmp_path)
    forty = modelnet40(tmp_path, num_points=7, rotation=rotation)
    ten = modelnet10(tmp_path, num_points=7, rotation=rotation)
    assert ten.class_names == MODELNET10_CLASSES
    kept = torch.tensor([forty.class_names[label] in MODELNET10_CLASSES for label in forty.train.labels])
    assert torch.equal(ten.train.points, forty.train.points[kept])


def test_the_layout_may_be_chosen(tmp_path: Path) -> None:
    write_text(write_meshes(tmp_path))
    chosen = {layout: modelnet40(tmp_path, num_points=7, layout=layout) for layout in ("auto", "text", "off")}
    assert chosen["auto"].fingerprint() == chosen["text"].fingerprint() != chosen["off"].fingerprint()
    folder = modelnet40(tmp_path / "ModelNet40", num_points=7)
    assert folder.fingerprint() == chosen["off"].fingerprint()
    with pytest.raises(InputError, match="layout is 'ply'; give one of auto, hdf5, off, text"):
        modelnet40(tmp_path, layout="ply")


@pytest.mark.parametrize("layout", ["off", "text"])
def test_an_absent_layout_says_where_it_belongs(tmp_path: Path, layout: str) -> None:
    with pytest.raises(InputError, match=r"ModelNet40 is not in .*: fetch it \(see https://"):
        modelnet40(tmp_path, layout=layout)


def test_broken_releases_are_named(tmp_path: Path) -> None:
    folder = write_meshes(tmp_path) / "ModelNet40"
    mesh = next((folder / "bed" / "test").iterdir())
    mesh.write_text("OFF\n8 6 0\n0 0 0\n")
    with pytest.raises(InputError, match=str(mesh)):
        modelnet40(tmp_path, num_points=7)
    mesh.unlink()
    with pytest.raises(InputError, match=r"bed/test has no \.off files"):
        modelnet40(tmp_path, num_points=7)
    write_text(tmp_path / "text")
    names = tmp_path / "text" / "modelnet40_normal_resampled" / "modelnet40_test.txt"
    names.write_text("spoon_0001\n")
    with pytest.raises(InputError, match=r"modelnet40_test\.txt names 'spoon_0001', which is of none"):
        modelnet40(tmp_path / "text", num_points=7)


def test_modelnet10_on_its_own(tmp_path: Path) -> None:
    """The smaller release has the same layout, and is read where the whole is not there."""
    write_meshes(tmp_path / "whole")
    (tmp_path / "own").mkdir()
    own = tmp_path / "own" / "ModelNet10"
    (tmp_path / "whole" / "ModelNet40").rename(own)
    for name in NAMES:
        if name not in MODELNET10_CLASSES:
            shutil.rmtree(own / name)
    (own / "bed" / "train" / "._hidden.off").write_bytes(b"\0")
    for root in (tmp_path / "own", own):
        dataset = modelnet10(root, num_points=16)
        assert dataset.class_names == MODELNET10_CLASSES
    write_meshes(tmp_path / "own")
    assert modelnet10(tmp_path / "own", num_points=16).fingerprint() == dataset.fingerprint()
    (tmp_path / "only").mkdir()
    own.rename(tmp_path / "only" / "ModelNet10")
    with pytest.raises(InputError, match=r"ModelNet40 is not in"):
        modelnet40(tmp_path / "only", layout="off")
