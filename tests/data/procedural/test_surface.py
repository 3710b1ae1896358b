from __future__ import annotations

import numpy as np
import pytest

from cl3d.data.procedural.assembly import Assembly
from cl3d.data.procedural.catalog import CLASSES, PART_NAMES
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import box, disc, ellipsoid
from cl3d.data.procedural.surface import rotation, sample_triangles, triangle_areas

SAMPLES = 20_000


def test_points_are_uniform_within_a_triangle() -> None:
    corners = np.array([[(0.0, 0, 0), (2, 0, 0), (0, 2, 0)]])
    points, _ = sample_triangles(corners, SAMPLES, Draw(0))
    # the four triangles between the midpoints have equal areas
    x, y = points[:, 0], points[:, 1]
    quarters = [x > 1, y > 1, x + y < 1]
    shares = [q.mean() for q in quarters]
    np.testing.assert_allclose(shares, 0.25, atol=0.012)
    np.testing.assert_allclose(points.mean(axis=0), (2 / 3, 2 / 3, 0), atol=0.012)


def test_triangles_get_points_by_area() -> None:
    surface = ellipsoid(1, 2, 0.5)
    corners = surface.vertices[surface.faces]
    _, chosen = sample_triangles(corners, SAMPLES, Draw(0))
    expected = triangle_areas(corners) / surface.area * SAMPLES
    counts = np.bincount(chosen, minlength=len(corners))
    assert (counts[expected < 1e-9] == 0).all()
    real = expected > 1e-9
    statistic = ((counts[real] - expected[real]) ** 2 / expected[real]).sum() / real.sum()
    # chi-squared per degree of freedom: 1, with a standard deviation of sqrt(2 / n)
    assert abs(statistic - 1) < 5 * np.sqrt(2 / real.sum())


def test_pieces_get_points_by_area_after_stretching() -> None:
    assembly = Assembly()
    assembly.add("side", box(1, 1, 0).turned("y", 90), box(1, 1, 0))
    _, piece = assembly.sample(SAMPLES, Draw(0), (3.0, 1.0, 1.0))
    assert (piece == 1).mean() == pytest.approx(0.75, abs=0.015)


def test_points_lie_on_the_piece_that_they_name() -> None:
    assembly = Assembly()
    assembly.add("low", disc(1))
    assembly.add("high", disc(1).moved(y=2))
    points, piece = assembly.sample(500, Draw(0))
    np.testing.assert_allclose(points[:, 1], 2 * piece, atol=1e-12)


@pytest.mark.parametrize(
    ("axis", "start", "end"),
    [("x", (0, 1, 0), (0, 0, 1)), ("y", (0, 0, 1), (1, 0, 0)), ("z", (1, 0, 0), (0, 1, 0))],
)
def test_turns_are_right_handed(axis: str, start: tuple[float, ...], end: tuple[float, ...]) -> None:
    np.testing.assert_allclose(rotation(axis, 90) @ start, end, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotation(axis, 33)), 1)


def test_turning_and_moving_keep_the_area() -> None:
    surface = ellipsoid(1, 2, 3)
    assert surface.turned("x", 40).turned("z", 10).moved(1, 2, 3).area == pytest.approx(surface.area)


def test_catalog_has_40_classes_with_distinct_parts() -> None:
    assert len({kind.name for kind in CLASSES}) == 40
    assert len(set(PART_NAMES)) == len(PART_NAMES)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.name)
def test_every_part_of_a_class_occurs_and_no_other(kind) -> None:
    made = [kind.make(Draw(seed)) for seed in range(60)]
    assert {part for assembly in made for part, _ in assembly.pieces} == set(kind.parts)
    assert all(len({part for part, _ in assembly.pieces}) >= 2 for assembly in made)
    assert all(np.isfinite(s.vertices).all() and s.area > 0 for assembly in made for _, s in assembly.pieces)
