"""Texts of any length in HDF5: read by a process of its own, so that damage neither hangs nor crashes."""

from __future__ import annotations

import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cl3d.data import Dataset, folder, hdf5_texts
from cl3d.errors import InputError


def load(path: Path, **options) -> Dataset:
    return folder(path, num_points=9, **options)


def texts_file(tmp_path: Path) -> Path:
    """Texts as h5py writes lists of them: of any length."""
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file["points"] = np.random.default_rng(0).standard_normal((12, 9, 3))
        file["labels"] = np.arange(12) % 3
        file["class_names"] = ["cup", "jar", "a tïn with a long name"]
    return tmp_path / "own.h5"


def test_texts_of_any_length(tmp_path: Path) -> None:
    assert load(texts_file(tmp_path)).class_names == ("cup", "jar", "a tïn with a long name")


def damage(path: Path, after: bytes, at: int, changed: bytes) -> None:
    content = bytearray(path.read_bytes())
    start = content.index(after) + at
    content[start : start + len(changed)] = changed
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("at", "changed"), [(0, b"L"), (8, b"\xff" * 8), (16, bytes(40)), (24, b"\xff" * 8), (32, b"\xff")]
)
def test_damaged_texts_of_any_length_do_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, changed: bytes
) -> None:
    """libhdf5 itself goes round in circles in some of these."""
    monkeypatch.setattr(hdf5_texts, "SECONDS", 2.0)
    path = texts_file(tmp_path)
    damage(path, b"GCOL", at, changed)
    begin = time.monotonic()
    with pytest.raises(InputError, match=r"own\.h5 is .* corrupt: 'class_names' cannot be read \(.+\)"):
        load(path)
    assert time.monotonic() - begin < 8


@pytest.mark.slow
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(at=st.integers(0, 120), changed=st.binary(min_size=1, max_size=8))
def test_any_damage_to_texts_of_any_length(
    tmp_path_factory: pytest.TempPathFactory, at: int, changed: bytes
) -> None:
    path = texts_file(tmp_path_factory.mktemp("texts"))
    damage(path, b"GCOL", at, changed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hdf5_texts, "SECONDS", 3.0)
        try:
            assert len(load(path, cache=False).class_names) == 3
        except InputError as error:
            message = str(error)
            assert "own.h5" in message
            assert "\n" not in message
