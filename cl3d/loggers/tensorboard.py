"""TensorBoard: curves in ``tensorboard --logdir``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cl3d.loggers.row import Row, flat

HEADLINES = (
    "steps/accuracy",
    "steps/average_accuracy",
    "steps/forgetting_max_minus_last",
    "set/nbytes",
    "evaluation/mean",
)
"""Curves whose last values stand beside the settings, in TensorBoard's table of runs."""


class TensorBoard:
    """Writes event files in ``logs/``, one each time the run is taken up; no point is in two of them."""

    name = "tensorboard"

    def open(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        from torch.utils.tensorboard import SummaryWriter  # late: takes a second
        from torch.utils.tensorboard.summary import hparams

        self._there = _points(folder)
        self._writer = SummaryWriter(str(folder))
        if not self._there:
            for summary in hparams(flat(settings), dict.fromkeys(HEADLINES, 0.0)):
                self._writer._get_file_writer().add_summary(summary)

    def write(self, row: Row) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        for curve, value in row.curves():
            if (curve, row.x) not in self._there:
                self._there.add((curve, row.x))
                self._writer.add_scalar(curve, value, row.x)
        self._writer.flush()  # a kill must not lose what a checkpoint is beyond

    def close(self, status: str) -> None:
        """See :class:`cl3d.loggers.log.Logger`."""
        del status
        self._writer.close()


def _points(folder: Path) -> set[tuple[str, int]]:
    """Which curves have which points in the folder's event files, as far as these are whole."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    return {
        (value.tag, event.step)
        for path in sorted(folder.glob("events.out.tfevents.*"))
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    }
