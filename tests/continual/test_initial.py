"""What sets started from is kept for pictures, and changes nothing of a run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from cl3d.clouds import normalize
from cl3d.continual import ContinualRun, Scratch
from cl3d.data import shapes40
from cl3d.distill import Budget, Training, load, presets
from cl3d.distill.initial import load_initial
from cl3d.models import PointNet

SMALL = partial(PointNet, channels=(8, 16), head=(8,))
DM = replace(presets.dm(), iterations=2, real_batch=3)


@pytest.fixture(scope="module")
def dataset():
    return shapes40(num_points=32, num_classes=5, train_per_class=5, test_per_class=3)


def tiny_run(dataset, **changes) -> ContinualRun:
    settings = {"condenser": DM, "budget": Budget(ppc=2), "steps": 2, "seed": 0} | changes
    return ContinualRun(dataset, SMALL, Scratch(Training(epochs=1, batch_size=8)), **settings)


@pytest.mark.parametrize("changes", [{}, {"joint_condensed": True}], ids=["by step", "joint"])
def test_it_is_real_clouds(dataset, tmp_path, changes):
    tiny_run(dataset, **changes).start(tmp_path, keep_initial=True)
    real = {cloud.numpy().tobytes() for cloud in normalize(dataset.train.points)}
    for step in (1, 2):
        initial = load_initial(tmp_path / "initial" / f"step_{step:02d}.safetensors")
        made = load(tmp_path / "memory" / f"step_{step:02d}.safetensors")
        assert torch.equal(initial.labels, made.labels)
        assert all(cloud.numpy().tobytes() in real for cloud in initial.points)
        moved = (normalize(made.decode().points.detach()) - initial.points).norm(dim=2).mean()
        if not changes:
            assert float(moved) == pytest.approx(made.info["moved_mean"], rel=1e-3)


def test_a_run_is_the_same_with_and_without_it(dataset, tmp_path):
    for name, keep in (("with", True), ("without", False)):
        tiny_run(dataset).start(tmp_path / name, keep_initial=keep)
    assert not (tmp_path / "without" / "initial").exists()
    for name in ("results.json", "memory/step_01.safetensors", "memory/step_02.safetensors"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_results_show_themselves_in_a_notebook(dataset, tmp_path):
    shown = tiny_run(dataset).start(tmp_path)._repr_html_()
    assert "dm on shapes40: finished" in shown
    assert shown.count("<tr>") == 3
