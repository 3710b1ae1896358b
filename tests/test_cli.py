"""The scripts as a user meets them: what they leave, and one sentence for wrong input."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch
from script_runs import TINY, TINY_RUN, results_of, run

from cl3d.distill import load


@pytest.fixture
def cl_run(monkeypatch, tmp_path):
    def call(*arguments, folder=tmp_path / "run"):
        return run("cl_run", *TINY_RUN, *arguments, monkeypatch=monkeypatch, folder=folder)

    return call


PCC = ("buffer=pcc", "condenser.iterations=2", "condenser.initializer.training.epochs=1")


def test_a_run_leaves_what_the_schema_says(cl_run, tmp_path, capsys):
    assert cl_run(*PCC) == 0
    folder = tmp_path / "run"
    results = json.loads((folder / "results.json").read_text())
    assert results["status"] == "finished"
    assert len(results["accuracy_per_step"]) == 2
    assert results["accuracy_matrix"][0][1] is None
    assert results["memory_bytes"] == 5 * 2 * 32 * 12
    assert results["final_accuracy"] == results["accuracy_per_step"][-1]
    documented = (Path(__file__).parents[1] / "docs" / "results-schema.md").read_text()
    assert all(f"`{key}" in documented for key in results)
    lines = (folder / "accuracy_matrix.csv").read_text().splitlines()
    assert len(lines) == 3
    assert lines[1].split(",")[0] == "1"
    assert lines[1].split(",")[2] == ""
    labels = [
        label
        for i in (1, 2)
        for label in load(folder / "memory" / f"step_{i:02d}.safetensors").labels.tolist()
    ]
    assert sorted(labels) == sorted(2 * list(range(5)))
    origin = load(folder / "memory" / "step_02.safetensors").info["provenance"]
    assert (origin["step"], origin["seed"], origin["dataset"]) == (1, 0, "shapes40")
    assert "condenser:" in (folder / "config.yaml").read_text()
    shown = capsys.readouterr().out
    for word in ("5 classes", "expected", "step 1:", "step 2:", "final accuracy", "forgetting"):
        assert word in shown


def test_same_seed_same_bytes(cl_run, tmp_path):
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    assert (
        cl_run(*PCC, folder=first) == cl_run(*PCC, folder=second) == cl_run(*PCC, "seed=1", folder=other) == 0
    )
    assert results_of(first) == results_of(second) != results_of(other)
    files = sorted(path.name for path in (first / "memory").iterdir())
    assert files == ["step_01.safetensors", "step_02.safetensors"]
    for name in files:
        assert (first / "memory" / name).read_bytes() == (second / "memory" / name).read_bytes()


def test_the_buffer_changes_neither_order_nor_bounds(cl_run, tmp_path):
    for buffer in ("random", "herding"):
        assert cl_run(f"buffer={buffer}", folder=tmp_path / buffer) == 0
    random, herding = (results_of(tmp_path / buffer) for buffer in ("random", "herding"))
    for key in ("buffer", "buffer_settings"):
        assert random["settings"].pop(key) != herding["settings"].pop(key)
    assert random["settings"] == herding["settings"]


@pytest.mark.parametrize("buffer", ["random", "balanced_reservoir"])
def test_a_total_is_shared_by_the_classes_seen(cl_run, tmp_path, buffer):
    assert cl_run(f"buffer={buffer}", "total=3840", "resolution=16") == 0
    results = results_of(tmp_path / "run")
    # 20 clouds of 16 points as 192 bytes each; 3 classes of 4 clouds come first
    assert results["memory_clouds_per_step"] == [12, 20]
    assert results["memory_bytes_per_step"] == [12 * 192, 3840]
    files = results["memory_files_per_step"]
    assert sum(load(tmp_path / "run" / "memory" / name).nbytes for name in files[-1]) == 3840
    assert json.loads((tmp_path / "run" / "peak_memory.json").read_text())["highest"] > 0


@pytest.mark.parametrize("strategy", ["rehearse", "naive", "joint"])
def test_other_strategies_run(cl_run, tmp_path, strategy):
    assert cl_run(f"strategy={strategy}", "buffer=random") == 0
    results = results_of(tmp_path / "run")
    assert len(results["accuracy_per_step"]) == (1 if strategy == "joint" else 2)
    assert (results["memory_bytes"] > 0) == (strategy == "rehearse")


def test_a_bound_is_the_same_run_whatever_buffer_is_named_beside_it(cl_run, tmp_path, capsys):
    assert cl_run("strategy=naive") == 0
    assert cl_run("strategy=naive", "buffer=herding", "ppc=1", "resolution=16") == 0
    assert "it is finished: nothing to do" in capsys.readouterr().out
    for other in (["strategy=naive", "seed=1"], ["buffer=random"]):
        assert cl_run(*other) == 2
        assert "holds a run with other settings" in capsys.readouterr().err


def test_the_memory_may_classify_by_nearest_means(cl_run, tmp_path, capsys):
    assert cl_run("buffer=random", "strategy=rehearse", "classifier=nearest_mean") == 0
    assert results_of(tmp_path / "run")["settings"]["classifier"] == "nearest_mean"
    assert "nearest_mean" in capsys.readouterr().out


def test_the_control_that_leaks_says_so_everywhere(cl_run, tmp_path, capsys):
    assert cl_run(*PCC, "joint_condensed=true") == 0
    assert results_of(tmp_path / "run")["settings"]["leaks"] is True
    assert load(tmp_path / "run" / "memory" / "step_01.safetensors").info["provenance"]["leaks"] is True
    assert capsys.readouterr().out.count("LEAKS") >= 2
    assert cl_run(*PCC, folder=tmp_path / "honest") == 0
    assert "LEAKS" not in capsys.readouterr().out


GOOD_HERE = "buffer=random"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["buffer=mystery"], ["buffer/mystery", "choose one of", "herding"]),
        (["stepz=3"], ["stepz", "not a setting"]),
        (["steps=6"], ["steps=6", "5 classes", "1 to 5"]),
        (["steps=two"], ["steps=two", "whole number"]),
        (["steps=0"], ["steps=0"]),
        (["budget=100"], ["100 bytes", "give at least 1920 bytes"]),
        (["total=100"], ["total=100 is 100 bytes", "give at least 1920 bytes"]),
        (["total=9000", "budget=9000"], ["total=9000", "give one of them"]),
        (["buffer=reservoir"], ["reservoir has one number of slots", "give total=BYTES"]),
        (["resolution=64"], ["num_points=64", "have 32"]),
        (["buffer=morphing", "resolution=8"], ["resolution=8", "points of Anchors"]),
        (["ppc=0"], ["ppc=0"]),
        (["ratio=2"], ["ratio=2"]),
        (["ratio=0.5", "budget=5000"], ["give one of them"]),
        (["seed=x"], ["seed=x"]),
        (["device=abacus"], ["device=abacus", "auto, cpu, cuda"]),
        (["device=cuda:99"], ["device=cuda:99", "device=cpu"]),
        (["strategy.training.schedule=linear"], ["linear", "cosine"]),
        (["data.num_points=0"], ["num_points"]),
        (["model.norm=layer"], ["norm", "batch"]),
        (["strategy=naive", "strategy.training.schedule=cosine"], ["cosine", "constant"]),
        (["ppc=2.0"], ["ppc=2.0", "whole number"]),
        (["condenser.iterations=2.5"], ["iterations=2.5", "whole number"]),
        (["steps=[1"], ["steps=[1", "key=value"]),
        (["classifier=mean"], ["classifier=mean", "softmax, nearest_mean"]),
        (["strategy=naive", "classifier=nearest_mean"], ["nearest_mean", "naive has no memory"]),
        (["joint_condensed=perhaps"], ["joint_condensed=perhaps", "true or false"]),
    ],
)
def test_wrong_input_gets_one_sentence_and_leaves_nothing(cl_run, tmp_path, capsys, arguments, words):
    assert cl_run(GOOD_HERE, *arguments) == 2
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1, error
    assert "Traceback" not in error
    for word in words:
        assert word in error
    assert not (tmp_path / "run").exists()


def test_a_missing_release_names_page_folder_and_the_way_out(monkeypatch, tmp_path, capsys):
    arguments = ("dataset=modelnet40", f"data.root={tmp_path}", "data.download=false", "device=cpu")
    assert run("cl_run", *arguments, monkeypatch=monkeypatch, folder=tmp_path / "run") == 2
    error = capsys.readouterr().err
    for word in ("https://", str(tmp_path), "dataset=shapes40"):
        assert word in error


def test_a_finished_run_is_not_run_again_and_not_overwritten(cl_run, tmp_path, capsys):
    assert cl_run(GOOD_HERE) == 0
    before = (tmp_path / "run" / "results.json").read_bytes()
    assert cl_run(GOOD_HERE) == 0
    assert "finished: nothing to do" in capsys.readouterr().out
    assert cl_run(GOOD_HERE, "seed=1") == 2
    assert "already holds a run with other settings" in capsys.readouterr().err
    assert (tmp_path / "run" / "results.json").read_bytes() == before


def test_an_unwritable_folder_is_named(cl_run, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert cl_run(GOOD_HERE, folder=tmp_path / "file" / "run") == 2
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_small_classes_are_noted(cl_run, capsys):
    assert cl_run(GOOD_HERE, "ppc=9") == 0
    assert "has 4 clouds, 9 are asked for: all are used" in capsys.readouterr().err


def test_distilling_and_evaluating(monkeypatch, tmp_path, capsys):
    arguments = [*TINY, "condenser=dm", "condenser.iterations=3", "ppc=1"]
    assert run("distill", *arguments, monkeypatch=monkeypatch, folder=tmp_path / "set") == 0
    path = tmp_path / "set" / "synthetic.safetensors"
    assert "moved" in capsys.readouterr().out
    synthetic = load(path)
    assert synthetic.nbytes == 5 * 32 * 12
    assert synthetic.info["provenance"]["condenser"]["name"] == "dm"
    assert torch.isfinite(synthetic.decode().points).all()

    arguments = [*TINY, f"set={path}", "runs=2", "training.epochs=2"]
    assert run("evaluate", *arguments, monkeypatch=monkeypatch, folder=tmp_path / "value") == 0
    value = json.loads((tmp_path / "value" / "evaluation.json").read_text())
    assert len(value["accuracies"]) == 2
    assert "test accuracy" in capsys.readouterr().out


def test_a_distillation_that_runs_off_leaves_the_last_good_set(monkeypatch, tmp_path, capsys):
    arguments = [*TINY, "condenser=dm", "condenser/optimizer=sgd", "condenser.optimizer.lr=1e30", "ppc=1"]
    assert run("distill", *arguments, monkeypatch=monkeypatch, folder=tmp_path / "set") == 2
    error = capsys.readouterr().err
    assert "lower the optimizer's learning rate" in error
    assert len(error.strip().splitlines()) == 1
    last_good = load(tmp_path / "set" / "last_good.safetensors")
    assert torch.isfinite(last_good.decode().points).all()


def test_canonical_data_is_the_same_however_it_was_turned(cl_run, tmp_path):
    assert cl_run("buffer=random", "canonical=true") == 0
    settings = results_of(tmp_path / "run")["settings"]
    assert settings["dataset"] == "shapes40, canonical"
    assert cl_run("buffer=random", "canonical=perhaps", folder=tmp_path / "other") == 2


def test_holding_out_tests_on_training_clouds(cl_run, tmp_path):
    assert cl_run("buffer=random", "holdout=0.5") == 0
    assert results_of(tmp_path / "run")["settings"]["dataset"] == "shapes40, 0.5 held out"


def test_a_set_of_other_classes_is_refused_and_of_other_data_noted(monkeypatch, tmp_path, capsys):
    arguments = [*TINY, "condenser=random", "ppc=1"]
    assert run("distill", *arguments, monkeypatch=monkeypatch, folder=tmp_path / "set") == 0
    path = tmp_path / "set" / "synthetic.safetensors"
    less = [*TINY, f"set={path}", "training.epochs=1", "runs=1"]
    code = run("evaluate", *less, "data.num_classes=3", monkeypatch=monkeypatch, folder=tmp_path / "a")
    assert code == 2
    assert "has class 4" in capsys.readouterr().err
    assert run("evaluate", *less, "data.seed=1", monkeypatch=monkeypatch, folder=tmp_path / "b") == 0
    assert "other settings" in capsys.readouterr().err


def test_a_folder_of_the_users_is_not_removed(cl_run, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    time.sleep(0.05)  # file systems count time in coarse steps
    assert cl_run(GOOD_HERE, "steps=99", folder=kept) == 2
    assert kept.is_dir()


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("distill", ["condenser=random_coarse"], ["num_points=64", "have 32"]),
        ("distill", ["condenser=dd3d_paper"], ["width 256", "give a width up to"]),
        ("distill", ["condenser=random", "condenser/parameterization=generator"], ["fit_iterations"]),
        ("distill", ["condenser=pcc", "condenser.iterations=abc"], ["iterations=abc", "whole number"]),
        ("distill", ["condenser=dm", "+condenser.optimizer.weight_decay=-1"], ["weight_decay=-1"]),
        ("evaluate", ["set=5"], ["there is no file 5"]),
        ("evaluate", ["set=data", "fresh_decoding=perhaps"], ["fresh_decoding=perhaps", "true or false"]),
        ("evaluate", ["set=data", "training.augmentation.spin=up"], ["spin='up'"]),
        ("compare", ["seeds=0"], ["seeds=0", "give a list"]),
        ("compare", ["condensers=random"], ["condensers=random", "give a list"]),
        ("compare", ["condensers=[random,mystery]"], ["condenser/mystery", "choose one of"]),
        ("compare", ["condensers=[dm]", "holdout=2"], ["holdout=2"]),
    ],
)
def test_scripts_refuse_before_anything_is_made(script, arguments, words, monkeypatch, tmp_path, capsys):
    settings = [] if script == "compare" else TINY
    assert run(script, *settings, *arguments, monkeypatch=monkeypatch, folder=tmp_path / "run") == 2
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1, error
    for word in words:
        assert word in error
    assert not (tmp_path / "run").exists()


def test_a_full_disk_leaves_the_folder_free(cl_run, tmp_path, monkeypatch, capsys):
    from cl3d import run_folder
    from cl3d.errors import InputError

    def full(path, text):
        raise InputError(f"cannot write {path} (No space left on device)")

    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "write_text", full)
        assert cl_run(GOOD_HERE) == 2
    assert "No space left" in capsys.readouterr().err
    assert cl_run(GOOD_HERE) == 0


def test_evaluating_needs_a_set_that_is_there(monkeypatch, tmp_path, capsys):
    assert run("evaluate", *TINY, "set=none.safetensors", monkeypatch=monkeypatch, folder=tmp_path / "x") == 2
    assert "there is no file none.safetensors" in capsys.readouterr().err
