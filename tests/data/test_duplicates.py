"""Exact copies: counted within and across splits, dropped from test when asked for."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import torch
from sources import source_of, toy, write_clouds

from cl3d.data.duplicates import CopyCounter, Duplicates
from cl3d.data.load import load
from cl3d.data.prepare import prepare
from cl3d.data.settings import Settings
from cl3d.errors import InputError, Note


def test_copies_are_counted_within_and_across():
    a, b, c, d = torch.randn(4, 7, 3)
    found = CopyCounter.of(torch.stack((a, b, a, a)), torch.stack((c, a, c, d, a))).found
    assert found == Duplicates(train=2, test=2, test_in_train=2)


def test_almost_the_same_is_no_copy():
    cloud = torch.randn(1, 7, 3)
    other = cloud.clone()
    other[0, 3, 1] = torch.nextafter(other[0, 3, 1], torch.tensor(9.0))
    assert CopyCounter.of(cloud, other).found == Duplicates()
    assert CopyCounter.of(cloud, cloud.flip(1)).found == Duplicates()  # another order of points


def with_copies(folder):
    """A source whose test clouds 1 and 3 stand in train."""
    source = toy(folder)
    train, test = np.load(folder / "a.npy"), np.load(folder / "c.npy")
    test[1], test[3] = train[2], train[0]
    np.save(folder / "c.npy", test)
    return source


@pytest.mark.parametrize("rotation", [None, "so3"])
@pytest.mark.parametrize("per_file", [True, False])
def test_dropping_takes_test_clouds_and_changes_no_other(tmp_path, rotation, per_file):
    from dataclasses import replace

    source = replace(with_copies(tmp_path / "toy"), per_file=per_file)
    settings = {"num_points": 5, "rotation": rotation}
    whole, dropped = (prepare(source, Settings(**settings, drop_duplicates=d)) for d in (False, True))
    assert whole.duplicates == Duplicates(test_in_train=2)
    assert dropped.duplicates == Duplicates(test_in_train=2, dropped=True)
    assert torch.equal(dropped.train.points, whole.train.points)
    rest = torch.tensor([0, 2, 4, 5])
    assert torch.equal(dropped.test.points, whole.test.points[rest])
    assert torch.equal(dropped.test.labels, whole.test.labels[rest])


def test_what_is_dropped_is_noted_on_every_start(tmp_path):
    with_copies(tmp_path / "toy")
    for _ in range(2):
        with pytest.warns(Note, match="toy: dropped 2 of 6 test clouds, which stand in train"):
            load(lambda: toy(tmp_path / "toy"), num_points=5, drop_duplicates=True)


def test_a_test_set_of_copies_alone_is_refused(tmp_path):
    write_clouds(tmp_path / "a.npy")
    source = source_of(tmp_path, ["a.npy"], ["a.npy"])
    with pytest.raises(InputError, match="toy has no test clouds left, as exact copies"):
        prepare(source, Settings(num_points=5, drop_duplicates=True))


def test_the_real_copies_of_modelnet40_are_found(real_data):
    """The columns mark 91 test clouds; three more came to be the same bytes when they were stored."""
    folder = real_data / "modelnet40_ply_hdf5_2048"
    columns = {}
    for split in ("train", "test"):
        listed = (folder / f"{split}_files.txt").read_text().split()
        files = [h5py.File(folder / line.rsplit("/")[-1]) for line in listed]
        if any("duplicate_in_other_split" not in file for file in files):
            pytest.skip("the release does not mark its copies")
        columns[split] = [
            np.concatenate([file[key][()] for file in files]) for key in ("data", "duplicate_in_other_split")
        ]
    counter = CopyCounter(drop=True)
    counter.staying("train", torch.from_numpy(columns["train"][0]))
    staying = counter.staying("test", torch.from_numpy(columns["test"][0]))
    marked = torch.from_numpy(columns["test"][1]).bool()
    assert int(marked.sum()) == 91
    assert not bool(staying[marked].any())
    assert counter.found.test_in_train == int((~staying).sum()) == 94
