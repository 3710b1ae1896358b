"""WandB: Weights & Biases, online or for ``wandb sync`` later."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cl3d.errors import InputError
from cl3d.loggers.installed import check_installed
from cl3d.loggers.ledger import Ledger
from cl3d.loggers.row import Row

MODES = ("online", "offline")
STATUS = {"finished": 0, "interrupted": 130, "failed": 1}


class WandB:
    """Tells Weights & Biases, under one run however often it is taken up.

    Args:
        project: that the run is in.
        entity: whose project; None is the account's own.
        mode: ``online``; or ``offline``, which writes to ``logs/wandb`` for ``wandb sync``.

    Raises:
        InputError: if ``wandb`` is not installed, or the mode is another one.
    """

    name = "wandb"

    def __init__(self, project: str = "cl3d", entity: str | None = None, mode: str = "online") -> None:
        if mode not in MODES:
            raise InputError(f"mode={mode}: give one of {', '.join(MODES)}")
        check_installed("wandb", self.name)
        self.project, self.entity = project, entity
        self.mode: Any = mode

    def open(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        import wandb

        self._ledger = Ledger(folder / "wandb.ledger")
        name = self._ledger.run or uuid.uuid4().hex[:12]
        self._run = wandb.init(
            project=self.project,
            entity=self.entity,
            mode=self.mode,
            id=name,
            name=folder.parent.name,
            resume="allow",
            dir=str(folder),
            config=dict(settings),
            settings=wandb.Settings(console="off", silent=True),  # the terminal is the run's own
        )
        self._ledger.begin(name)
        self._axes: set[str] = set()

    def write(self, row: Row) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        if not self._ledger.enter(row):
            return
        axis = f"{row.task}/{row.place[-1][0] if row.place else 'row'}"
        if row.task not in self._axes:
            self._axes.add(row.task)
            self._run.define_metric(f"{row.task}/*", step_metric=axis)
        self._run.log({axis: row.x, **dict(row.curves())})

    def close(self, status: str) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        self._ledger.close()
        self._run.finish(exit_code=STATUS[status])
