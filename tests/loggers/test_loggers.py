"""What all loggers have in common: every row once, however often a run is taken up."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from services import Mlflow, Wandb

from cl3d.errors import InputError
from cl3d.loggers import Csv, Jsonl, Log, MLflow, Row, TensorBoard, WandB
from cl3d.loggers.row import flat

SETTINGS = {"seed": 3, "condenser": {"name": "dm", "sizes": [2, 3], "resolution": None}, "long": "x" * 700}


def row(step: int, iteration: int, loss: float = 0.5, task: str = "condensing") -> Row:
    return Row(task, (("step", step), ("iteration", iteration)), {"loss": loss, "moved": None})


def of_csv(folder: Path) -> list[tuple[str, int, float]]:
    found = []
    for path in folder.glob("logs/*.csv"):
        for cells in csv.DictReader(path.read_text().splitlines()):
            assert cells["moved"] == ""
            name = f"{path.stem}/step_{int(cells['step']):02d}/loss"
            found.append((name, int(cells["iteration"]), float(cells["loss"])))
    return found


def of_jsonl(folder: Path) -> list[tuple[str, int, float]]:
    records = [json.loads(line) for line in (folder / "logs" / "log.jsonl").read_text().splitlines()]
    assert records[0] == {"task": "settings", "settings": SETTINGS}
    assert all(record["moved"] is None for record in records[1:])
    return [
        (f"{r['task']}/step_{r['at']['step']:02d}/loss", r["at"]["iteration"], r["loss"]) for r in records[1:]
    ]


def of_tensorboard(folder: Path) -> list[tuple[str, int, float]]:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    return [
        (value.tag, event.step, value.tensor.float_val[0])
        for path in (folder / "logs").glob("events*")
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
        if not value.tag.startswith("_hparams_")
    ]


@pytest.fixture(params=["csv", "jsonl", "tensorboard", "wandb", "mlflow"])
def kind(request, monkeypatch):
    """A logger's constructor, and how to read what it has kept in a folder."""
    if request.param == "wandb":
        service = Wandb()
        monkeypatch.setitem(sys.modules, "wandb", service)
        return WandB, lambda folder: service.curves()
    if request.param == "mlflow":
        tracker = Mlflow()
        tracker.install(monkeypatch)
        return MLflow, lambda folder: tracker.curves()
    readers = {"csv": (Csv, of_csv), "jsonl": (Jsonl, of_jsonl), "tensorboard": (TensorBoard, of_tensorboard)}
    return readers[request.param]


def test_each_row_is_there_once_however_often_it_is_made(kind, tmp_path):
    make, read = kind
    for first, last in ((1, 3), (2, 5), (1, 5)):
        with Log([make()], SETTINGS) as log:
            log.open(tmp_path)
            log.write([row(4, i, 1 / i) for i in range(first, last + 1)])
            log.write([row(5, 1, 2.0)] if last == 5 else [])
    expected = [("condensing/step_04/loss", i, 1 / i) for i in range(1, 6)]
    expected.append(("condensing/step_05/loss", 1, 2.0))
    found = sorted(read(tmp_path))
    assert [point[:2] for point in found] == [point[:2] for point in expected]
    assert [point[2] for point in found] == pytest.approx([point[2] for point in expected])


def test_what_was_written_is_there_before_the_end(kind, tmp_path):
    make, read = kind
    log = Log([make()], SETTINGS)
    log.open(tmp_path)
    log.write([row(1, 1)])
    assert len(read(tmp_path)) == 1  # a kill from here on loses nothing
    log.write([row(1, 2)])
    assert len(read(tmp_path)) == 2
    log.__exit__(None, None, None)


def test_figures_that_are_no_numbers_are_no_points(tmp_path):
    made = Row("feature network", (), {"a": float("inf"), "b c/d": 2.0, "e": None})
    assert list(made.curves()) == [("feature network/b_c_d", 2.0)]
    with Log([Jsonl()], SETTINGS) as log:
        log.open(tmp_path)
        log.write([made])
    last = (tmp_path / "logs" / "log.jsonl").read_text().splitlines()[-1]
    assert json.loads(last) == {"task": "feature network", "at": {}, "a": None, "b c/d": 2.0, "e": None}


