"""Part segmentation as a user meets it: distil, evaluate, compare; and one sentence for wrong input."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from script_runs import resume, run

from cl3d.distill import load

DATA = [
    *("data.num_points=48", "data.train_per_class=4", "data.test_per_class=2", "data.num_classes=3"),
    "device=cpu",
]
TINY = ["task=part_segmentation", *DATA, "model.channels=[8,16]", "model.hidden=[8]"]


@pytest.fixture
def script(monkeypatch, tmp_path):
    def start(name: str, *arguments: str, folder: str = "run") -> int:
        return run(name, *arguments, monkeypatch=monkeypatch, folder=tmp_path / folder)

    return start


def test_distilling_and_evaluating_parts(script, tmp_path, capsys):
    arguments = ["condenser=dc", "condenser.iterations=2", "ppc=1"]
    assert script("distill", *TINY, *arguments, folder="set") == 0
    path = tmp_path / "set" / "synthetic.safetensors"
    synthetic = load(path)
    assert synthetic.nbytes == 3 * 48 * 12
    assert synthetic.decode().parts is not None
    assert script("evaluate", *TINY, f"set={path}", "runs=2", "training.epochs=2") == 0
    assert "instance mIoU" in capsys.readouterr().out
    value = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert len(value["instance_miou"]) == len(value["class_miou"]) == len(value["accuracies"]) == 2
    assert value["mean"] == pytest.approx(sum(value["instance_miou"]) / 2)
    assert len(value["per_class"]) == 3
    # a set with parts is one of clouds with classes, too
    others = [*DATA, "model.channels=[8,16]", "model.head=[8]", f"set={path}", "runs=1", "training.epochs=1"]
    assert script("evaluate", *others, folder="classes") == 0
    assert "instance_miou" not in json.loads((tmp_path / "classes" / "evaluation.json").read_text())


def test_the_whole_data_is_evaluated_and_runs_are_taken_up_again(script, tmp_path, monkeypatch, capsys):
    assert script("evaluate", *TINY, "set=data", "runs=1", "training.epochs=1") == 0
    assert script("distill", *TINY, "condenser=random", folder="set") == 0
    assert resume("distill", tmp_path / "set", monkeypatch=monkeypatch) == 0
    assert "finished" in capsys.readouterr().out


@pytest.mark.slow
def test_a_tiny_comparison_of_parts(script, tmp_path):
    settings = [*TINY, "training.epochs=2", "runs=1", "seeds=[0,1]", "condensers=[random,herding]"]
    assert script("compare", *settings) == 0
    table = (tmp_path / "run" / "comparison.md").read_text()
    assert "| instance mIoU % | class mIoU % | accuracy % | margin over random" in table
    with (tmp_path / "run" / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert all(0 <= float(row["class_miou"]) <= 1 for row in rows)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("distill", ["task=part_segmentation", "model=pointnet"], ["PointNet classifies", "_segmentation"]),
        ("distill", ["model=dgcnn_segmentation"], ["DGCNNSegmentation segments", "task=part_segmentation"]),
        ("distill", ["task=parts"], ["task/parts", "classification, part_segmentation"]),
        ("distill", ["task=part_segmentation", "condenser=mtt"], ["TrajectoryMatching", "another objective"]),
        ("distill", ["task=part_segmentation", "condenser=shape_model"], ["ShapeModel", "parameterization"]),
        ("distill", ["task=part_segmentation", "condenser=reservoir"], ["reservoir", "without their parts"]),
        ("compare", ["task=part_segmentation", "condensers=[random,mtt]"], ["TrajectoryMatching"]),
        ("evaluate", ["task=part_segmentation", "set=data", "model.norm=instance"], ["norm"]),
    ],
)
def test_what_cannot_segment_is_refused_before_anything_is_made(
    script, name, arguments, words, tmp_path, capsys
):
    assert script(name, *DATA, *arguments) == 2
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1, error
    for word in words:
        assert word in error
    assert not (tmp_path / "run").exists()


def test_sets_and_data_without_parts_are_refused(script, tmp_path, capsys):
    assert script("distill", *DATA, "condenser=random", folder="set") == 0
    path = tmp_path / "set" / "synthetic.safetensors"
    assert script("evaluate", *TINY, f"set={path}") == 2
    assert "the set: its points have no part labels" in capsys.readouterr().err
    clouds = tmp_path / "clouds"
    for number in range(8):
        folder = clouds / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        np.savetxt(folder / f"{number}.xyz", np.random.default_rng(number).standard_normal((60, 3)))
    arguments = ["task=part_segmentation", "dataset=folder", f"data.root={clouds}", "data.num_points=48"]
    assert script("distill", *arguments, "data.cache=false", "device=cpu") == 2
    assert "has no part labels: give dataset=shapes40" in capsys.readouterr().err
