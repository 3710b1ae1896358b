"""Paths in a config: a run that was begun in one folder is gone on with in another."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from script_runs import results_of, resume, run

from cl3d.config_paths import ORDERS, anchored, order_file
from cl3d.errors import InputError

SMALL = (
    *("data.num_points=16", "model.channels=[8,16]", "model.head=[8]", "device=cpu", "steps=2", "ppc=1"),
    *("strategy.training.epochs=1", "buffer=random", "dataset=folder"),
)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with data and class orders of one's own."""
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "own.npz",
        points=rng.standard_normal((20, 24, 3)).astype(np.float32),
        labels=np.arange(20) % 4,
        class_names=["cup", "jar", "tin", "urn"],
    )
    orders = {"format_version": 1, "name": "mine", "orders": [["tin", "cup", "urn", "jar"]]}
    (tmp_path / "mine.json").write_text(json.dumps(orders))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_is_gone_on_with_from_another_folder(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, elsewhere = there / "run", there / "elsewhere"
    elsewhere.mkdir()
    settings = (*SMALL, "data.root=own.npz", "data.cache=kept", "class_order=mine.json")
    assert run("cl_run", *settings, monkeypatch=monkeypatch, folder=folder) == 0
    whole = results_of(folder)
    assert whole["settings"]["class_order"] == [2, 0, 3, 1]
    (folder / "results.json").unlink()
    (folder / "state" / "step_02.safetensors").unlink()
    monkeypatch.chdir(elsewhere)
    assert resume("cl_run", folder, monkeypatch=monkeypatch) == 0
    assert results_of(folder) == whole
    assert not list(elsewhere.iterdir())


def test_relative_paths_become_absolute(there: Path) -> None:
    config = OmegaConf.create({"data": {"root": "own.npz", "cache": "~/kept"}, "class_order": "mine.json"})
    assert anchored(OmegaConf.create({"memory_of": 2026})) == {"memory_of": str(there / "2026")}
    assert anchored(config) == {
        "data": {"root": str(there / "own.npz"), "cache": str(Path.home() / "kept")},
        "class_order": str(there / "mine.json"),
    }
    for stays in (
        {"data": {"root": None, "cache": False}, "class_order": "modelnet40"},
        {"data": {"root": "", "cache": "/kept"}},
        {"data": {"num_points": 7}},
        {"figure": "a.png"},
    ):
        assert anchored(OmegaConf.create(stays)) == stays


def test_a_relative_root_of_the_environment_is_kept_and_an_absolute_one_is_looked_up_each_time(
    there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def root_of(**data: str | None) -> str | None:
        return anchored(OmegaConf.create({"data": data})).data.get("root")

    monkeypatch.setenv("CL3D_DATA", "sub/clouds")
    assert root_of(root=None) == str(there / "sub" / "clouds")
    assert root_of(root="/given") == "/given"
    assert root_of(root="") == ""  # to be given by the user: dataset=folder
    assert root_of(name="shapes40") is None
    monkeypatch.setenv("CL3D_DATA", "/clouds")
    assert root_of(root=None) is None
    monkeypatch.delenv("CL3D_DATA")
    assert root_of(root=None) is None


def test_orders_that_come_along_have_names() -> None:
    assert order_file("modelnet40") == ORDERS / "modelnet40.json"
    assert order_file("sub/mine") == Path("sub/mine")
    with pytest.raises(InputError, match=r"class_order=mine: give one of modelnet40, .* or a file that ends"):
        order_file("mine")
