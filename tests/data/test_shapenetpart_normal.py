"""ShapeNetPart in the text layout with normals: points and parts in one file per shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_parts_hdf5 import check_parts
from test_shapenetpart_text import FOLDER, SYNSETS
from test_shapenetpart_text import write as write_text

from cl3d.data import shapenetpart
from cl3d.data.shapenetpart_normal import _read
from cl3d.errors import InputError

NORMAL = f"{FOLDER}_normal"


def write(root: Path) -> Path:
    """The shapes of the text layout again, each in one file, as the release writes them."""
    folder = write_text(root) / FOLDER
    first = 0
    for synset in SYNSETS.values():
        count = 0
        for points in sorted((folder / synset / "points").iterdir()):
            labels = np.loadtxt(folder / synset / "points_label" / f"{points.stem}.seg", dtype=int)
            rows = np.loadtxt(points)
            normals = np.full_like(rows, 0.57735)
            whole = np.concatenate([rows, normals, labels[:, None] - 1 + first], axis=1)
            np.savetxt(folder / synset / f"{points.stem}.txt", whole, fmt=["%.5f"] * 6 + ["%.6f"])
            count = max(count, labels.max())
        for kind in ("points", "points_label"):
            for path in (folder / synset / kind).iterdir():
                path.unlink()
            (folder / synset / kind).rmdir()
        first += count
    folder.rename(root / NORMAL)
    return root


def test_the_same_clouds_as_in_the_other_text_layout(tmp_path: Path) -> None:
    settings = {"num_points": 16, "sampling": "fps", "normalize": False}
    text = shapenetpart(write_text(tmp_path / "text"), **settings)
    for root in (write(tmp_path / "normal"), tmp_path / "normal" / NORMAL):
        normal = shapenetpart(root, **settings)
        assert normal.fingerprint() == text.fingerprint()
        assert torch.equal(normal.train.parts, text.train.parts)
        assert normal.part_names == text.part_names
        check_parts(normal)
    with pytest.raises(InputError, match="give one of auto, hdf5, text, normal"):
        shapenetpart(tmp_path, layout="normals")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1 2 3 0 0 1 4", "line 2: the part is '4'; those of its class are 0 to 3"),
        ("1 2 3 0 0 1 1.5", "line 2: the part is '1.5'"),
        ("1 2 3 0 0 1 x", "line 2: the part is 'x'"),
        ("1 2 3 0 0 1", "line 2: 6 values where each row has 7"),
        ("1 2 nan 0 0 1 2", "line 2: the coordinates are '1', '2', 'nan'"),
        ("1 2 \u00e9 0 0 1 2", "line 2: the coordinates are"),
    ],
)
def test_rows_that_cannot_be_used_are_named(tmp_path: Path, row: str, message: str) -> None:
    path = write(tmp_path) / NORMAL / SYNSETS["Airplane"] / "train0.txt"
    path.write_text(f"0 0 0 0 0 1 0\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"train0\.txt, {message}"):
        shapenetpart(tmp_path, num_points=16)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(content=st.binary(max_size=60) | st.text("0123 \n.-+eéna", max_size=60).map(str.encode))
def test_any_content(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "shape.txt"
    path.write_bytes(content)
    try:
        (cloud,) = _read(path, 0, range(3, 7))
    except InputError as error:
        message = str(error)
        assert "shape.txt" in message
        assert "\n" not in message
    else:
        assert cloud.parts is not None
        assert 3 <= int(cloud.parts.min()) <= int(cloud.parts.max()) < 7
