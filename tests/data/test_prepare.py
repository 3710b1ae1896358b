"""From raw clouds to a data set: what the settings do, and what draws hang on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sources import CLASSES, source_of, toy, write_clouds

from cl3d.clouds import PointClouds, choose_points, normalize
from cl3d.data import prepare as module
from cl3d.data.prepare import prepare
from cl3d.data.rows import FileRows, MemoryRows
from cl3d.data.settings import Settings
from cl3d.data.source import bad_files
from cl3d.errors import InputError
from cl3d.ops.fps import farthest_points
from cl3d.random import generator
from cl3d.rotations import random_rotations, rotate


def stored(folder, *names) -> torch.Tensor:
    return torch.cat([torch.from_numpy(np.load(folder / name)) for name in names])


def by_label(dataset) -> list[int]:
    return [*dataset.train.labels.tolist(), *dataset.test.labels.tolist()]


def test_all_points_keep_their_order(tmp_path):
    dataset = prepare(toy(tmp_path / "toy"), Settings(num_points=11))
    assert torch.equal(dataset.train.points, normalize(stored(tmp_path / "toy", "a.npy", "b.npy")))
    assert torch.equal(dataset.test.points, normalize(stored(tmp_path / "toy", "c.npy")))
    assert by_label(dataset) == [0, 1, 2, 0, 0, 1, 2, 0, 1, 0, 1, 2, 0, 1, 2]
    assert (dataset.name, dataset.class_names, dataset.train.points.dtype) == ("toy", CLASSES, torch.float32)


def test_clouds_may_stay_where_they_are(tmp_path):
    dataset = prepare(toy(tmp_path / "toy"), Settings(num_points=11, normalize=False))
    assert torch.equal(dataset.test.points, stored(tmp_path / "toy", "c.npy"))


@pytest.mark.parametrize("at_once", [1, 3, 512])
def test_a_split_is_drawn_at_once_where_files_are_not_apart(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(module, "CLOUDS_AT_ONCE", at_once)
    source = toy(tmp_path / "toy", per_file=False, key="other")
    dataset = prepare(source, Settings(num_points=5, rotation="so3", seed=3))
    whole = stored(tmp_path / "toy", "a.npy", "b.npy")
    chosen = choose_points(9, 11, 5, generator(3, "points", "other", "train"))
    points = normalize(whole.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 3)))
    turns = random_rotations(9, generator(3, "rotation", "other", "train"))
    assert torch.equal(dataset.train.points, rotate(points, turns))


@pytest.mark.parametrize("rotation", ["y", "so3"])
def test_other_files_change_nothing(tmp_path, rotation):
    settings = Settings(num_points=5, rotation=rotation)
    whole = prepare(toy(tmp_path / "toy"), settings)
    less = prepare(source_of(tmp_path / "toy", ["b.npy"], ["c.npy"]), settings)
    assert torch.equal(less.train.points, whole.train.points[4:])
    # nor does the split that a file is in
    moved = prepare(source_of(tmp_path / "toy", ["c.npy"], ["b.npy"]), settings)
    assert torch.equal(moved.train.points, whole.test.points)


def test_fps_takes_the_farthest_points(tmp_path):
    dataset = prepare(toy(tmp_path / "toy"), Settings(num_points=4, sampling="fps", normalize=False))
    whole = stored(tmp_path / "toy", "c.npy")
    chosen = farthest_points(whole, 4)
    assert torch.equal(dataset.test.points, whole.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 3)))
    assert (
        dataset.fingerprint()
        == prepare(
            toy(tmp_path / "toy"), Settings(num_points=4, sampling="fps", normalize=False, seed=7)
        ).fingerprint()
    )


@pytest.mark.parametrize("sampling", ["random", "fps"])
@pytest.mark.parametrize("num_points", [5, 11, 29])
def test_parts_follow_their_points(tmp_path, sampling, num_points):
    source = toy(tmp_path / "toy", parts=True, ragged=True)
    dataset = prepare(source, Settings(num_points=num_points, sampling=sampling, normalize=False))
    whole, test = stored(tmp_path / "toy", "c.npy"), dataset.test
    assert torch.equal(test.points, whole.gather(1, test.parts.unsqueeze(-1).expand(-1, -1, 3)))
    used = torch.stack([parts.bincount(minlength=11) for parts in test.parts])
    assert int(used.max() - used.min()) <= 1, "each point as often as the others, or once more"


@pytest.mark.parametrize("sampling", ["random", "fps"])
def test_clouds_of_any_size_where_the_source_says_so(tmp_path, sampling):
    for seed, points in enumerate((3, 8, 8, 20)):
        write_clouds(tmp_path / f"{seed}.npy", 2, points, seed)
    source = source_of(tmp_path, ["0.npy", "1.npy", "2.npy"], ["3.npy"], ragged=True)
    dataset = prepare(source, Settings(num_points=8, sampling=sampling, normalize=False))
    assert dataset.train.points.shape == (6, 8, 3)
    assert torch.equal(dataset.train.points[2:], stored(tmp_path, "1.npy", "2.npy"))
    first = {tuple(row) for row in stored(tmp_path, "0.npy")[0].tolist()}
    assert {tuple(row) for row in dataset.train.points[0].tolist()} == first
    with pytest.raises(InputError, match=r"1\.npy has 8 points per cloud, .*0\.npy has 3"):
        prepare(replace(source, ragged=False), Settings(num_points=2))


def test_too_few_points_are_refused(tmp_path):
    with pytest.raises(InputError, match="num_points is 12, but the clouds have 11 points: give 11 or less"):
        prepare(toy(tmp_path / "toy"), Settings(num_points=12))


@pytest.mark.parametrize("per_file", [True, False])
@pytest.mark.parametrize("sampling", ["random", "fps"])
def test_some_classes_have_the_same_clouds_as_in_the_whole(tmp_path, per_file, sampling):
    settings = Settings(num_points=5, rotation="so3", sampling=sampling)
    source = toy(tmp_path / "toy", per_file=per_file)
    whole, some = prepare(source, settings), prepare(source.of_classes("two", ["lamp", "cone"]), settings)
    assert (some.name, some.class_names) == ("two", ("lamp", "cone"))
    kept = whole.train.labels != 1
    assert torch.equal(some.train.points, whole.train.points[kept])
    assert torch.equal(some.train.labels, (whole.train.labels[kept] == 0).long())
    with pytest.raises(InputError, match="lack vase of few"):
        source.of_classes("few", ["vase"])


def test_files_of_other_classes_are_not_read(tmp_path):
    source = toy(tmp_path / "toy")
    train = [replace(file, label=label) for label, file in enumerate(source.train)]
    small = replace(source, train=train).of_classes("one", ["cup"])
    assert [file.path.name for file in small.train] == ["b.npy"]


def unusable(points=None, labels=None, parts=None):
    points = torch.randn(2, 11, 3) if points is None else points
    labels = torch.zeros(len(points), dtype=torch.int64) if labels is None else labels
    return [PointClouds(points, labels, parts)]


def nan():
    points = torch.randn(2, 11, 3)
    points[1, 2, 0] = torch.nan
    return points


@pytest.mark.parametrize(
    ("clouds", "words"),
    [
        ([], "has no clouds"),
        (unusable(nan()), "cloud 1 has NaN"),
        (unusable(torch.zeros(2, 11, 3)), "cloud 0 is empty"),
        (unusable(labels=torch.tensor([0, 3])), "has the label 3, but there are 3 names"),
        (unusable(labels=torch.tensor([0, -1])), "has the label -1"),
        (unusable(parts=torch.full((2, 11), 99)), "has the part 99, but there are 99 names"),
        (unusable(), "has part labels: give them for all, or for none"),
        (
            unusable(torch.randn(2, 6, 3), parts=torch.zeros(2, 6, dtype=torch.int64)),
            "has 6 points per cloud",
        ),
    ],
)
def test_files_that_cannot_be_used_are_named_and_checking_goes_on(tmp_path, clouds, words):
    source = toy(tmp_path / "toy", parts=True)
    bad = replace(source.train[1], read=lambda: iter(clouds))
    broken = replace(source, train=[source.train[0], bad])
    with pytest.raises(InputError, match=f"b.npy.*{words}"):
        prepare(broken, Settings(num_points=5))
    told = []
    assert bad_files(replace(broken, test=[bad, *source.test]), told.append) == 2
    assert len(told) == 2
    assert words in told[0]


@pytest.mark.parametrize("batches", [[], [3], [1, 0, 4]])
def test_rows_in_memory_and_in_a_file_are_the_same(tmp_path, batches):
    memory, file = MemoryRows((5, 3), torch.float32), FileRows(tmp_path / "x.npy", (5, 3), torch.float32)
    for seed, length in enumerate(batches):
        batch = torch.randn(length, 5, 3, generator=generator(seed))
        memory.append(batch)
        file.append(batch)
    first, second = memory.finish(), file.finish()
    assert torch.equal(first, second)
    assert np.load(tmp_path / "x.npy").shape == (sum(batches), 5, 3)
    if batches:
        second[0] = 7  # in place, in the file
        assert np.load(tmp_path / "x.npy")[0].min() == 7


def test_points_drawn_that_coincide_are_named(tmp_path):
    """One point of many lies elsewhere, and is rarely drawn."""
    clouds = np.zeros((3, 500, 3), np.float32)
    clouds[:2] = np.random.default_rng(0).standard_normal((2, 500, 3))
    clouds[2, 499] = 1
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", clouds if name == "b" else clouds[:2])
    source = source_of(tmp_path, ["a.npy"], ["b.npy"])
    with pytest.raises(InputError, match=r"b\.npy, among the points drawn: cloud 2 is empty"):
        prepare(source, Settings(num_points=4))
    prepare(source, Settings(num_points=4, sampling="fps"))


def test_one_point_is_no_cloud(tmp_path):
    source = source_of(tmp_path, [write_clouds(tmp_path / "a.npy").name], ["b.npy"], ragged=True)
    write_clouds(tmp_path / "b.npy", points=1)
    with pytest.raises(InputError, match=r"b\.npy has one point per cloud: give at least two"):
        prepare(source, Settings(num_points=4))
    said: list[str] = []
    assert bad_files(source, said.append) == 1
    assert "b.npy" in said[0]
