"""On CUDA the same code runs, and gives nearly the same; skipped where there is no device."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from cl3d.distill import Budget, evaluate, presets, protocols
from cl3d.models import PointNet
from cl3d.testing.condensers import blobs

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
SMALL = partial(PointNet, channels=(5, 11), head=(7,))


@pytest.mark.parametrize("name", ["herding", "dc", "pcc", "dm", "mtt", "sadm", "dd3d"])
def test_condensing_on_cuda_starts_where_the_cpu_does_and_stays_near(name):
    preset = getattr(presets, name)()
    preset = replace(preset, iterations=min(preset.iterations, 3))
    cpu, cuda = (preset(blobs(), budget=Budget(ppc=2), model=SMALL, device=d) for d in ("cpu", "cuda"))
    assert cuda.labels.tolist() == cpu.labels.tolist()
    assert cuda.decode().points.device.type == "cpu"
    assert torch.allclose(cuda.decode().points, cpu.decode().points, atol=0.05)


def test_a_checkpoint_of_cuda_is_taken_up_on_cuda(tmp_path):
    preset = replace(presets.pcc(), iterations=4)
    path = tmp_path / "checkpoint.safetensors"
    first = preset(blobs(), budget=Budget(ppc=2), model=SMALL, device="cuda", checkpoint=path)
    again = preset(blobs(), budget=Budget(ppc=2), model=SMALL, device="cuda", checkpoint=path)
    assert torch.equal(first.points, again.points)


def test_evaluating_on_cuda():
    data = blobs(labels=(0, 1, 2))
    training = replace(protocols.default(), epochs=2)
    assert 0 <= evaluate(data, data, model=SMALL, training=training, runs=1, device="cuda").mean <= 1
