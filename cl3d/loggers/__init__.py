"""Loggers: where the figures of a run are kept while it goes on, for whatever draws or compares them.

A :class:`Log` hands each row of figures to several of them: :class:`Csv`, :class:`Jsonl`,
:class:`TensorBoard`, :class:`WandB`, :class:`MLflow`, or anything with the methods of :class:`Logger`.
"""

from cl3d.loggers.csv_tables import Csv
from cl3d.loggers.jsonl import Jsonl
from cl3d.loggers.log import Log, Logger
from cl3d.loggers.mlflow import MLflow
from cl3d.loggers.row import Row
from cl3d.loggers.tensorboard import TensorBoard
from cl3d.loggers.wandb import WandB

__all__ = ["Csv", "Jsonl", "Log", "Logger", "MLflow", "Row", "TensorBoard", "WandB"]
