"""Rotations: drawn, given by angles, applied."""

from __future__ import annotations

import math

import pytest
import torch
from torch.autograd import gradcheck

from cl3d.random import generator
from cl3d.rotations import euler_rotations, random_rotations, rotate


@pytest.mark.parametrize("axis", [None, "x", "y", "z"])
def test_rotations_are_rotations(axis):
    matrices = random_rotations(11, generator(3), axis).double()
    identity = torch.eye(3, dtype=torch.float64).expand(11, 3, 3)
    assert torch.allclose(matrices @ matrices.transpose(1, 2), identity, atol=1e-6)
    assert torch.allclose(torch.linalg.det(matrices), torch.ones(11, dtype=torch.float64), atol=1e-6)
    if axis is not None:
        unit = torch.zeros(11, 1, 3)
        unit[:, :, "xyz".index(axis)] = 1
        assert torch.allclose(rotate(unit, matrices.float()), unit, atol=1e-6)


def test_rotate_is_the_matrix_times_each_point():
    points = torch.randn(5, 7, 3, generator=generator(0))
    matrices = random_rotations(5, generator(1))
    expected = torch.stack(
        [torch.stack([m @ x for x in cloud]) for m, cloud in zip(matrices, points, strict=True)]
    )
    assert torch.allclose(rotate(points, matrices), expected, atol=1e-6)


def test_so3_rotations_are_uniform():
    turned = random_rotations(20_000, generator(5))[:, :, 0]
    assert torch.allclose(turned.mean(dim=0), torch.zeros(3), atol=0.02)
    assert torch.allclose(turned.square().mean(dim=0), torch.full((3,), 1 / 3), atol=0.02)


def test_a_quarter_turn_about_each_axis():
    quarter = math.pi / 2 * torch.eye(3, dtype=torch.float64)
    images = euler_rotations(quarter) @ torch.eye(3, dtype=torch.float64)
    # about x: y to z; about y: z to x; about z: x to y (columns are the images of x, y, z)
    assert torch.allclose(images[0][:, 1], torch.tensor([0.0, 0, 1]).double(), atol=1e-15)
    assert torch.allclose(images[1][:, 2], torch.tensor([1.0, 0, 0]).double(), atol=1e-15)
    assert torch.allclose(images[2][:, 0], torch.tensor([0.0, 1, 0]).double(), atol=1e-15)


def test_angles_give_rotations_in_the_order_x_y_z():
    angles = torch.randn(5, 3, generator=generator(2), dtype=torch.float64, requires_grad=True)
    x, y, z = (euler_rotations(angles * torch.eye(3, dtype=torch.float64)[axis]) for axis in range(3))
    turns = euler_rotations(angles)
    assert torch.allclose(turns, z @ y @ x)
    assert torch.allclose(turns @ turns.mT, torch.eye(3, dtype=torch.float64).expand(5, 3, 3))
    assert torch.allclose(torch.linalg.det(turns), torch.ones(5, dtype=torch.float64))
    assert gradcheck(euler_rotations, angles)
