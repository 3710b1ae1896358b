"""Damaged files of arrays and of part labels: usable clouds or a clear error, in bounded memory."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cl3d.cloud_checks import check_clouds
from cl3d.data.folder_arrays import arrays_source
from cl3d.data.lists import read_lines
from cl3d.data.shapenetpart_text import _read_parts, read_shapes
from cl3d.data.source import Reader
from cl3d.errors import InputError

ARRAYS = {
    "points": np.random.default_rng(0).standard_normal((8, 5, 3)).astype(np.float32),
    "labels": np.arange(8) % 2,
}
TEXTS = {"split": np.array(["train", "test", "test", "train"] * 2), "class_names": np.array(["cup", "jar"])}

fuzzed = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def npz(compressed: bool) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **ARRAYS, **TEXTS)
    return file.getvalue()


def hdf5(compressed: bool) -> bytes:
    """Texts have a fixed length: HDF5 itself may not come back from damaged ones of any length."""
    file = io.BytesIO()
    with h5py.File(file, "w") as stored:
        for key, array in (ARRAYS | {key: texts.astype("S5") for key, texts in TEXTS.items()}).items():
            stored.create_dataset(key, data=array, compression="gzip" if compressed else None)
    return file.getvalue()


VALID = {"a.npz": npz(False), "packed.npz": npz(True), "a.h5": hdf5(False), "packed.h5": hdf5(True)}


def check(folder: Path, name: str, content: bytes) -> bool:
    path = folder / name
    path.write_bytes(content)
    tracemalloc.start()
    try:
        source = arrays_source(path, 0.2, 0, "y")
        reader = Reader(source)
        for file in (*source.train, *source.test):
            for clouds in reader.read(file):
                check_clouds(clouds, name)
    except InputError as error:
        message = str(error)
        assert name in message
        assert "\n" not in message
        assert len(message) < 2 * len(str(path)) + 500
        return False
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**24
    return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", VALID)
def test_the_files_are_valid_before_they_are_damaged(folder: Path, name: str) -> None:
    assert check(folder, name, VALID[name])


@pytest.mark.parametrize("name", VALID)
@fuzzed
@given(kept=st.floats(0, 1, exclude_max=True))
def test_cut_files_are_refused(folder: Path, name: str, kept: float) -> None:
    assert not check(folder, name, VALID[name][: int(kept * len(VALID[name]))])


@pytest.mark.parametrize("name", VALID)
@fuzzed
@given(
    changes=st.lists(
        st.tuples(
            st.floats(0, 1), st.binary(min_size=1, max_size=4) | st.sampled_from([b"\xff" * 8, bytes(8)])
        ),
        min_size=1,
        max_size=3,
    )
)
def test_changed_bytes(folder: Path, name: str, changes: list[tuple[float, bytes]]) -> None:
    content = bytearray(VALID[name])
    for place, changed in changes:
        at = int(place * (len(content) - len(changed)))
        content[at : at + len(changed)] = changed
    check(folder, name, bytes(content))


@fuzzed
@given(content=st.binary(max_size=12) | st.text("01234 \n.-+e_²", max_size=12).map(str.encode))
def test_part_labels(folder: Path, content: bytes) -> None:
    (folder / "a.seg").write_bytes(content)
    try:
        parts = _read_parts(folder / "a.seg", 3, 10, 4)
    except InputError as error:
        message = str(error)
        assert "a.seg" in message
        assert "\n" not in message
    else:
        assert content.split() == [b"%d" % (part - 9) for part in parts.tolist()]
        assert parts.shape == (3,)


def test_a_mark_before_a_list_is_no_part_of_a_name(folder: Path) -> None:
    (folder / "list.txt").write_text("airplane\r\nbathtub\r\n", encoding="utf-8-sig")
    assert read_lines(folder / "list.txt") == ["airplane", "bathtub"]


@fuzzed
@given(content=st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_lists_of_names(folder: Path, content: bytes) -> None:
    (folder / "list.txt").write_bytes(content)
    try:
        lines = read_lines(folder / "list.txt")
    except InputError as error:
        message = str(error)
        assert "list.txt" in message
        assert "\n" not in message
    else:
        assert lines
        for line in lines:
            assert line.strip() == line
            (folder / line[:50]).exists()  # a name that a file may have


@fuzzed
@given(
    content=st.binary(max_size=40)
    | st.recursive(
        st.none() | st.floats() | st.text(max_size=9) | st.just("shape_data/123/ab"),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    ).map(lambda value: json.dumps(value).encode())
    | st.sampled_from([b"[" * 100_000, b'["shape_data/123/a\\u0000"]', b"9" * 10_000])
)
def test_lists_of_shapes(folder: Path, content: bytes) -> None:
    (folder / "list.json").write_bytes(content)
    try:
        shapes = read_shapes(folder / "list.json", {"123": 0})
    except InputError as error:
        message = str(error)
        assert "list.json" in message
        assert "\n" not in message
    else:
        assert all(synset == "123" and "/" not in shape and "\0" not in shape for synset, shape in shapes)
