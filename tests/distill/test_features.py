"""Features of a network trained on clouds: found again by data, model, training and seed, without a pass."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from cl3d.distill import features
from cl3d.distill.features import trained_features
from cl3d.distill.networks import Networks
from cl3d.distill.training import Training
from cl3d.errors import Note
from cl3d.models import PointNet
from cl3d.testing.condensers import blobs

QUICK = Training(epochs=2, batch_size=8)
SMALL = partial(PointNet, channels=(5, 11), head=(7,))
DATA = blobs(labels=(2, 3, 5))


def found(folder, data=DATA, training=QUICK, seed=5, network_seed=0) -> torch.Tensor:
    networks = Networks(SMALL, 3, torch.device("cpu"), network_seed)
    return trained_features(data, networks, training, seed, folder=folder)


def test_features_are_found_again_without_training_or_a_pass(tmp_path, monkeypatch):
    first = found(tmp_path)
    assert first.shape == (len(DATA), 11)
    assert torch.equal(found(None), first)
    for name in ("fit", "extract_features"):
        monkeypatch.setattr(features, name, None)  # a call would raise
    assert torch.equal(found(tmp_path), first)
    moved = DATA.with_points(DATA.points + 0.5 * (torch.arange(len(DATA)) == 1).view(-1, 1, 1))
    for other in ({"data": moved}, {"training": replace(QUICK, epochs=3)}, {"seed": 6}, {"network_seed": 1}):
        with pytest.raises(TypeError):
            found(tmp_path, **other)


def test_a_damaged_file_is_made_anew(tmp_path):
    first = found(tmp_path)
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:50])
    with pytest.warns(Note, match="training anew"):
        assert torch.equal(found(tmp_path), first)
