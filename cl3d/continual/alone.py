"""Avalanche sees one process: each of a run's processes goes through the whole stream.

Where torch has a process group, Avalanche would deal out the training clouds to its processes, and refuses
loggers in all but the first, some of which it makes while it is imported. What processes share out here is
condensing, below Avalanche.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import distributed

from cl3d.distributed import world


@contextmanager
def _no_group() -> Iterator[None]:
    found = distributed.is_initialized
    distributed.is_initialized = lambda: world() == 1 and found()
    try:
        yield
    finally:
        distributed.is_initialized = found


with _no_group():
    from avalanche.distributed.distributed_helper import DistributedHelper


class _OneProcess(type(DistributedHelper)):  # type: ignore[misc]
    """Avalanche's helper, for which the processes of a run of this library are no group."""

    @property
    def is_distributed(self) -> bool:
        """Never because of this library's processes."""
        return world() == 1 and super().is_distributed

    @property
    def rank(self) -> int:
        """Of this library's processes each is the first."""
        return super().rank if world() == 1 else 0

    @property
    def world_size(self) -> int:
        """This library's processes are one each."""
        return super().world_size if world() == 1 else 1


DistributedHelper.__class__ = _OneProcess
