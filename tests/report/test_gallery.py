from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch

from cl3d.errors import InputError
from cl3d.report.gallery import Panel, save_gallery
from cl3d.report.style import PALETTE


def cloud(points: int = 200) -> torch.Tensor:
    return torch.randn(points, 3, generator=torch.Generator().manual_seed(0))


def inked(picture: np.ndarray) -> np.ndarray:
    """Which pixels are not white."""
    return (picture[..., :3] < 0.97).any(axis=-1)


def test_every_panel_is_drawn_and_the_rest_is_white(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "gallery.png"
    save_gallery(path, [Panel("", cloud())] * 5, columns=3, panel_inches=1, dpi=50)
    ink = inked(matplotlib.image.imread(path))
    assert abs(ink.shape[1] - 150) <= 1
    height = ink.shape[0] // 2
    for index in range(6):
        row, column = divmod(index, 3)
        cell = ink[row * height : (row + 1) * height, column * 50 : (column + 1) * 50]
        assert bool(cell.any()) is (index < 5)
    assert list(path.parent.iterdir()) == [path]


def test_titles_are_drawn(tmp_path: Path) -> None:
    for name, title in (("plain", ""), ("titled", "chair")):
        save_gallery(tmp_path / f"{name}.png", [(title, cloud(), None)])
    plain, titled = (inked(matplotlib.image.imread(tmp_path / f"{n}.png")).sum() for n in ("plain", "titled"))
    assert titled > plain


def test_colours_follow_the_parts(tmp_path: Path) -> None:
    points = cloud(400)
    parts = torch.where(points[:, 1] > 0, 1, 0)
    save_gallery(tmp_path / "parts.png", [("", points, parts)], panel_inches=2)
    picture = matplotlib.image.imread(tmp_path / "parts.png")[..., :3]
    ink = inked(picture)
    for name in PALETTE[:2]:
        colour = np.array([int(name[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        # a faded colour lies between white and the full one
        toward = (1 - picture[ink]) @ (1 - colour)
        along = toward / np.linalg.norm(1 - colour) / np.linalg.norm(1 - picture[ink], axis=1)
        assert (along > 0.999).mean() > 0.2


def test_same_panels_same_bytes(tmp_path: Path) -> None:
    paths = tmp_path / "a.png", tmp_path / "b.png"
    for path in paths:
        save_gallery(path, [("a", cloud().numpy(), np.arange(200))])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_one_point_and_flat_clouds_can_be_drawn(tmp_path: Path) -> None:
    save_gallery(
        tmp_path / "odd.png", [("one", torch.zeros(1, 3)), ("flat", cloud() * torch.tensor([1, 0, 0]))]
    )
    assert inked(matplotlib.image.imread(tmp_path / "odd.png")).any()


def test_a_failed_write_leaves_the_old_picture_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept.png"
    save_gallery(path, [("", cloud())])
    before = path.read_bytes()
    with pytest.raises(InputError):
        save_gallery(path, [("", torch.full((5, 3), torch.nan))])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_no_global_plotting_state_is_used(tmp_path: Path) -> None:
    loaded = "matplotlib.pyplot" in sys.modules
    save_gallery(tmp_path / "a.png", [("", cloud())])
    assert ("matplotlib.pyplot" in sys.modules) is loaded


@pytest.mark.parametrize(
    ("panels", "columns", "name", "message"),
    [
        ([], 8, "a.png", "no panels"),
        ([("", torch.zeros(4, 3))], 0, "a.png", "columns is 0"),
        ([("", torch.zeros(4, 2))], 8, "a.png", r"panel 0 has points of shape \(4, 2\)"),
        ([("", cloud()), ("", torch.zeros(0, 3))], 8, "a.png", r"panel 1 has points of shape \(0, 3\)"),
        (
            [("", torch.zeros(4, 3), torch.zeros(3, dtype=torch.int64))],
            8,
            "a.png",
            "panel 0 has int64 colours",
        ),
        ([("", torch.zeros(4, 3), torch.zeros(4))], 8, "a.png", "panel 0 has float32 colours"),
        ([("", cloud())], 8, "a.xyz", r"ends in \.xyz: give \.png"),
        ([("", cloud())], 8, "a", "ends in nothing: give"),
    ],
)
def test_wrong_input_is_refused(tmp_path: Path, panels: list, columns: int, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        save_gallery(tmp_path / name, panels, columns)
    assert list(tmp_path.iterdir()) == []
