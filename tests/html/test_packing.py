"""Coordinates as text: nothing is off by more than half a step of its grid."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cl3d.html.packing import MOVES, STEPS, pack, pack_moves, pack_parts, unpack, unpack_moves

coordinates = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 23), st.just(3)), elements=st.floats(-1e3, 1e3, width=32)
)


@given(coordinates)
def test_points_come_back_within_half_a_step(points):
    packed = json.loads(json.dumps(pack(points)))
    longest = float((points.max(axis=0) - points.min(axis=0)).max())
    # half a step; the numbers are written with nine digits and read as float32
    bound = longest / STEPS / 2 * 1.001 + 2e-7 * float(np.abs(points).max()) + 1e-12
    assert packed["n"] == len(points)
    assert np.abs(unpack(packed) - points).max() <= bound


@given(coordinates)
def test_displacements_come_back_within_half_a_step(moves):
    packed = json.loads(json.dumps(pack_moves(moves)))
    largest = float(np.abs(moves).max())
    assert np.abs(unpack_moves(packed) - moves).max() <= largest / MOVES / 2 * 1.001 + 1e-12


def test_the_bound_is_that_of_sixteen_bits():
    points = np.random.default_rng(0).uniform(-1, 1, (4096, 3)).astype(np.float32)
    error = np.abs(unpack(pack(points)) - points).max()
    assert 1e-6 < error < 1 / 65535 * 1.01


def test_a_point_takes_eight_characters():
    points = np.random.default_rng(0).standard_normal((1024, 3)).astype(np.float32)
    assert len(pack(points)["at"]) == 8 * 1024
    assert len(pack_moves(points)["at"]) == 4 * 1024
    assert len(pack_parts(np.arange(1024))) == 4 * (1024 + 2) // 3


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.full((5, 3), 0.25)])
def test_points_in_one_place_stay_there(points):
    assert np.allclose(unpack(pack(points.astype(np.float32))), points, atol=1e-6)
    assert np.array_equal(unpack_moves(pack_moves(0 * points)), 0 * points)
