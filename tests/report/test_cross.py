"""Sets across models: what is planned, what is marked, and a tiny table end to end."""

from __future__ import annotations

import csv
import json

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from script_runs import run

from cl3d.clouds import PointClouds
from cl3d.config_paths import CONFIGS
from cl3d.data import shapes40
from cl3d.distill import Training, save
from cl3d.distill.parameterizations.points import PointSet
from cl3d.models import PointNet
from cl3d.report.cross import Column, Cross, Row
from cl3d.report.cross_plan import column_of, given_row
from cl3d.report.cross_table import OWN, accuracies, costs

DATA = ["data.num_points=32", "data.train_per_class=4", "data.test_per_class=2", "data.num_classes=3"]
TINY = [*DATA, "training.epochs=2", "device=cpu"]
NET = "pointnet model.channels=[8,16] model.head=[8]"
OTHER = "pct model.width=4 model.counts=[16,8] model.embedding=8 model.head=[] training.epochs=1"


@pytest.fixture
def cross_py(monkeypatch, tmp_path):
    def call(*arguments, folder=tmp_path / "run"):
        return run("cross", *TINY, *arguments, monkeypatch=monkeypatch, folder=folder)

    return call


def column(name: str) -> Column:
    return Column(name, (f"model={name}",), {}, PointNet, Training())


@pytest.fixture
def cross(tmp_path):
    rows = [
        Row("random", "random", None, frozenset(), 10, {0: tmp_path / "r0", 1: tmp_path / "r1"}),
        Row("dm", "dm", "a", frozenset({"a"}), 10, {0: tmp_path / "d0", 1: tmp_path / "d1"}),
    ]
    return Cross(rows, [column("a"), column("b")], [0, 1], tmp_path, ["runs=1"], 1)


def finish(cross: Cross, row: int, column: int, seed: int, accuracy: float) -> None:
    path = cross.cell(cross.rows[row], cross.columns[column], seed).product
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"mean": accuracy, "accuracies": [accuracy]}))
    (path.parent / "cost.json").write_text(json.dumps({"seconds": 10.0 * seed, "peak_bytes": 3 << 20}))


def test_cells_are_averaged_over_seeds_and_the_own_model_is_marked(cross):
    for seed, accuracy in ((0, 0.5), (1, 0.6)):
        finish(cross, 1, 0, seed, accuracy)
    finish(cross, 0, 0, 1, 0.25)
    finish(cross, 1, 1, 0, 0.5)
    results = cross.results()
    lines = accuracies(results).splitlines()
    assert lines[0] == "| set | distilled with | bytes | a | b |"
    assert lines[2] == "| random | – | – | 25.0 (1 of 2) | – |"
    assert lines[3] == f"| dm | a | – | 55.0 ± 7.1 {OWN} | 50.0 (1 of 2) |"
    assert "over 2 seeds" in lines[-1]
    assert "| a | 3 | 7 | 3 |" in costs(results)
    assert [r["own"] for r in results] == [False, True, True, False]


def test_all_cells_of_a_seed_come_before_the_next(cross):
    titles = [job.title for job in cross.jobs()]
    assert len(titles) == 8
    assert all(title.endswith("seed 0") for title in titles[:4])
    folders = {job.product.parent for job in cross.jobs()}
    assert len(folders) == 8, "no two cells share a folder"
    assert cross.jobs()[0].command()[:4] == ["evaluate", "runs=1", "model=a", "seed=0"]


