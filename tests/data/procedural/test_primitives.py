from __future__ import annotations

import math

import numpy as np
import pytest

from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import (
    arc,
    box,
    cylinder,
    disc,
    ellipsoid,
    prism,
    revolve,
    rod,
    torus,
    tube,
)
from cl3d.data.procedural.surface import Floats, Surface, sample_triangles


def points_on(surface: Surface, count: int = 2000) -> Floats:
    return sample_triangles(surface.vertices[surface.faces], count, Draw(1))[0]


def from_axis(points: Floats) -> Floats:
    """Distance from the y axis."""
    return np.hypot(points[:, 0], points[:, 2])


# facets cut the corners of round surfaces, so that their areas and radii are a little too small
AREAS = {
    "box": (box(1, 2, 3), 22, 1e-9),
    "pyramid": (box(2, 1, 2, top=0), 4 + 4 * math.sqrt(2), 1e-9),
    "cylinder": (cylinder(1, 3), 2 * math.pi * (1 + 3), 0.02),
    "open cylinder": (cylinder(1, 3, closed=False), 2 * math.pi * 3, 0.02),
    "cone": (cylinder(3, 4, top=0), math.pi * 3 * (3 + 5), 0.02),
    "disc": (disc(2), 4 * math.pi, 0.02),
    "sphere": (ellipsoid(1, 1, 1), 4 * math.pi, 0.03),
    "spheroid": (ellipsoid(2, 1, 2), 2 * math.pi * 4 + math.pi / 0.8660254 * math.log(13.9282032), 0.03),
    "paraboloid": (
        revolve([(r, r * r) for r in np.linspace(0, 1, 20)]),
        math.pi / 6 * (5**1.5 - 1),
        0.03,
    ),
    "torus": (torus(2, 0.5), 4 * math.pi**2, 0.05),
    "half torus": (torus(2, 0.5, 0, 180), 2 * math.pi**2 + 2 * math.pi * 0.25, 0.04),
    "rod": (rod((1, 1, 1), (1, 4, 5), 0.5), 2 * math.pi * 0.5 * (5 + 0.5), 0.06),
    "square rod": (rod((0, 0, 0), (0, 3, 0), 1 / math.sqrt(2), sides=4), 2 + 4 * 3, 1e-9),
    "tube": (tube(arc(3, 0, 90, 30), 0.3), 2 * math.pi * 0.3 * (1.5 * math.pi + 0.3), 0.04),
    "prism": (prism([(0, 0), (3, 0), (0, 4)], 2), 2 * 6 + 12 * 2, 1e-9),
}


@pytest.mark.parametrize("name", AREAS)
def test_area_agrees_with_the_closed_form(name: str) -> None:
    surface, area, tolerance = AREAS[name]
    assert surface.area == pytest.approx(area, rel=tolerance)


def test_box_points_lie_on_a_side() -> None:
    points = points_on(box(1, 2, 3))
    beyond = np.abs(points - (0, 1, 0)) / (0.5, 1, 1.5)
    np.testing.assert_allclose(beyond.max(axis=1), 1, atol=1e-12)


def test_cylinder_points_lie_on_the_wall_or_an_end() -> None:
    points = points_on(cylinder(2, 3))
    at_end = np.minimum(np.abs(points[:, 1]), np.abs(points[:, 1] - 3)) < 1e-12
    assert ((from_axis(points) > 2 * 0.98) | at_end).all()
    assert from_axis(points).max() <= 2 + 1e-12


def test_ellipsoid_points_lie_on_it() -> None:
    points = points_on(ellipsoid(1, 2, 3))
    level = np.linalg.norm(points / (1, 2, 3), axis=1)
    assert level.min() > 0.96
    assert level.max() <= 1 + 1e-12


def test_revolution_follows_its_profile() -> None:
    points = points_on(revolve([(1, 0), (2, 1), (1, 2)]))
    np.testing.assert_allclose(from_axis(points), 2 - np.abs(points[:, 1] - 1), rtol=0.02)


def test_torus_points_keep_their_distance_from_the_circle() -> None:
    points = points_on(torus(2, 0.5))
    distance = np.hypot(np.hypot(points[:, 0], points[:, 1]) - 2, points[:, 2])
    assert distance.min() > 0.5 * 0.85
    assert distance.max() < 0.5 * 1.03


def test_part_of_a_torus_spans_its_angles() -> None:
    points = points_on(torus(2, 0.1, 0, 90))
    angle = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
    assert -4 < angle.min() < 5
    assert 85 < angle.max() < 94


@pytest.mark.parametrize("end", [(0, 3, 0), (3, 0, 0), (0, 0, -3), (1, -2, 2)])
def test_rod_points_keep_their_distance_from_the_axis(end: tuple[float, float, float]) -> None:
    points = points_on(rod((0, 0, 0), end, 0.2, sides=16))
    axis = np.array(end) / 3
    along = points @ axis
    distance = np.linalg.norm(points - along[:, None] * axis, axis=1)
    at_end = np.minimum(np.abs(along), np.abs(along - 3)) < 1e-9
    assert ((distance > 0.2 * 0.97) | at_end).all()
    assert distance.max() < 0.2 + 1e-9


def test_tube_takes_a_radius_per_point() -> None:
    points = points_on(tube([(0, 0, 0), (0, 1, 0), (0, 2, 0)], [1, 2, 1], (1, 0, 0), sides=32))
    inside = (points[:, 1] > 0.01) & (points[:, 1] < 1.99)
    np.testing.assert_allclose(from_axis(points)[inside], 2 - np.abs(points[inside, 1] - 1), rtol=0.02)


def test_prism_points_lie_on_a_face_or_an_edge() -> None:
    x, y, z = points_on(prism([(0, 0), (1, 0), (0, 1)], 0.5)).T
    on_face = np.abs(np.abs(z) - 0.25) < 1e-12
    on_edge = np.min(np.abs([x, y, x + y - 1]), axis=0) < 1e-12
    assert (on_face | on_edge).all()


@pytest.mark.parametrize("angle", [0, 90, 200])
def test_arc_starts_at_its_angle(angle: float) -> None:
    first = arc(2, angle, 300, centre=(1, 0, 5))[0]
    expected = (1 + 2 * math.cos(math.radians(angle)), 2 * math.sin(math.radians(angle)), 5)
    np.testing.assert_allclose(first, expected, atol=1e-12)
