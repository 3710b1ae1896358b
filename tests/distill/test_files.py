"""Synthetic sets on disk: whole, deterministic, and refused when damaged."""

from __future__ import annotations

import json
import os

import pytest
import torch
from safetensors.torch import save_file

from cl3d.clouds import PointClouds
from cl3d.distill import PointSet, ShapeSet, load, save
from cl3d.distill.parameterizations.generated import drawn
from cl3d.errors import InputError
from cl3d.random import generator


def point_set() -> PointSet:
    points = torch.randn(5, 7, 3, generator=generator(0))
    return PointSet(PointClouds(points, torch.tensor([2, 2, 3, 11, 11])))


def test_a_file_holds_tensors_labels_and_origin(tmp_path):
    synthetic = point_set()
    synthetic.info = {"loss_last": 0.25, "provenance": {"seed": 3}}
    save(synthetic, tmp_path / "deep" / "set.safetensors")
    loaded = load(tmp_path / "deep" / "set.safetensors")
    assert torch.equal(loaded.decode().points, synthetic.decode().points)
    assert loaded.labels.tolist() == [2, 2, 3, 11, 11]
    assert loaded.info == synthetic.info
    assert loaded.nbytes == 5 * 7 * 12


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    def no_space(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(InputError, match="No space left on device"):
        save(point_set(), tmp_path / "set.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_survives_a_failed_write(tmp_path, monkeypatch):
    path = tmp_path / "set.safetensors"
    save(point_set(), path)
    before = path.read_bytes()

    def no_space(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(InputError):
        save(point_set(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_or_truncated_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        load(tmp_path / "none.safetensors")
    path = tmp_path / "set.safetensors"
    save(point_set(), path)
    whole = path.read_bytes()
    for length in (0, 4, 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="not a whole safetensors file"):
            load(path)


HEADER = {
    "format_version": 1,
    "cl3d_version": "0",
    "kind": "points",
    "clouds_per_class": [[0, 5]],
    "config": {},
    "info": {},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 99}, "upgrade cl3d"),
        ({"kind": "mystery"}, "known are points"),
        ({"clouds_per_class": [[0, 4]]}, "is damaged"),
        ({"clouds_per_class": [[0, 10**12]]}, "do not hold"),
        ({"clouds_per_class": [[0, -5], [1, 10]]}, "do not hold"),
        ({"clouds_per_class": "x"}, "incomplete header"),
        ({"config": {"width": 3}}, "is damaged"),
        ({"clouds_per_class": [[1, 2], [0, 3]]}, "not ascending"),
        ({"clouds_per_class": [[1, 2], [1, 3]]}, "not ascending"),
        ({"clouds_per_class": [[-1, 5]]}, "not ascending"),
        ({"clouds_per_class": [[10**30, 5]]}, "not ascending"),
        ({"info": {"provenance": 5}}, "incomplete header"),
        ({"format_version": float("inf")}, "incomplete header"),
    ],
)
def test_headers_that_do_not_fit_are_refused(tmp_path, change, message):
    path = tmp_path / "set.safetensors"
    save_file({"points": torch.zeros(5, 7, 3)}, path, metadata={"cl3d": json.dumps(HEADER | change)})
    with pytest.raises(InputError, match=message):
        load(path)


@pytest.mark.parametrize("header", ["{", "[" * 10**5, '{"a":' * 10**5, "[]"])
def test_headers_that_are_no_header_are_refused(tmp_path, header):
    path = tmp_path / "set.safetensors"
    save_file({"points": torch.zeros(5, 7, 3)}, path, metadata={"cl3d": header})
    with pytest.raises(InputError, match="not a set saved by cl3d"):
        load(path)


@pytest.mark.parametrize("kind", ["generator", "shape_model"])
def test_files_cannot_ask_for_more_points_than_fit(tmp_path, kind):
    path, labels, shapes = tmp_path / "set.safetensors", torch.tensor([2, 3]), torch.zeros(4, 17, 3)
    drawn_sets = {
        "generator": lambda size: drawn(labels, 4, 30.0, size, seed=0),
        "shape_model": lambda size: ShapeSet(shapes, [1, 1], labels.repeat_interleave(size), 0),
    }
    save(drawn_sets[kind](1000), path)
    assert len(load(path)) == (2 if kind == "generator" else 2000)
    save(drawn_sets[kind](2**22 if kind == "shape_model" else 2**26), path)
    with pytest.raises(InputError, match=r"it draws .* clouds of .* points, above 67108864 in all"):
        load(path)


@pytest.mark.parametrize("w0", [10**30, 1e308])
def test_a_generator_of_absurd_frequency_is_refused(tmp_path, w0):
    synthetic = drawn(torch.tensor([2, 3]), 4, 30.0, 17, seed=0)
    synthetic.siren.w0 = w0
    save(synthetic, tmp_path / "set.safetensors")
    with pytest.raises(InputError, match="w0="):
        load(tmp_path / "set.safetensors")


@pytest.mark.parametrize(
    "tensors",
    [
        {"points": torch.zeros(5, 7, 2)},
        {"points": torch.zeros(5, 7, 3, dtype=torch.float64)},
        {"points": torch.full((5, 7, 3), torch.nan)},
        {"points": torch.zeros(5, 7, 3), "more": torch.zeros(1)},
        {"other": torch.zeros(5, 7, 3)},
    ],
)
def test_tensors_that_do_not_fit_are_refused(tmp_path, tensors):
    path = tmp_path / "set.safetensors"
    save_file(tensors, path, metadata={"cl3d": json.dumps(HEADER)})
    with pytest.raises(InputError, match="is damaged"):
        load(path)


def test_other_safetensors_files_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"w": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="not a set saved by cl3d"):
        load(path)


def test_pruning_keeps_the_first_of_each_class():
    synthetic = point_set()
    pruned = synthetic.prune(1)
    assert pruned.labels.tolist() == [2, 3, 11]
    assert torch.equal(pruned.decode().points, synthetic.decode().points[[0, 2, 3]])


def test_decoding_fewer_points_takes_some_of_them():
    some = point_set().decode(generator(1), num_points=5)
    assert some.points.shape == (5, 5, 3)
    stored = point_set().decode().points
    assert all((stored[i] == point).all(dim=1).any() for i in range(5) for point in some.points[i])
