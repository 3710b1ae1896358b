"""What a sweep has left to run, and about how long that takes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from cl3d.errors import InputError
from cl3d.report.terminal import Terminal
from cl3d.report.units import duration

ONE_AFTER_ANOTHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
"""The launcher that runs jobs in this process."""


class Forecast:
    """Collects a sweep's jobs, which are then not run."""

    def __init__(self) -> None:
        self._left: list[float] = []
        self._finished = 0
        self._starting = 0.0

    def add(self, folder: Path, run: Any) -> None:
        """Looks at one job and says what it takes.

        Args:
            folder: of the job.
            run: a :class:`cl3d.continual.ContinualRun`.

        Raises:
            InputError: if jobs are launched in other processes, which cannot be counted here.
        """
        # late: importing avalanche takes seconds, and --help should not
        from cl3d.continual import finished
        from cl3d.continual.estimate import expected_seconds

        launcher = HydraConfig.get().launcher._target_
        if launcher != ONE_AFTER_ANOTHER:
            raise InputError(f"dry_run=true launches nothing: leave out hydra/launcher= ({launcher})")
        # each job's process imports the same and reads the same data
        self._starting = self._starting or time.process_time()
        if finished(folder):
            self._finished += 1
            Terminal().say(f"{folder.name}: finished")
            return
        self._left.append(self._starting + expected_seconds(run))
        Terminal().say(f"{folder.name}: about {duration(self._left[-1])}")

    def tell(self) -> None:
        """Says how many jobs there are, and how many hours they take; nothing where none was looked at."""
        jobs, hours = self._finished + len(self._left), sum(self._left) / 3600
        if jobs:
            longest = duration(max(self._left, default=0.0))
            Terminal().say(
                f"{jobs} jobs, {self._finished} finished; the others take about {hours:.2f} hours one "
                f"after another, the longest {longest}"
            )
