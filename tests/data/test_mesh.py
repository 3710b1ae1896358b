"""Sampling meshes: against a plain twin, and the distribution it must have."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, ks_2samp

from cl3d.data.formats import Geometry
from cl3d.data.mesh import sample_surface
from cl3d.data.procedural.draw import Draw
from cl3d.errors import InputError

SAMPLES = 20_011


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mesh(triangles: int = 11, seed: int = 0) -> Geometry:
    """Triangles of very different areas that share no points."""
    random = np.random.default_rng(seed)
    corners = random.standard_normal((triangles, 3, 3)) * random.uniform(0.3, 2, (triangles, 1, 1))
    return of_corners(corners)


def of_corners(corners: np.ndarray) -> Geometry:
    return Geometry(corners.reshape(-1, 3).astype(np.float32), np.arange(corners.shape[0] * 3).reshape(-1, 3))


def triangles_of(geometry: Geometry) -> np.ndarray:
    assert geometry.faces is not None
    return geometry.points.astype(np.float64)[geometry.faces]


def areas_of(geometry: Geometry) -> np.ndarray:
    a, b, c = triangles_of(geometry).transpose(1, 0, 2)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def twin(geometry: Geometry, num_points: int, generator: torch.Generator) -> np.ndarray:
    """The same draws, one point after the other."""
    draw = Draw(int(torch.randint(2**63 - 1, (), generator=generator)))
    which, u, v = draw.uniform(3, num_points)
    triangles, areas = triangles_of(geometry), areas_of(geometry)
    points = []
    for w, r, s in zip(which, u, v, strict=True):
        left, chosen = w * areas.sum(), 0
        while left >= areas[chosen]:
            left -= areas[chosen]
            chosen += 1
        a, b, c = triangles[chosen]
        points.append(a + math.sqrt(r) * ((1 - s) * (b - a) + s * (c - a)))
    return np.array(points)


def barycentric(points: np.ndarray, geometry: Geometry) -> np.ndarray:
    """(points, triangles, 3), and far outside for points that do not lie in the triangle's plane."""
    a, b, c = triangles_of(geometry).transpose(1, 0, 2)
    edges = np.stack((b - a, c - a), axis=2)
    offsets = points[:, None] - a
    weights = np.einsum("tij,ptj->pti", np.linalg.pinv(edges), offsets)
    beside = np.linalg.norm(offsets - np.einsum("tji,pti->ptj", edges, weights), axis=2) > 1e-5
    full = np.concatenate((1 - weights.sum(axis=2, keepdims=True), weights), axis=2)
    return np.where(beside[..., None], -np.inf, full)


def owners(points: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The triangle that each point lies on; fails where there is none."""
    least = barycentric(points, geometry).min(axis=2)
    assert (least.max(axis=1) > -1e-5).all()
    return least.argmax(axis=1)


def test_is_its_plain_twin() -> None:
    geometry = mesh()
    found = sample_surface(geometry, 211, seeded(5))
    assert found.dtype == torch.float32
    assert found.shape == (211, 3)
    np.testing.assert_allclose(found.numpy(), twin(geometry, 211, seeded(5)), atol=1e-6)


def test_the_generator_decides() -> None:
    geometry = mesh()
    state = seeded(1)
    first, second = sample_surface(geometry, 97, state), sample_surface(geometry, 97, state)
    assert torch.equal(first, sample_surface(geometry, 97, seeded(1)))
    assert not torch.equal(first, second)
    torch.manual_seed(3)
    assert torch.equal(first, sample_surface(geometry, 97, seeded(1)))


def test_triangles_get_points_by_their_area_and_those_lie_on_them() -> None:
    geometry = mesh()
    points = sample_surface(geometry, SAMPLES, seeded()).numpy().astype(np.float64)
    counts = np.bincount(owners(points, geometry), minlength=11)
    areas = areas_of(geometry)
    assert chisquare(counts, areas / areas.sum() * SAMPLES).pvalue > 1e-3
    # and would be noticed if all triangles were alike
    assert chisquare(counts).pvalue < 1e-9


def test_points_are_uniform_on_a_triangle() -> None:
    geometry = mesh(1)
    points = sample_surface(geometry, SAMPLES, seeded()).numpy().astype(np.float64)
    weights = barycentric(points, geometry)[:, 0]
    # four similar triangles of equal area: one at each corner, one between
    part = np.where(weights.max(axis=1) > 0.5, weights.argmax(axis=1), 3)
    assert chisquare(np.bincount(part, minlength=4)).pvalue > 1e-3


def test_the_order_of_faces_and_corners_does_not_change_the_distribution() -> None:
    geometry = mesh()
    assert geometry.faces is not None
    random = np.random.default_rng(7)
    other = Geometry(geometry.points, random.permuted(random.permutation(geometry.faces), axis=1))
    first = sample_surface(geometry, SAMPLES, seeded(1)).numpy()
    second = sample_surface(other, SAMPLES, seeded(2)).numpy()
    for axis in range(3):
        assert ks_2samp(first[:, axis], second[:, axis]).pvalue > 1e-3


def test_triangles_without_area_get_no_points() -> None:
    corners = np.zeros((5, 3, 3))
    corners[1:4] = [[7, 7, 7], [8, 8, 8], [9, 9, 9]]
    corners[2] = np.eye(3)
    geometry = of_corners(corners)
    points = sample_surface(geometry, 499, seeded())
    assert torch.allclose(points.sum(dim=1), torch.ones(499))


@pytest.mark.parametrize("scale", [1e-38, 1e-20, 1e19, 3e37])
def test_coordinates_of_any_size_that_float32_holds(scale: float) -> None:
    geometry = mesh()
    scaled = Geometry((geometry.points * np.float64(scale)).astype(np.float32), geometry.faces)
    found = sample_surface(scaled, 97, seeded()).double() / scale
    assert torch.allclose(found, sample_surface(geometry, 97, seeded()).double(), atol=1e-4)


def test_what_cannot_be_sampled_is_refused() -> None:
    with pytest.raises(InputError, match=r"a\.ply has no faces"):
        sample_surface(Geometry(mesh().points), 97, seeded(), "a.ply")
    line = np.arange(45.0).reshape(5, 3, 3) // 3 * np.ones(3)
    with pytest.raises(InputError, match="the mesh has no area"):
        sample_surface(of_corners(line), 97, seeded())
    with pytest.raises(InputError, match="num_points=0"):
        sample_surface(mesh(), 0, seeded())
