"""MLflow: a tracking server, or its files."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cl3d.loggers.installed import check_installed
from cl3d.loggers.ledger import Ledger
from cl3d.loggers.row import Row, flat

STATUS = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}
LONGEST_PARAMETER = 500
"""Characters of a parameter's value: the least that a server may take."""

PARAMETERS_AT_ONCE = 100
"""As many as the service takes in one request."""


class MLflow:
    """Tells MLflow, under one run however often it is taken up.

    Args:
        experiment: that the run is in; made where it is not there.
        uri: of the tracking server; None is what ``MLFLOW_TRACKING_URI`` says, or MLflow's own default.

    Raises:
        InputError: if ``mlflow`` is not installed.
    """

    name = "mlflow"

    def __init__(self, experiment: str = "cl3d", uri: str | None = None) -> None:
        check_installed("mlflow", self.name)
        self.experiment, self.uri = experiment, uri

    def open(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        self._client, self._ledger = MlflowClient(self.uri), Ledger(folder / "mlflow.ledger")
        if self._ledger.run is not None:
            self._run = self._ledger.run
            self._client.update_run(self._run, status="RUNNING")
            return
        found = self._client.get_experiment_by_name(self.experiment)
        experiment = self._client.create_experiment(self.experiment) if found is None else found.experiment_id
        self._run = self._client.create_run(experiment, run_name=folder.parent.name).info.run_id
        given = [Param(name, str(value)[:LONGEST_PARAMETER]) for name, value in flat(settings).items()]
        for first in range(0, len(given), PARAMETERS_AT_ONCE):
            self._client.log_batch(self._run, params=given[first : first + PARAMETERS_AT_ONCE])
        self._ledger.begin(self._run)

    def write(self, row: Row) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        from mlflow.entities import Metric

        if self._ledger.enter(row):
            now = int(1000 * time.time())
            metrics = [Metric(curve, value, now, row.x) for curve, value in row.curves()]
            self._client.log_batch(self._run, metrics=metrics)

    def close(self, status: str) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        self._ledger.close()
        self._client.set_terminated(self._run, status=STATUS[status])
