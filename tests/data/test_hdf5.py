"""Reading clouds from HDF5: what is accepted, and what each kind of broken file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from cl3d.data.hdf5 import read_file
from cl3d.errors import InputError


def points(clouds: int = 4, per_cloud: int = 6, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal((clouds, per_cloud, 3)).astype(np.float32)


def write(path: Path, **datasets: Any) -> Path:
    with h5py.File(path, "w") as file:
        for key, value in datasets.items():
            file[key] = value
    return path


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, ">i2"])
def test_reads_points_and_labels_as_stored(tmp_path: Path, shape: tuple[int, ...], dtype: Any) -> None:
    labels = np.array([2, 0, 1, 2], dtype=dtype).reshape(shape)
    clouds = read_file(write(tmp_path / "a.h5", data=points(), label=labels, other=[1]), 3)
    assert clouds.points.dtype == torch.float32
    assert torch.equal(clouds.points, torch.from_numpy(points()))
    assert clouds.labels.tolist() == [2, 0, 1, 2]
    assert clouds.labels.dtype == torch.int64


def test_one_point_per_cloud_is_allowed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", data=points(4, 1), label=np.zeros(4, np.uint8))
    assert read_file(path, 1).points.shape == (4, 1, 3)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no label": ({"data": points()}, "no dataset 'label'"),
    "no data": ({"label": np.zeros(4, np.uint8)}, "no dataset 'data'"),
    "double precision": ({"data": points().astype(np.float64), "label": np.zeros(4, np.uint8)}, "float64"),
    "integers": ({"data": np.ones((4, 6, 3), np.int32), "label": np.zeros(4, np.uint8)}, "int32"),
    "two dimensions": ({"data": points()[0], "label": np.zeros(6, np.uint8)}, r"shape \(6, 3\)"),
    "four coordinates": ({"data": np.ones((4, 6, 4), np.float32), "label": [0]}, r"shape \(4, 6, 4\)"),
    "a number": ({"data": np.float32(1), "label": np.uint8(0)}, r"shape \(\)"),
    "fewer labels": ({"data": points(), "label": np.zeros(3, np.uint8)}, r"'label' is uint8 of shape \(3,\)"),
    "two labels each": ({"data": points(), "label": np.zeros((4, 2), np.uint8)}, r"shape \(4, 2\)"),
    "real labels": ({"data": points(), "label": np.zeros(4, np.float32)}, "'label' is float32"),
    "texts": ({"data": points(), "label": np.array([b"chair"] * 4)}, "'label' is"),
    "label too large": ({"data": points(), "label": np.array([0, 1, 3, 4], np.uint8)}, "cloud 2 has label 3"),
    "negative label": ({"data": points(), "label": np.array([0, -1, 0, 0], np.int8)}, "cloud 1 has label -1"),
    "no clouds": ({"data": points(0), "label": np.zeros(0, np.uint8)}, "no clouds"),
    "no points": ({"data": points(4, 0), "label": np.zeros(4, np.uint8)}, "without points"),
}


@pytest.mark.parametrize("case", BAD)
def test_unusable_content_names_the_file(tmp_path: Path, case: str) -> None:
    datasets, message = BAD[case]
    path = write(tmp_path / "bad.h5", **datasets)
    with pytest.raises(InputError, match=rf"bad\.h5.*{message}"):
        read_file(path, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_coordinates_that_are_not_finite_name_the_cloud(tmp_path: Path, value: float) -> None:
    data = points()
    data[2, 3, 1] = value
    with pytest.raises(InputError, match=r"bad\.h5: cloud 2 has NaN or infinite"):
        read_file(write(tmp_path / "bad.h5", data=data, label=np.zeros(4, np.uint8)), 1)


def test_empty_clouds_name_the_cloud(tmp_path: Path) -> None:
    data = points()
    data[3] = 0.5
    with pytest.raises(InputError, match=r"bad\.h5: cloud 3 is empty"):
        read_file(write(tmp_path / "bad.h5", data=data, label=np.zeros(4, np.uint8)), 1)


def test_a_group_instead_of_a_dataset(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "bad.h5", "w") as file:
        file.create_group("data")
        file["label"] = np.zeros(4, np.uint8)
    with pytest.raises(InputError, match="no dataset 'data'"):
        read_file(tmp_path / "bad.h5", 1)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.h5 does not exist"):
        read_file(tmp_path / "gone.h5", 1)


@pytest.mark.parametrize("kept", [0, 7, 500, 0.5, 0.99])
def test_a_truncated_file_is_named(tmp_path: Path, kept: float) -> None:
    path = write(tmp_path / "cut.h5", data=points(50), label=np.zeros(50, np.uint8))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])
    with pytest.raises(InputError, match=r"cut\.h5 is truncated or corrupt"):
        read_file(path, 1)


def test_damaged_bytes_in_a_compressed_file_are_found(tmp_path: Path) -> None:
    path = tmp_path / "damaged.h5"
    with h5py.File(path, "w") as file:
        stored = file.create_dataset("data", data=points(50), compression="gzip", fletcher32=True)
        file["label"] = np.zeros(50, np.uint8)
        start = stored.id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[start + 100 : start + 140] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged\.h5 is truncated or corrupt"):
        read_file(path, 1)


def test_the_message_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(InputError) as caught:
        read_file(tmp_path / "text.h5", 1)
    assert "\n" not in str(caught.value)


def test_a_promise_of_more_than_is_stored_is_refused_unread(tmp_path):
    path = tmp_path / "huge.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", shape=(10**9, 7, 3), dtype=np.float32, chunks=(11, 7, 3))
        file["label"] = np.zeros(11, dtype=np.uint8)
    with pytest.raises(InputError, match=r"huge\.h5 is .*84000000000 bytes are promised"):
        read_file(path, 3)
