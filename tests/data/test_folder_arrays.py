"""A user's own arrays, .npz and HDF5: names, labels, splits, and what cannot be used."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from cl3d.data import Dataset, folder
from cl3d.errors import InputError

Write = Callable[..., Path]


def points(clouds: int, seed: int = 0, dtype: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((clouds, 9, 3)).astype(dtype)


LABELS = np.arange(12) % 3


@pytest.fixture(params=["npz", "npz, compressed", "h5"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """Writes arrays to a file of each kind."""

    def write(**arrays: Any) -> Path:
        if request.param != "h5":
            path = tmp_path / "own.npz"
            (np.savez if request.param == "npz" else np.savez_compressed)(path, **arrays)
            return path
        with h5py.File(tmp_path / "own.h5", "w") as file:
            for key, array in arrays.items():
                texts = np.asarray(array).dtype.kind == "U"
                file[key] = np.char.encode(array, "utf-8") if texts else array
        return tmp_path / "own.h5"

    return write


def load(path: Path, **options) -> Dataset:
    return folder(path, **({"num_points": 9, "normalize": False} | options))


@pytest.mark.parametrize("keys", [("points", "labels"), ("data", "label")])
@pytest.mark.parametrize("shape", [(12,), (12, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_splits_are_drawn(write: Write, keys: tuple[str, str], shape: tuple[int, ...], dtype: Any) -> None:
    stored = points(12, dtype=dtype)
    path = write(**{keys[0]: stored, keys[1]: LABELS.reshape(shape)})
    dataset = load(path, test_fraction=0.4)
    assert (dataset.name, dataset.class_names) == ("own", ("0", "1", "2"))
    assert dataset.train.clouds_of_each_class() == dataset.test.clouds_of_each_class() == [2, 2, 2]
    order = {cloud.tobytes(): i for i, cloud in enumerate(stored.astype(np.float32))}
    both = [[order.pop(cloud.numpy().tobytes()) for cloud in s.points] for s in (dataset.train, dataset.test)]
    assert not order
    assert [sorted(positions) for positions in both] == both
    assert dataset.test.labels.tolist() == [LABELS[position] for position in both[1]]
    again = load(path, test_fraction=0.4, cache=False)
    assert again.fingerprint() == dataset.fingerprint()
    assert load(path, test_fraction=0.4, split_seed=1).fingerprint() != dataset.fingerprint()


def test_a_cloud_more_in_one_class_changes_no_other(write: Write) -> None:
    before = load(write(points=points(12), labels=LABELS))
    more = np.concatenate([points(1, seed=9), points(12)])
    after = load(write(points=more, labels=np.concatenate([[1], LABELS])))
    for label in (0, 2):
        assert torch.equal(after.test.of_class(label).points, before.test.of_class(label).points)


def test_splits_and_names_may_be_given(write: Write) -> None:
    split = np.array(["train", "test", "train"] * 2 + ["test", "train", "test"] * 2)
    path = write(points=points(12), labels=LABELS, split=split, class_names=["cup", "jar", "tïn"])
    dataset = load(path)
    assert dataset.class_names == ("cup", "jar", "tïn")
    assert torch.equal(dataset.train.points, torch.from_numpy(points(12)[split == "train"]))
    assert torch.equal(dataset.test.labels, torch.from_numpy(LABELS[split == "test"]))


def test_prefixes(write: Write) -> None:
    path = write(
        train_points=points(12),
        train_labels=LABELS,
        test_points=points(3, seed=1).astype(np.float64),
        test_labels=np.array([[2], [1], [0]], np.uint8),
    )
    dataset = load(path)
    assert torch.equal(dataset.train.points, torch.from_numpy(points(12)))
    assert torch.equal(dataset.test.points, torch.from_numpy(points(3, seed=1)))
    assert dataset.test.labels.tolist() == [2, 1, 0]


def test_both_splits_have_draws_of_their_own(write: Write) -> None:
    same = points(3)
    path = write(train_points=same, train_labels=[0, 1, 2], test_points=same, test_labels=[0, 1, 2])
    dataset = load(path, rotation="so3")
    assert not torch.allclose(dataset.train.points, dataset.test.points)
    assert dataset.duplicates is not None
    assert dataset.duplicates.test_in_train == 3


def test_settings_apply(write: Write, tmp_path: Path) -> None:
    path = write(points=points(12), labels=LABELS)
    dataset = folder(path, num_points=4)
    assert dataset.train.points.shape == (9, 4, 3)
    plain, turned = (load(path, up=up).train.points for up in ("y", "z"))
    x, y, z = plain.unbind(2)
    assert torch.equal(turned, torch.stack((x, z, -y), dim=2))
    with pytest.raises(InputError, match="num_points is 10, but the clouds have 9"):
        load(path, num_points=10)
    kept = folder(path, num_points=4, cache=None)
    assert kept.prepared is not None
    path.rename(tmp_path / f"moved{path.suffix}")
    assert torch.equal(folder(tmp_path / f"moved{path.suffix}", num_points=4).train.points, kept.train.points)


def test_splits_of_other_sizes_are_refused(write: Write) -> None:
    path = write(
        train_points=points(12), train_labels=LABELS, test_points=points(3)[:, :5], test_labels=[0, 1, 2]
    )
    with pytest.raises(InputError, match="has clouds of 9 and of 5 points: give all of them as many"):
        load(path, num_points=5)


PARTS = np.array([[0, 1], [2, 2], [3, 4]])[LABELS].repeat(5, axis=1)[:, :9]
PART_NAMES = ["cup/body", "cup/handle", "jar/body", "tin/body", "tin/lid"]
NAMES: dict[str, Any] = {"class_names": ["cup", "jar", "tin"], "part_names": PART_NAMES}


@pytest.mark.parametrize("key", ["parts", "pid"])
def test_parts_stay_with_their_points(write: Write, key: str) -> None:
    path = write(points=points(12), labels=LABELS, **{key: PARTS.astype(np.int32)}, **NAMES)
    for dataset in (load(path), load(path, num_points=4, sampling="fps", cache=False), load(path)):
        assert dataset.part_names == tuple(PART_NAMES)
        assert dataset.class_parts == ((0, 1), (2,), (3, 4))
        for clouds in (dataset.train, dataset.test):
            assert clouds.parts is not None
            for label, cloud, own in zip(clouds.labels, clouds.points, clouds.parts, strict=True):
                whole = torch.from_numpy(points(12)[int(label) == LABELS].reshape(-1, 3))
                place = (whole == cloud.unsqueeze(1)).all(dim=2).int().argmax(dim=1)
                assert own.tolist() == PARTS[int(label) == LABELS].reshape(-1)[place].tolist()


def test_parts_of_splits_apart(write: Write) -> None:
    train, test = ({f"{split}_points": points(12), f"{split}_labels": LABELS} for split in ("train", "test"))
    dataset = load(write(**train, **test, train_parts=PARTS, test_parts=PARTS[:, ::-1], **NAMES))
    assert torch.equal(dataset.train.parts, torch.from_numpy(PARTS))
    assert torch.equal(dataset.test.parts, torch.from_numpy(PARTS[:, ::-1].copy()))


def test_parts_without_names_are_left_aside(write: Write) -> None:
    dataset = load(write(points=points(12), labels=LABELS, pid=PARTS))
    assert dataset.train.parts is None
    assert dataset.part_names == ()


def nan() -> np.ndarray:
    bad = points(12)
    bad[4, 2, 1] = np.nan
    return bad


GOOD: dict[str, Any] = {"points": points(12), "labels": LABELS}
SPLIT = np.array(["train", "test"] * 6)
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no labels": ({"labels": None}, "has the arrays points; give labels or label"),
    "no points": ({"points": None}, "has the arrays labels; give points or data"),
    "two kinds of points": ({"data": points(12)}, "give points or data"),
    "two forms": ({"train_points": points(12)}, "has train_points beside points, labels: give all with"),
    "one prefix": ({"points": None, "train_points": points(12)}, "has train_points beside labels"),
    "no test": (
        {"points": None, "labels": None, "train_points": points(12)},
        "give test_points or test_data",
    ),
    "integers": ({"points": np.ones((12, 9, 3), int)}, "'points' is int64 of shape"),
    "two coordinates": (
        {"points": np.ones((12, 9, 2))},
        r"give floats of shape \(12, points, 3\)",
    ),
    "fewer points": ({"points": points(11)}, "one cloud per label"),
    "flat": ({"points": points(12)[0]}, r"of shape \(9, 3\)"),
    "nan": ({"points": nan()}, "NaN"),
    "too large": ({"points": points(12).astype(np.float64) * 1e300}, "infinite"),
    "real labels": ({"labels": LABELS.astype(float)}, "'labels' is float64 of shape"),
    "texts": ({"labels": np.array(["cup"] * 12)}, "'labels' is <U3"),
    "a number": ({"labels": np.int64(3)}, r"'labels' is int64 of shape \(\)"),
    "one hot": ({"labels": np.eye(12, dtype=int)}, r"give integers of shape \(clouds,\) or \(clouds, 1\)"),
    "none": ({"labels": np.zeros(0, int)}, "'labels' is empty"),
    "from one": ({"labels": LABELS + 1}, "has labels from 1 to 3 with some left out"),
    "a gap": ({"labels": LABELS * 2}, "has labels from 0 to 4 with some left out"),
    "negative": ({"labels": LABELS - 1, "class_names": ["a", "b", "c"]}, "from -1 to 1, but 3 class_names"),
    "too few names": ({"class_names": ["a", "b"]}, "has labels from 0 to 2, but 2 class_names"),
    "names that are none": ({"class_names": [1, 2, 3]}, "'class_names' is int64 of shape"),
    "a lone cloud": ({"labels": np.array([0] * 11 + [1])}, "class 1 has one cloud"),
    "split of others": (
        {"split": SPLIT[:5]},
        r"of shape \(5,\); give the texts train and test",
    ),
    "split by numbers": ({"split": np.zeros(12, int)}, "'split' is int64"),
    "a third split": (
        {"split": np.array(["train", "val"] * 6)},
        "'split' of cloud 1 is 'val'; give train",
    ),
    "no parts": (NAMES, "give parts or pid"),
    "real parts": (NAMES | {"parts": PARTS.astype(float)}, "'parts' is float64"),
    "parts of clouds": (NAMES | {"parts": PARTS[:, 0]}, r"give integers of shape \(12, 9\)"),
    "a part of another class": (NAMES | {"parts": PARTS[:, ::-1] + 1}, "point 0 of cloud .* its class"),
    "a part below 0": (NAMES | {"parts": PARTS - 1}, "has part -1, but the parts of its class 0 are"),
    "a part without a class": (NAMES | {"part_names": ["leg"]}, "'leg' is not <class>/<part>"),
    "a part without a name": (NAMES | {"part_names": ["cup/"]}, "'cup/' is not <class>/<part>"),
    "a part twice": (NAMES | {"part_names": ["cup/a", "cup/a"]}, "'cup/a' .* stands there twice"),
    "parts that are no texts": (NAMES | {"part_names": [1, 2]}, "'part_names' is int64"),
    "one split": ({"split": np.array(["train"] * 12)}, "class 0 has no test clouds"),
    "a class in one": ({"split": np.array(["train"] * 10 + ["test"] * 2)}, "class 0 has no test clouds"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_named(write: Write, case: str) -> None:
    changes, message = BAD[case]
    arrays = {key: array for key, array in (GOOD | changes).items() if array is not None}
    with pytest.raises(InputError, match=rf"own\.(npz|h5).*{message}") as caught:
        load(write(**arrays))
    assert "\n" not in str(caught.value)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    np.savez(tmp_path / "own.npz", points=points(12), labels=np.array([Trap()] * 12, dtype=object))
    with pytest.raises(InputError, match=r"'labels' holds Python objects or lists .*: save it as numbers"):
        load(tmp_path / "own.npz")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.98])
def test_truncated_files_are_named(write: Write, kept: float) -> None:
    path = write(**GOOD)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
    with pytest.raises(InputError, match=rf"own{path.suffix} is truncated or corrupt"):
        load(path)


def test_damaged_bytes_are_found(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", **GOOD)
    content = bytearray((tmp_path / "own.npz").read_bytes())
    content[400:404] = b"\x7f\x7f\x7f\x7f"  # among the points
    (tmp_path / "own.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"own\.npz is .*: 'points' cannot be read \(Bad CRC-32"):
        load(tmp_path / "own.npz")


def test_promises_take_no_memory(tmp_path: Path) -> None:
    """Headers that promise terabytes in files of a few bytes."""
    header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (1099511627776,), }\n"
    promise = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64)
    np.savez(tmp_path / "own.npz", points=points(12))
    with zipfile.ZipFile(tmp_path / "own.npz", "a") as archive:
        archive.writestr("labels.npy", promise)
    with pytest.raises(InputError, match=r"'labels' cannot be read \(64 bytes are no array of int64"):
        load(tmp_path / "own.npz")
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file["points"], file["labels"] = points(12), LABELS
        file.create_dataset("class_names", (1 << 40,), "S4", chunks=(1024,))[:9] = b"cup"
    with pytest.raises(InputError, match=r"'class_names' cannot be read \(4398046511104 bytes are promised"):
        load(tmp_path / "own.h5")
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file["points"] = points(12)
        file.create_dataset("labels", (1 << 40,), np.int64, chunks=(1024,))[:9] = 1
    with pytest.raises(InputError, match=r"'labels' cannot be read \(8796093022208 bytes are promised"):
        load(tmp_path / "own.h5")


def test_the_cloud_at_fault_is_counted_as_in_the_file(write: Write) -> None:
    for cloud in (0, 5, 11):
        stored = points(12)
        stored[cloud, 4, 1] = np.nan
        with pytest.raises(InputError, match=rf"own\.(npz|h5): cloud {cloud} has NaN"):
            load(write(points=stored, labels=LABELS), cache=False)


def test_names_are_of_one_class_that_has_clouds(write: Write) -> None:
    for names, message in (
        (["cup", "jar", "cup"], r"class name 'cup' 2 times"),
        (["cup", " ", "jar"], r"class name ' ' 1 times"),
        (["cup", "jar", "tin", "urn"], "class urn has no train or test clouds"),
    ):
        with pytest.raises(InputError, match=message):
            load(write(points=points(12), labels=LABELS, class_names=names))


@pytest.mark.parametrize("kind", ["external", "virtual", "link", "lists"])
def test_values_in_other_files_and_lists_are_not_read(tmp_path: Path, kind: str) -> None:
    secret = tmp_path / "other.bin"
    secret.write_bytes(points(12).tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["points"] = points(12)
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file["labels"] = LABELS
        if kind == "external":
            file.create_dataset("points", (12, 9, 3), np.float32, external=[(str(secret), 0, 12 * 9 * 12)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((12, 9, 3), np.float32)
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "points", (12, 9, 3))
            file.create_virtual_dataset("points", layout)
        elif kind == "link":
            file["points"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "points")
        else:
            file.create_dataset("points", (12,), h5py.vlen_dtype(np.float32))[0] = np.ones(27)
    message = "lists of different lengths" if kind == "lists" else "values lie in another file"
    with pytest.raises(InputError, match=rf"own\.h5.*{message}"):
        load(tmp_path / "own.h5")