def test_a_dry_run_says_what_is_left_and_leaves_nothing(cross_py, tmp_path, capsys):
    models = f'models=["{NET}","{OTHER}"]'
    made = ['condensers=[random,"dm condenser.iterations=2"]', f'distil_with=["{NET}",pointnet_light]']
    assert cross_py(models, *made, "seeds=2", "dry_run=true") == 0
    lines = capsys.readouterr().out.splitlines()
    counts = {tuple(c.strip() for c in line.split("|")[1:4]) for line in lines if line.startswith("| ")}
    by = "dm condenser.iterations=2 by"
    assert counts - {("script", "what", "left"), ("---",) * 3} == {
        ("distill", "random", "2"),  # looks through no network: once, not once for each
        ("distill", f"{by} {NET}", "2"),
        ("distill", f"{by} pointnet_light", "2"),
        ("evaluate", NET, "6"),
        ("evaluate", OTHER, "6"),
    }
    assert "In all about" in lines[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("condenser", "model", "expected"),
    [
        ({"objective": {}}, "pointnet_light", ("pointnet_light", True)),
        ({"initializer": {"training": {}}}, "pointnet_light", ("pointnet_light", True)),
        ({"initializer": {}}, "pointnet_light", ("–", False)),  # random picks look through no network
        ({"objective": {}}, "dgcnn", ("dgcnn", False)),
        ({"objective": {}}, "dgcnn model.k=5", ("DGCNN, other settings", False)),
        (None, "pointnet_light", ("–", False)),
    ],
)
def test_a_file_says_what_it_was_distilled_with(condenser, model, expected, tmp_path):
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        name, *changes = model.split()
        config = compose("evaluate", [f"model={name}", *changes]).model
        origin = {"model": OmegaConf.to_container(config), "condenser": condenser}
        points = torch.rand(3, 32, 3, generator=torch.Generator().manual_seed(0))
        save(PointSet(PointClouds(points, torch.arange(3))), tmp_path / "a.safetensors", origin)
        data = shapes40(num_points=32, num_classes=3, train_per_class=1, test_per_class=1)
        row = given_row(str(tmp_path / "a.safetensors"), [column_of("pointnet_light", [])], [3, 5], data)
    assert (row.distilled_with or "–", bool(row.own)) == expected
    assert (row.clouds, list(row.sets)) == (3, [3, 5])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["nothing to evaluate", "sets=", "condensers="]),
        (["sets=[nothing.safetensors]"], ["there is no file", "nothing.safetensors"]),
        (["sets=runs/a"], ["sets=runs/a", "give a list"]),
        (["sets=[data,data]"], ["sets=", "each once"]),
        (["condensers=[mystery]"], ["condenser/mystery"]),
        (["condensers=[random]", "models=[mystery]"], ["model/mystery", "choose one of"]),
        (
            ["condensers=[random]", 'models=["pct data.num_points=8"]'],
            ["data.num_points=8", "model and training"],
        ),
        (["condensers=[random]", 'models=["pct training.epochs=no"]'], ["epochs=no"]),
        (["condensers=[random]", 'models=["pct model.wrong=1"]'], ["model.wrong", "not a setting"]),
        (["condensers=[random]", 'models=["pointnet model.channels=3"]'], ["channels=3", "positive sizes"]),
        (
            ["condensers=[dm]", 'distil_with=["pct training.epochs=1"]'],
            ["distil_with", "settings of model alone"],
        ),
        (["condensers=[random]", "workers=0"], ["workers=0"]),
        (["condensers=[random]", "seeds=0"], ["seeds=0"]),
        (["condensers=[random]", "ppc=null"], ["budget"]),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(cross_py, tmp_path, capsys, arguments, words):
    assert cross_py(*arguments) == 2
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1, error
    assert all(word in error for word in words), error
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_tiny_table_end_to_end(cross_py, tmp_path, capsys):
    folder = tmp_path / "run"
    dm = "dm condenser.iterations=2"
    settings = [f'condensers=[random,"{dm}"]', f'distil_with=["{NET}"]', "workers=2"]
    assert cross_py(*settings, f'models=["{NET}"]', "seeds=2") == 0
    finished = {path: path.stat().st_mtime_ns for path in folder.rglob("evaluation.json")}
    assert len(finished) == 4
    assert cross_py(*settings, f'models=["{NET}","{OTHER}"]', "seeds=1") == 0  # another model is added
    assert len(list(folder.rglob("evaluation.json"))) == 6
    assert all(path.stat().st_mtime_ns == time for path, time in finished.items())
    with (folder / "cross.csv").open() as file:
        lines = list(csv.DictReader(file))
    marked = [(line["set"], line["model"]) for line in lines if line["own"] == "True"]
    assert (len(lines), marked) == (4, [(dm, NET)])
    (file,) = (folder / "sets").glob("dm*/seed_0/synthetic.safetensors")
    assert cross_py(f"sets=[{file}]", f'models=["{NET}","{OTHER}"]', "seeds=1", folder=tmp_path / "b") == 0
    (line,) = [t for t in (tmp_path / "b" / "cross.md").read_text().splitlines() if t.startswith(f"| {file}")]
    again = [t for t in (folder / "cross.md").read_text().splitlines() if t.startswith(f"| {dm}")]
    assert line.split("|")[2:] == again[0].split("|")[2:], "the same set, read from its file"
    assert cross_py(*settings, f'models=["{NET}"]', "ppc=2") == 2
    assert "other settings" in capsys.readouterr().err
