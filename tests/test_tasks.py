"""Part segmentation as a user meets it: distil, evaluate, compare; and one sentence for wrong input."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from run_folders import viewer_of
from script_runs import resume, run

from cl3d.distill import load
from cl3d.errors import InputError
from cl3d.report.collect import collect
from cl3d.report.figures import save_figures
from cl3d.report.pages import distilled
from cl3d.report.pages.found import find
from cl3d.report.records import of_rows, of_runs
from cl3d.report.summary import summarize
from cl3d.report.tables import as_markdown

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


def test_pages_call_figures_what_they_are(script, tmp_path):
    assert script("distill", *TINY, "condenser=random", "ppc=1", folder="set") == 0
    path = tmp_path / "set" / "synthetic.safetensors"
    found = tmp_path / "set" / "evaluation"
    arguments = [f"set={path}", "runs=1", "training.epochs=1"]
    assert script("evaluate", *TINY, *arguments, folder="set/evaluation") == 0
    page = distilled.report(find(tmp_path / "set"))
    value = json.loads((found / "evaluation.json").read_text())
    assert f"{100 * value['mean']:.1f} % instance mIoU on shapes40" in page
    assert "Mean IoU of each class" in page
    assert "accuracy %" not in page
    assert "est accuracy" not in page


STREAM = [*TINY, "steps=2", "ppc=1", "strategy.training.epochs=2"]


def test_a_stream_of_parts(script, tmp_path, capsys, monkeypatch):
    assert script("cl_run", *STREAM, "buffer=herding", folder="stream") == 0
    told = capsys.readouterr().out
    assert "final instance mIoU" in told
    assert "figures are instance mIoUs" in told
    assert "accuracy %" not in told
    folder = tmp_path / "stream"
    value = json.loads((folder / "results.json").read_text())
    assert value["status"] == "finished"
    assert (folder / "instance_miou_matrix.csv").is_file()
    sets = [load(folder / "memory" / name) for name in value["memory_files_per_step"][-1]]
    assert all(one.decode().parts is not None for one in sets)
    page = (folder / "report.html").read_text()
    for words in ("Instance mIoU over the classes seen", "Instance mIoU matrix", "Mean IoU of each class"):
        assert words in page
    assert f"{100 * value['final_instance_miou']:.1f} %" in page
    assert all("parts" in cloud for one in viewer_of(page)["sets"] for cloud in one["clouds"])
    assert "accuracy on" not in page
    assert "Accuracy" not in page.split("<script")[0]
    assert resume("cl_run", folder, monkeypatch=monkeypatch) == 0
    assert "finished" in capsys.readouterr().out
    # what the memory is worth alone is asked as of any set
    arguments = [f"set={folder / 'memory' / 'step_01.safetensors'}", "runs=1", "training.epochs=1"]
    assert script("evaluate", *TINY, *arguments, folder="worth") == 0
    # a bound beside it in a table, whose columns say what they are of
    assert script("cl_run", *STREAM, "strategy=naive", "report=false", folder="naive") == 0
    runs = collect([folder, tmp_path / "naive"])
    table = as_markdown(summarize(runs, "herding"))
    assert "final instance mIoU %" in table
    assert all(record["figure"] == "instance mIoU" for record in [*of_rows(summarize(runs)), *of_runs(runs)])
    save_figures(tmp_path / "figures", runs)
    # and never with runs of the other task
    others = [*DATA, "model.channels=[8,16]", "model.head=[8]", "steps=2", "ppc=1", "report=false"]
    assert script("cl_run", *others, "strategy.training.epochs=1", "buffer=random", folder="classes") == 0
    with pytest.raises(InputError, match="some of the runs are of part segmentation"):
        summarize(collect([folder, tmp_path / "classes"]))


def test_comparisons_of_streams_and_tables_across_models_are_planned(script, tmp_path, capsys):
    settings = ["steps=2", "ppc=1", "seeds=1", "dry_run=true"]
    rows = ["buffers=[random,dc]", "bounds=[naive,joint]", "class_orders=1", f"cells={tmp_path / 'cells'}"]
    assert script("compare_cl", *TINY, *settings, *rows) == 0
    assert "| random | 1 | 0 |" in capsys.readouterr().out
    net = "pointnet_light_segmentation model.channels=[8,16] model.hidden=[8]"
    across = [f'models=["{net}"]', f'distil_with=["{net}"]', "condensers=[random,dc]", "seeds=1"]
    data = ["task=part_segmentation", *DATA]
    assert script("cross", *data, *across, "dry_run=true") == 0
    assert f"| evaluate | {net} | 2 |" in capsys.readouterr().out
    assert script("cross", *data, f'models=["{net}"]', "condensers=[mtt]", f'distil_with=["{net}"]') == 2
    assert "TrajectoryMatching knows nothing of parts" in capsys.readouterr().err


@pytest.mark.slow
def test_a_tiny_table_of_parts_across_models(script, tmp_path):
    net = "pointnet_light_segmentation model.channels=[8,16] model.hidden=[8]"
    other = "dgcnn_segmentation model.k=4 training.epochs=1"
    settings = ["task=part_segmentation", *DATA, "training.epochs=2", "condensers=[random]", "seeds=1"]
    assert script("cross", *settings, f'models=["{net}","{other}"]', f'distil_with=["{net}"]') == 0
    assert "Test instance mIoU in percent" in (tmp_path / "run" / "cross.md").read_text()
    with (tmp_path / "run" / "cross.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["model"] for line in lines] == [net, other]
    assert all(0 <= float(line["instance_miou"]) <= 1 for line in lines)


@pytest.mark.slow
def test_a_tiny_comparison_of_parts(script, tmp_path):
    settings = [*TINY, "training.epochs=2", "runs=1", "seeds=[0,1]"]
    assert script("compare", *settings, "condensers=[random]") == 0
    kept = tmp_path / "run" / "random" / "seed_1" / "evaluation" / "evaluation.json"
    made = kept.stat().st_mtime_ns
    assert script("compare", *settings, "condensers=[random,herding]") == 0  # adds to what is there
    assert kept.stat().st_mtime_ns == made
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
        ("cl_run", ["task=part_segmentation", "buffer=mtt", "steps=2"], ["TrajectoryMatching"]),
        ("cl_run", ["task=part_segmentation", "buffer=reservoir", "total=9999", "steps=2"], ["their parts"]),
        ("cl_run", ["task=part_segmentation", "model=pointnet", "steps=2"], ["PointNet classifies"]),
        (
            "cl_run",
            ["task=part_segmentation", "classifier=nearest_mean", "steps=2"],
            ["nearest_mean tells classes"],
        ),
        ("compare_cl", ["task=part_segmentation", "buffers=[random,mtt]", "steps=2"], ["TrajectoryMatching"]),
        ("cross", ["task=part_segmentation", "sets=[data]"], ["PointNet classifies", "_segmentation"]),
        ("cross", ["task=parts", "sets=[data]"], ["task/parts"]),
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
