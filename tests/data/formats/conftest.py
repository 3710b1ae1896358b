"""What the tests of all formats share: small shapes, and reading bytes as a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from format_writers import Array, Reader, Refusal

from cl3d.data.formats import Geometry, read
from cl3d.errors import InputError


@pytest.fixture
def load(tmp_path: Path) -> Reader:
    """Reads bytes as a file of some name."""

    def load(name: str, content: bytes) -> Geometry:
        (tmp_path / name).write_bytes(content)
        return read(tmp_path / name)

    return load


@pytest.fixture
def check_refused(load: Reader) -> Refusal:
    """Reads bytes that must be refused with a message that names the file, and returns the message."""

    def check_refused(name: str, content: bytes, message: str) -> str:
        with pytest.raises(InputError, match=message) as caught:
            load(name, content)
        text = str(caught.value)
        assert name in text
        assert "\n" not in text
        return text

    return check_refused


@pytest.fixture
def points() -> Array:
    """(7, 3) float32, all different."""
    return np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)


@pytest.fixture
def polygons() -> list[list[int]]:
    """A triangle, a pentagon and a quadrilateral over seven points."""
    return [[0, 1, 2], [2, 3, 4, 5, 6], [6, 0, 3, 1]]


@pytest.fixture
def fans() -> list[list[int]]:
    """The triangles of the polygons."""
    return [[0, 1, 2], [2, 3, 4], [2, 4, 5], [2, 5, 6], [6, 0, 3], [6, 3, 1]]
