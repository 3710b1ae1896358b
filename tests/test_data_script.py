"""scripts/data.py as a user meets it: info, check and prepare."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from script_runs import run

from cl3d.data.modelnet import MODELNET10_CLASSES

CLASSES = sorted([*MODELNET10_CLASSES, "airplane"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tiny ModelNet40 whose first test cloud stands in train."""
    folder = tmp_path / "root" / "modelnet40_ply_hdf5_2048"
    folder.mkdir(parents=True)
    (folder / "shape_names.txt").write_text("\n".join(CLASSES))
    rng = np.random.default_rng(0)
    copied = rng.standard_normal((1, 16, 3)).astype(np.float32)
    for split, number in (("train", 0), ("train", 1), ("test", 0)):
        name = f"ply_data_{split}{number}.h5"
        data = rng.standard_normal((2 * len(CLASSES), 16, 3)).astype(np.float32)
        if number == 0:
            data[:1] = copied
        with (folder / f"{split}_files.txt").open("a") as listed:
            listed.write(name + "\n")
        with h5py.File(folder / name, "w") as file:
            file["data"], file["label"] = data, np.arange(len(data), dtype=np.uint8)[:, None] % len(CLASSES)
    return folder.parent


@pytest.fixture
def data(monkeypatch, tmp_path, root):
    def call(action: str, *arguments: str, dataset: str = "modelnet40") -> int:
        settings = [f"dataset={dataset}"]
        if dataset != "shapes40":
            settings += [f"data.root={root}", "data.num_points=8", f"data.cache={tmp_path / 'cache'}"]
        return run("data", action, *settings, *arguments, monkeypatch=monkeypatch, folder=tmp_path / "out")

    return call


def test_info_counts_and_draws(data, tmp_path, capsys):
    assert data("action=info") == 0
    shown = " ".join(capsys.readouterr().out.split())
    for words in (
        "modelnet40: 44 train and 22 test clouds of 11 classes",
        "8 per cloud, up to 1.000 from the origin",
        "1 test clouds stand in train; 0 repeat others within train, 0 within test",
        "airplane",
        "written:",
    ):
        assert words in shown
    assert (tmp_path / "out" / "data.png").read_bytes().startswith(b"\x89PNG")
    assert data("action=info", "data.drop_duplicates=true", "out=null") == 0
    out, err = capsys.readouterr()
    assert "44 train and 21 test clouds" in out
    assert "stand in train, dropped" in " ".join(out.split())
    assert "note: modelnet40: dropped 1 of 22 test clouds, which stand in train" in err


def test_info_of_what_is_made_on_the_spot(data, capsys):
    small = ("data.num_points=16", "data.train_per_class=2", "data.test_per_class=1", "data.num_classes=3")
    assert data("action=info", *small, dataset="shapes40") == 0
    shown = capsys.readouterr().out
    assert "6 train and 3 test clouds of 3 classes" in shown
    assert "prepared  no" not in shown
    assert data("action=info", *small, "data.cache=false", dataset="shapes40") == 0
    assert "prepared  no" in capsys.readouterr().out
    assert data("action=check", dataset="shapes40") == 2
    assert "reads no files" in capsys.readouterr().err


def test_check_names_each_bad_file(data, root, capsys):
    assert data("action=check") == 0
    assert "all files can be used" in capsys.readouterr().out
    folder = root / "modelnet40_ply_hdf5_2048"
    (folder / "ply_data_train1.h5").write_bytes(b"not HDF5")
    with h5py.File(folder / "ply_data_test0.h5", "r+") as file:
        file["data"][3, 2, 1] = np.nan
    assert data("action=check") == 2
    out, err = capsys.readouterr()
    assert "ply_data_train1.h5 is truncated or corrupt" in out
    assert "ply_data_test0.h5: cloud 3 has NaN" in out
    assert err == "error: 2 of 3 files of modelnet40 cannot be used: repair, complete or remove them\n"


def test_prepare_says_where(data, tmp_path, capsys):
    assert data("action=prepare", dataset="modelnet10") == 0
    out, err = capsys.readouterr()
    assert f"modelnet10 is prepared in {tmp_path / 'cache' / 'modelnet10-'}" in out
    assert "preparing modelnet10" in out
    assert err == ""
    assert data("action=prepare", dataset="modelnet10") == 0
    assert "preparing" not in capsys.readouterr().out
    assert data("action=prepare", "data.cache=false", dataset="modelnet10") == 0
    assert "is not kept on disk" in capsys.readouterr().out


def test_wrong_words_are_one_sentence(data, capsys):
    assert data("action=fill") == 2
    assert capsys.readouterr().err == "error: action=fill: give one of info, check, prepare\n"
    assert data("action=info", "per_class=0", dataset="shapes40") == 2
    assert "per_class=0" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["check", "fill"])
def test_the_action_is_the_first_word(word, monkeypatch, tmp_path, capsys):
    import runpy
    import sys

    from hydra.core.global_hydra import GlobalHydra

    GlobalHydra.instance().clear()
    monkeypatch.setenv("CL3D_MALLOC", "0")
    monkeypatch.setattr(sys, "argv", ["data.py", word, f"folder={tmp_path / 'out'}"])
    script = Path(__file__).parents[1] / "scripts" / "data.py"
    with pytest.raises(SystemExit):
        runpy.run_path(str(script), run_name="__main__")
    error = capsys.readouterr().err
    assert ("reads no files" if word == "check" else "action=fill") in error


def test_canonical_data_is_kept(root, tmp_path):
    from hydra import compose, initialize_config_dir

    from cl3d.config_paths import CONFIGS
    from cl3d.settings import build_dataset

    settings = ["dataset=modelnet10", f"data.root={root}", "data.num_points=8", "canonical=true"]
    cache = f"data.cache={tmp_path / 'cache'}"
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        kept, plain = (compose("distill", [*settings, where]) for where in (cache, "data.cache=false"))
    first, second, third = (build_dataset(config) for config in (kept, kept, plain))
    assert first.fingerprint() == second.fingerprint() == third.fingerprint()
    assert first.name == "modelnet10, canonical"
    assert second.prepared is not None
    assert second.prepared.name.startswith("modelnet10_canonical-")
    assert third.prepared is None
