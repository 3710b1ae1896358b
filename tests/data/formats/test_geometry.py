"""Geometry, what reading does for all formats, and polygons."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from format_writers import Array, Reader, Refusal, npy, text

from cl3d.data.formats import ENDINGS, Geometry, check_geometry, read
from cl3d.data.formats.polygons import Polygons
from cl3d.errors import InputError


def test_the_endings_are_those_of_the_formats() -> None:
    assert set(ENDINGS) == {".ply", ".off", ".obj", ".stl", ".pcd", ".pts", ".txt", ".xyz", ".npy"}


@pytest.mark.parametrize("name", ["a.TXT", "a.b.Pts", "a b.xyz"])
def test_endings_may_be_in_upper_case(load: Reader, points: Array, name: str) -> None:
    geometry = load(name, text(points))
    assert geometry.points.dtype == np.float32
    assert np.array_equal(geometry.points, points)
    assert geometry.faces is None


@pytest.mark.parametrize("name", ["a.glb", "ply", "a.txt.gz", "a."])
def test_other_endings_are_refused_with_those_that_are_read(check_refused: Refusal, name: str) -> None:
    message = check_refused(name, b"0 0 0\n1 1 1\n", "give a file that ends in")
    assert all(ending in message for ending in ENDINGS)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_file_is_named(check_refused: Refusal, ending: str) -> None:
    check_refused(f"a{ending}", b"", "is empty")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder.ply").mkdir()
    for name in ("gone.ply", "folder.ply"):
        with pytest.raises(InputError, match=rf"{re.escape(name)} is no file"):
            read(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, points: Array) -> None:
    path = tmp_path / "locked.txt"
    path.write_bytes(text(points))
    path.chmod(0)
    with pytest.raises(InputError, match=r"locked\.txt cannot be read"):
        read(path)


def test_points_may_be_changed_and_outlive_the_file(load: Reader, points: Array) -> None:
    for name, content in (("a.txt", text(points)), ("a.npy", npy(points))):
        geometry = load(name, content)
        assert geometry.points.flags.writeable
        assert geometry.points.flags.c_contiguous


@pytest.mark.parametrize("points", [np.zeros((5, 3)), np.zeros((5, 2), np.float32), np.zeros(3, np.float32)])
def test_points_of_another_kind_are_refused(points: Array) -> None:
    with pytest.raises(InputError, match="give float32 of shape"):
        Geometry(points)


@pytest.mark.parametrize("faces", [np.zeros((5, 3), np.int32), np.zeros((5, 4), np.int64)])
def test_faces_of_another_kind_are_refused(points: Array, faces: Array) -> None:
    with pytest.raises(InputError, match="give int64 of shape"):
        Geometry(points, faces)


def test_checks_of_points(points: Array) -> None:
    check_geometry(Geometry(points), "a")
    with pytest.raises(InputError, match="a has one point: give at least two"):
        check_geometry(Geometry(points[:1]), "a")
    for value in (np.nan, np.inf, -np.inf):
        bad = points.copy()
        bad[[3, 5], [1, 2]] = value
        with pytest.raises(InputError, match=r"^a: point 3 is"):
            check_geometry(Geometry(bad), "a")
    with pytest.raises(InputError, match="a has no points"):
        check_geometry(Geometry(points[:0]), "a")
    with pytest.raises(InputError, match=r"a has no extent \(all its 5 points"):
        check_geometry(Geometry(np.repeat(points[:1], 5, axis=0)), "a")
    flat = np.repeat(points[:1], 5, axis=0)
    flat[4, 2] += 1
    check_geometry(Geometry(flat), "two places")


@pytest.mark.parametrize("corner", [-1, 7])
def test_checks_of_faces(points: Array, corner: int) -> None:
    faces = np.array([[0, 1, 6], [2, 3, 4], [5, 6, corner]])
    check_geometry(Geometry(points, faces[:2]), "a")
    with pytest.raises(InputError, match=rf"a: face 2 has corners \[5, 6, {corner}\]"):
        check_geometry(Geometry(points, faces), "a")


def polygons_of(lists: list[list[int]], places: list[int], pieces: int) -> Polygons:
    polygons = Polygons("a", "byte")
    for start in range(0, len(lists), pieces):
        some = lists[start : start + pieces]
        sizes = np.array([len(corners) for corners in some], dtype=np.int64)
        polygons.add(sizes, np.concatenate(some), places[start : start + pieces])
    return polygons


@pytest.mark.parametrize("pieces", [1, 2, 11])
def test_polygons_become_fans_in_their_order(pieces: int) -> None:
    random = np.random.default_rng(pieces)
    lists = [random.integers(0, 13, size).tolist() for size in (3, 7, 3, 4, 5, 3, 11, 4)]
    found = polygons_of(lists, list(range(8)), pieces).triangles(13)
    expected = [[c[0], c[i], c[i + 1]] for c in lists for i in range(1, len(c) - 1)]
    assert found is not None
    assert found.dtype == np.int64
    assert found.tolist() == expected


def test_no_polygons_are_no_faces() -> None:
    assert Polygons("a", "line").triangles(5) is None


@pytest.mark.parametrize("corner", [-3, 13])
@pytest.mark.parametrize("pieces", [1, 2, 5])
@pytest.mark.parametrize("position", [0, 1, 3])
def test_the_place_of_a_polygon_with_a_wrong_corner_is_named(corner: int, pieces: int, position: int) -> None:
    lists = [[0, 1, 2], [3, 4, 5, 6], [7, 8, 9], [10, 11, 12, 1], [corner, 1, 2]]
    lists[3][position] = corner
    with pytest.raises(InputError, match=rf"^a, byte 41: the face has point {corner} "):
        polygons_of(lists, [11, 23, 31, 41, 53], pieces).triangles(13)


def test_the_place_of_a_polygon_with_two_corners_is_named() -> None:
    with pytest.raises(InputError, match=r"^a, byte 23: the face has 2 corners"):
        polygons_of([[0, 1, 2], [3, 4], [7, 8]], [11, 23, 31], 3)
