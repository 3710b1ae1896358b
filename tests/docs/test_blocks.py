"""The Python blocks of every page run one after the other, in an empty folder, on data that is made small."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest
import yaml
from documents import PAGES, POINTS, blocks, execute, shrink
from omegaconf import OmegaConf

import cl3d.data
from cl3d.tasks import build_model

ELSEWHERE = {"plug-in.md": "tests/continual/test_plug_in_page.py looks at what each of its blocks leaves"}
WITH_PYTHON = [page for page in PAGES if blocks(page) and page.name not in ELSEWHERE]


def own_data(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the page about data speaks of: a release, a folder of files, arrays."""
    draws = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / "animals" / name).mkdir(parents=True)
        for number in range(8):
            np.save(folder / "animals" / name / f"{number}.npy", draws.standard_normal((300, 3)))
    release = folder / "modelnet40_ply_hdf5_2048"
    release.mkdir()
    (release / "shape_names.txt").write_text("vase\nlamp\nbed\n")
    for split in ("train", "test"):
        (release / f"{split}_files.txt").write_text(f"data/{release.name}/ply_data_{split}0.h5\n")
        with h5py.File(release / f"ply_data_{split}0.h5", "w") as file:
            file["data"] = draws.standard_normal((6, 1100, 3)).astype(np.float32)
            file["label"] = np.arange(6, dtype=np.uint8) % 3
    read = cl3d.data.modelnet40

    def here(root: str, **settings: Any) -> cl3d.data.Dataset:
        assert root == "/data"
        return read(folder, **settings)

    monkeypatch.setattr(cl3d.data, "modelnet40", here)
    labels = np.arange(10) % 2
    parts = np.where(labels[:, None] == 0, np.arange(300) % 2, 2)
    return {"np": np, "points": draws.standard_normal((10, 300, 3)), "labels": labels, "parts": parts}


def coarse_folders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Clouds of files have fewer points than a page asks for."""
    read = cl3d.data.folder
    monkeypatch.setattr(cl3d.data, "folder", lambda root, num_points: read(root, num_points=num_points // 8))
    return {}


def distilled(names: dict[str, Any], folder: Path, shown: str) -> None:
    assert (folder / "pcc.safetensors").is_file()
    assert names["memory"].nbytes == 4 * 5 * POINTS * 12  # four clouds of each class are there


def loaded(names: dict[str, Any], folder: Path, shown: str) -> None:
    assert "6 6 (.vase., .lamp., .bed.)" in shown.replace("'", ".")
    assert "('cat', 'dog') 12 4" in shown
    assert "((0, 1), (2,))" in shown
    assert (len(names["data"].train), len(names["data"].test)) == (8, 2)


def logged(names: dict[str, Any], folder: Path, shown: str) -> None:
    runs = folder / "runs"
    assert (runs / "mine/logs/size.csv").read_text().splitlines() == ["nbytes", str(5 * POINTS * 12)]
    rows = list(csv.DictReader((runs / "naive/logs/condensing.csv").read_text().splitlines()))
    places = [(int(row["step"]), int(row["iteration"])) for row in rows]
    assert places == [(step, iteration) for step in (1, 2) for iteration in range(1, 11)]
    assert len((runs / "naive/eval_results.csv").read_text().splitlines()) > 2


def page_saved(names: dict[str, Any], folder: Path, shown: str) -> None:
    (page,) = folder.glob("*.html")
    assert "data-viewer" in page.read_text()


def memory_shared(names: dict[str, Any], folder: Path, shown: str) -> None:
    assert "('ball', 'rod') 32 8" in shown
    assert [kept.nbytes for kept in names["memory"].sets] == [2 * 2 * 32 * 12]
    assert not (folder / "dm.state").exists()
    for name in ("MeanAndSpread", "Tiny"):  # what the page's mine.py has
        setattr(mine := sys.modules.setdefault("mine", ModuleType("mine")), name, names[name])
    (config,) = blocks(next(page for page in PAGES if page.name == "recipes.md"), "yaml")
    net = build_model(OmegaConf.create(config))(3)
    assert (type(net), net.feature_dim) == (mine.Tiny, 32)


def parts_measured(names: dict[str, Any], folder: Path, shown: str) -> None:
    assert names["synthetic"].nbytes == 5 * POINTS * 12
    assert "class mIoU" in shown


PREPARED = {"data.md": own_data, "recipes.md": coarse_folders}
CHECKED: dict[str, Callable[[dict[str, Any], Path, str], None]] = {
    "README.md": distilled,
    "data.md": loaded,
    "logging.md": logged,
    "quickstart.md": page_saved,
    "recipes.md": memory_shared,
    "reports.md": page_saved,
    "segmentation.md": parts_measured,
}


@pytest.mark.filterwarnings("ignore:class .* are asked for")
@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_python_blocks_run_one_after_the_other(page, monkeypatch, tmp_path, capsys):
    shrink(monkeypatch)
    names = {"__name__": "builtins", **PREPARED.get(page.name, lambda *_: {})(tmp_path, monkeypatch)}
    execute(page, blocks(page), names)
    CHECKED.get(page.name, lambda *_: None)(names, tmp_path, capsys.readouterr().out)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_of_data_can_be_read(page):
    for block in blocks(page, "json"):
        assert json.loads(block)
    for block in blocks(page, "yaml"):
        assert yaml.safe_load(block)


def test_blocks_are_of_known_kinds():
    known = {"", "bash", "python", "json", "yaml"}
    for page in PAGES:
        fences = [line.strip("`") for line in page.read_text().splitlines() if line.startswith("```")]
        assert {fence for fence in fences if not fence.startswith("{")} <= known, page.name