@pytest.mark.parametrize(("make", "file"), [(Csv, "condensing.csv"), (Jsonl, "log.jsonl")])
def test_half_a_line_that_a_kill_left_is_made_whole(make, file, tmp_path):
    for cut in (1, 2, 9):
        folder = tmp_path / str(cut)
        whole = tmp_path / f"{cut}_whole"
        for where in (folder, whole):
            with Log([make()], SETTINGS) as log:
                log.open(where)
                log.write([row(1, 1), row(1, 2)])
        path = folder / "logs" / file
        path.write_bytes(path.read_bytes()[:-cut])
        with Log([make()], SETTINGS) as log:
            log.open(folder)
            log.write([row(1, 1), row(1, 2)])
        assert path.read_bytes() == (whole / "logs" / file).read_bytes()


def test_an_event_file_that_a_kill_has_cut_is_gone_on_with(tmp_path):
    with Log([TensorBoard()], SETTINGS) as log:
        log.open(tmp_path)
        log.write([row(1, 1), row(1, 2)])
    (events,) = (tmp_path / "logs").glob("events*")
    events.write_bytes(events.read_bytes()[:-5])
    with Log([TensorBoard()], SETTINGS) as log:
        log.open(tmp_path)
        log.write([row(1, 1), row(1, 2), row(1, 3)])
    assert sorted(x for _, x, _ in of_tensorboard(tmp_path)) == [1, 2, 3]


def test_tables_of_other_columns_are_left_alone(tmp_path):
    with Log([Csv()]) as log:
        log.open(tmp_path)
        log.write([row(1, 1)])
    before = (tmp_path / "logs" / "condensing.csv").read_bytes()
    log = Log([Csv()])
    log.open(tmp_path)
    with pytest.warns(UserWarning, match="has other columns"):
        log.write([Row("condensing", (("iteration", 2),), {"loss": 1.0})])
    assert (tmp_path / "logs" / "condensing.csv").read_bytes() == before


def test_weights_and_biases_goes_on_with_its_run(tmp_path, monkeypatch):
    service = Wandb()
    monkeypatch.setitem(sys.modules, "wandb", service)
    for status in (KeyboardInterrupt, ValueError, None):
        log = Log([WandB(project="p", entity="me", mode="offline")], SETTINGS)
        log.open(tmp_path / "run")
        log.write([row(1, 1)])
        log.__exit__(status, None, None)
    assert len({begun["id"] for begun in service.begun}) == 1
    assert service.begun[0]["config"] == SETTINGS
    assert {begun["resume"] for begun in service.begun} == {"allow"}
    assert service.begun[0]["name"] == "run"
    assert (service.begun[0]["project"], service.begun[0]["entity"]) == ("p", "me")
    assert service.begun[0]["mode"] == "offline"
    assert service.axes == {("condensing/*", "condensing/iteration")}
    assert service.exit_codes == [130, 1, 0]


def test_mlflow_goes_on_with_its_run(tmp_path, monkeypatch):
    tracker = Mlflow()
    tracker.install(monkeypatch)
    many = SETTINGS | {"many": {f"key_{i}": i for i in range(150)}}
    for status in (KeyboardInterrupt, None):
        log = Log([MLflow(uri="http://there")], many)
        log.open(tmp_path / "run")
        log.__exit__(status, None, None)
    assert tracker.params["condenser.name"] == "dm"
    assert len(tracker.params) == 154
    assert tracker.uris == ["http://there"] * 2
    assert tracker.statuses == [
        ("run", "CREATED"),
        ("r1", "KILLED"),
        ("r1", "RUNNING"),
        ("r1", "FINISHED"),
    ]


def test_settings_are_flat_where_they_must_be():
    given = flat(SETTINGS)
    assert given == {"seed": 3, "condenser.name": "dm", "condenser.sizes": "[2, 3]", "long": "x" * 700}


def test_another_mode_is_refused():
    with pytest.raises(InputError, match="mode=maybe: give one of online, offline"):
        WandB(mode="maybe")


@pytest.mark.parametrize(("package", "make"), [("mlflow", MLflow), ("wandb", WandB)])
def test_what_is_not_installed_is_named(package, make, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=f"logger={package} needs {package}: pip install {package}"):
        make()
