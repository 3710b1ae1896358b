"""Logging by the scripts: what is logged, and that it changes nothing else."""

from __future__ import annotations

import csv
import errno
import json
import sys

import pytest
from hydra import compose, initialize_config_dir
from script_runs import TINY, TINY_RUN, results_of, resume, run
from services import Mlflow

from cl3d.config_paths import CONFIGS
from cl3d.loggers.lines import Lines
from cl3d.settings import build

ITERATIONS = 4
DM = ("buffer=dm", f"condenser.iterations={ITERATIONS}")
TIMED = ("seconds_", "peak_bytes_")


SETTINGS = (*TINY_RUN, "buffer=dm", f"condenser.iterations={ITERATIONS}", "report=false")


@pytest.fixture
def cl_run(monkeypatch):
    def call(*arguments, folder):
        return run("cl_run", *SETTINGS, *arguments, monkeypatch=monkeypatch, folder=folder)

    return call


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was logged without a break."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        loggers = "logger=[csv,jsonl,tensorboard]"
        assert run("cl_run", *SETTINGS, loggers, monkeypatch=patch, folder=folder) == 0
    return folder


def table(folder, name):
    """The rows of one of the log's tables, but for what the clock and the machine say."""
    rows = csv.DictReader((folder / "logs" / f"{name}.csv").read_text().splitlines())
    return [{key: value for key, value in row.items() if not key.startswith(TIMED)} for row in rows]


def records(folder):
    found = [json.loads(line) for line in (folder / "logs" / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in one.items() if not key.startswith(TIMED)} for one in found]


def test_a_run_logs_its_steps_classes_and_curves_and_stays_the_same(cl_run, whole, tmp_path):
    silent, logged = tmp_path / "silent", whole
    assert cl_run(folder=silent) == 0
    assert not (silent / "logs").exists()
    for file in ("results.json", "accuracy_matrix.csv", *(f"memory/step_0{i}.safetensors" for i in (1, 2))):
        assert (silent / file).read_bytes() == (logged / file).read_bytes()

    results = results_of(logged)
    steps, names = table(logged, "steps"), results["settings"]["class_names"]
    assert [float(row["accuracy"]) for row in steps] == results["accuracy_per_step"]
    assert [int(row["memory_bytes"]) for row in steps] == results["memory_bytes_per_step"]
    assert float(steps[-1]["forgetting_max_minus_last"]) == results["forgetting"]["max_minus_last"]
    assert float(steps[0]["average_accuracy"]) == results["accuracy_per_step"][0]
    seconds = json.loads((logged / "seconds.json").read_text())["per_step"]
    told = list(csv.DictReader((logged / "logs" / "steps.csv").read_text().splitlines()))
    assert [float(row["seconds_condense"]) for row in told] == [step["condense"] for step in seconds]
    assert all(int(row["peak_bytes_train"]) > 0 for row in told)
    for row, accuracy in zip(table(logged, "classes"), results["class_accuracy_per_step"], strict=True):
        assert {k: float(v) for k, v in row.items() if v and k != "step"} == {
            names[int(label)]: value for label, value in accuracy.items()
        }
    condensing = table(logged, "condensing")
    places = [(int(row["step"]), int(row["iteration"])) for row in condensing]
    assert places == [(step, i) for step in (1, 2) for i in range(1, ITERATIONS + 1)]
    assert all(float(row["loss"]) > 0 and float(row["moved"]) > 0 for row in condensing)
    assert [(row["step"], row["epoch"]) for row in table(logged, "training")] == [
        ("1", "1"),
        ("1", "2"),
        ("2", "1"),
        ("2", "2"),
    ]
    settings = records(logged)[0]["settings"]
    assert settings["condenser"]["iterations"] == ITERATIONS
    assert settings["steps"] == 2
    assert len(list((logged / "logs").glob("events.out.tfevents*"))) == 1


@pytest.mark.parametrize("at", [2, ITERATIONS + 3])
def test_an_interrupted_run_goes_on_with_its_log(cl_run, whole, tmp_path, monkeypatch, at):
    from cl3d.distill import loop

    broken, step, left = tmp_path / "broken", loop.Loop._step, [at]

    def stop(self):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        step(self)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Loop, "_step", stop)
        assert cl_run("logger=[csv,jsonl]", folder=broken) == 130
    assert resume("cl_run", broken, monkeypatch=monkeypatch) == 0
    for name in ("steps", "classes", "condensing", "training"):
        assert table(broken, name) == table(whole, name)
    assert records(broken)[1:] == records(whole)[1:]
    assert results_of(broken) == results_of(whole)


class Killed(BaseException):
    """Ends everything, as a kill does."""


