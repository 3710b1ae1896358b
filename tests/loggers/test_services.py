"""The services themselves, where they are installed: Weights & Biases offline, MLflow with files."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from cl3d.loggers import Log, MLflow, Row, WandB

SETTINGS = {"seed": 3, "condenser": {"name": "dm"}}


def told_twice(make, folder) -> list[tuple[int, float]]:
    """What is logged by a run that makes its second row again."""
    for first, last in ((1, 2), (2, 3)):
        with Log([make()], SETTINGS) as log:
            log.open(folder)
            log.write(
                [
                    Row("condensing", (("step", 1), ("iteration", i)), {"loss": 1 / i})
                    for i in range(first, last + 1)
                ]
            )
    return [(i, 1 / i) for i in (1, 2, 3)]


def records_of(data: bytes) -> Iterator[bytes]:
    """The records of a LevelDB log; before each stand checksum (4 bytes), length (2) and kind (1)."""
    position = 7
    while position + 7 <= len(data):
        length = int.from_bytes(data[position + 4 : position + 6], "little")
        if data[position + 6] == 1:  # whole; these files are too small for others
            yield data[position + 7 : position + 7 + length]
        position += 7 + length


@pytest.mark.slow
def test_weights_and_biases_offline(tmp_path):
    wandb = pytest.importorskip("wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    expected = told_twice(lambda: WandB(mode="offline"), tmp_path / "run")
    wandb.teardown()  # its own process writes the files
    files = sorted((tmp_path / "run" / "logs" / "wandb").glob("offline-run-*/*.wandb"))
    assert len(files) == 2
    assert len({path.name for path in files}) == 1, "one run"
    found = []
    for record in (Record.FromString(data) for path in files for data in records_of(path.read_bytes())):
        values = {"/".join(item.nested_key) or item.key: item.value_json for item in record.history.item}
        if "condensing/iteration" in values:
            loss = json.loads(values["condensing/step_01/loss"])
            found.append((json.loads(values["condensing/iteration"]), loss))
    assert found == expected


@pytest.mark.slow
def test_mlflow_with_files(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "store").as_uri()
    expected = told_twice(lambda: MLflow(uri=uri), tmp_path / "run")
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("cl3d")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["condenser.name"] == "dm"
    assert run.info.status == "FINISHED"
    history = client.get_metric_history(run.info.run_id, "condensing/step_01/loss")
    assert [(metric.step, metric.value) for metric in history] == expected
