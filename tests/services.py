"""Services as loggers meet them, in this process: they keep what they are told."""

from __future__ import annotations

import importlib.machinery
import sys
import types
from typing import Any


class Wandb(types.ModuleType):
    """Stands in for ``wandb``."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.__spec__ = importlib.machinery.ModuleSpec("wandb", None)
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.begun: list[dict[str, Any]] = []
        self.exit_codes: list[int] = []
        self.axes: set[tuple[str, str]] = set()
        self.broken = False

    def Settings(self, **settings: Any) -> dict[str, Any]:
        return settings

    def init(self, **settings: Any) -> Wandb:
        self.begun.append(settings)
        self.now = self.rows.setdefault(settings["id"], [])
        return self

    def define_metric(self, name: str, step_metric: str) -> None:
        self.axes.add((name, step_metric))

    def log(self, row: dict[str, Any]) -> None:
        if self.broken:
            raise ConnectionError("no network")
        self.now.append(row)

    def finish(self, exit_code: int) -> None:
        self.exit_codes.append(exit_code)

    def curves(self) -> list[tuple[str, int, float]]:
        """Each point that it was told, as often as it was."""
        axes = {axis for _, axis in self.axes}
        return [
            (name, next(row[axis] for axis in axes if axis in row), value)
            for rows in self.rows.values()
            for row in rows
            for name, value in row.items()
            if name not in axes
        ]


class Mlflow(types.ModuleType):
    """Stands in for ``mlflow`` with its submodules; the client has the real one's methods and limits."""

    def __init__(self) -> None:
        super().__init__("mlflow")
        self.__spec__ = importlib.machinery.ModuleSpec("mlflow", None)
        self.entities, self.tracking = (
            types.ModuleType("mlflow.entities"),
            types.ModuleType("mlflow.tracking"),
        )
        for name in ("Param", "Metric"):
            setattr(self.entities, name, lambda *values: values)
        self.tracking.MlflowClient = self.client  # type: ignore[attr-defined]
        self.experiments: dict[str, str] = {}
        self.params: dict[str, str] = {}
        self.metrics: list[tuple[str, float, int, int]] = []
        self.statuses: list[tuple[str, str]] = []
        self.uris: list[str | None] = []

    def client(self, uri: str | None) -> Mlflow:
        self.uris.append(uri)
        return self

    def get_experiment_by_name(self, name: str) -> Any:
        found = self.experiments.get(name)
        return found and types.SimpleNamespace(experiment_id=found)

    def create_experiment(self, name: str) -> str:
        assert name not in self.experiments
        self.experiments[name] = f"e{len(self.experiments)}"
        return self.experiments[name]

    def create_run(self, experiment: str, run_name: str) -> Any:
        assert experiment in self.experiments.values()
        self.statuses.append((run_name, "CREATED"))
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id="r1"))

    def log_batch(self, run: str, metrics: Any = (), params: Any = ()) -> None:
        assert run == "r1"
        assert len(params) <= 100
        assert all(len(value) <= 500 for _, value in params)
        self.metrics += metrics
        self.params |= dict(params)

    def update_run(self, run: str, status: str) -> None:
        self.statuses.append((run, status))

    def set_terminated(self, run: str, status: str) -> None:
        self.statuses.append((run, status))

    def curves(self) -> list[tuple[str, int, float]]:
        """Each point that it was told, as often as it was."""
        return [(name, x, value) for name, value, _, x in self.metrics]

    def install(self, patch: Any) -> None:
        """Makes it importable."""
        for module in (self, self.entities, self.tracking):
            patch.setitem(sys.modules, module.__name__, module)