@pytest.mark.parametrize("after", ["steps", "condensing"])
def test_what_a_kill_has_kept_from_the_log_comes_later_and_nothing_twice(
    cl_run, whole, tmp_path, monkeypatch, after
):
    from cl3d.loggers import Log

    broken, write = tmp_path / "broken", Log.write

    def killed(self, rows):
        if rows[-1].task in (after, "classes") and (after == "steps" or rows[-1].x == 2):
            raise Killed  # its step's state has been kept, or it is redone from the step's beginning
        write(self, rows)

    monkeypatch.setattr(Log, "write", killed)
    with pytest.raises(Killed):
        cl_run("logger=[csv]", folder=broken)
    monkeypatch.setattr(Log, "write", write)
    assert resume("cl_run", broken, monkeypatch=monkeypatch) == 0
    for name in ("steps", "classes", "condensing", "training"):
        assert table(broken, name) == table(whole, name)


def test_a_full_disk_costs_the_log_alone(cl_run, whole, tmp_path, monkeypatch, capsys):
    logged = tmp_path / "logged"
    append, left = Lines.append, [3]

    def full(self, line):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, line)

    monkeypatch.setattr(Lines, "append", full)
    assert cl_run("logger=csv", folder=logged) == 0
    assert results_of(whole) == results_of(logged)
    told = [line for line in capsys.readouterr().err.splitlines() if "logger=" in line]
    assert len(told) == 1
    assert "logger=csv has failed" in told[0]
    assert "No space left on device" in told[0]


@pytest.mark.parametrize("script", ["cl_run", "distill", "evaluate"])
def test_what_is_not_installed_is_refused_before_any_work(script, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    needed = ["set=data"] if script == "evaluate" else []
    code = run(script, *needed, "logger=[csv,mlflow]", monkeypatch=monkeypatch, folder=tmp_path / "run")
    assert code == 2
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1
    assert "logger=mlflow needs mlflow: pip install mlflow" in error
    assert not (tmp_path / "run").exists()


def test_a_log_may_be_left_out_when_a_run_is_taken_up(cl_run, whole, capsys):
    assert cl_run(folder=whole) == 0, "how a run is logged is no part of what it is"
    assert "nothing to do" in capsys.readouterr().out


def test_a_condensation_and_an_evaluation_are_logged(monkeypatch, tmp_path):
    made, loud = tmp_path / "set", tmp_path / "loud"
    arguments = [*TINY, "condenser=dm", f"condenser.iterations={ITERATIONS}", "ppc=1", "report=false"]
    assert run("distill", *arguments, monkeypatch=monkeypatch, folder=made) == 0
    assert run("distill", *arguments, "logger=csv", monkeypatch=monkeypatch, folder=loud) == 0
    path = made / "synthetic.safetensors"
    assert path.read_bytes() == (loud / path.name).read_bytes()
    assert [row["iteration"] for row in table(loud, "condensing")] == ["1", "2", "3", "4"]
    (whole,) = table(loud, "set")
    assert int(whole["nbytes"]) == 5 * 32 * 12
    assert float(whole["moved_mean"]) == float(table(loud, "condensing")[-1]["moved"])

    arguments = [*TINY, f"set={path}", "runs=2", "training.epochs=3", "logger=[csv]"]
    assert run("evaluate", *arguments, monkeypatch=monkeypatch, folder=tmp_path / "value") == 0
    value = json.loads((tmp_path / "value" / "evaluation.json").read_text())
    networks = table(tmp_path / "value", "evaluation_networks")
    assert [float(row["accuracy"]) for row in networks] == value["accuracies"]
    epochs = [(row["network"], row["epoch"]) for row in table(tmp_path / "value", "training")]
    assert epochs == [(network, epoch) for network in "12" for epoch in "123"]
    (figures,) = table(tmp_path / "value", "evaluation")
    assert (float(figures["mean"]), float(figures["std"])) == (value["mean"], value["std"])
    (classes,) = table(tmp_path / "value", "classes")
    assert {name: float(cell) for name, cell in classes.items()} == value["per_class"]


LOGGERS = sorted(path.stem for path in (CONFIGS / "logger").glob("*.yaml"))


@pytest.mark.parametrize("name", LOGGERS)
def test_loggers_have_their_defaults(name, monkeypatch):
    Mlflow().install(monkeypatch)
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        chosen = compose("distill", overrides=[f"logger={name}"]).logger
    assert list(chosen) == ([] if name == "none" else [name])
    for built in map(build, chosen.values()):
        assert built.name == name
        assert vars(built) == vars(type(built)())


@pytest.mark.parametrize("script", ["cl_run", "distill", "evaluate"])
def test_several_loggers_are_chosen_together_or_none_at_all(script):
    given = ["set=x"] if script == "evaluate" else []
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        several = compose(
            script, overrides=[*given, "logger=[csv,wandb]", "logger.wandb.project=mine"]
        ).logger
        assert list(several) == ["csv", "wandb"]
        assert several.wandb.project == "mine"
        assert not compose(script, overrides=given).logger
