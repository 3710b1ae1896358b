"""ReservoirBuffer: a replay memory of real clouds, held or dropped one by one as the stream goes by."""

from __future__ import annotations

from typing import Any

from cl3d.clouds import PointClouds
from cl3d.continual.buffer import Condense, CondensedBuffer
from cl3d.distill import Budget, PointSet, Reservoir
from cl3d.distill.networks import BuildModel
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.random import fold


class ReservoirBuffer(CondensedBuffer):
    """A :class:`CondensedBuffer` with one reservoir for the whole stream, which is its only set.

    Args:
        reservoir: plain or class-balancing.
        budget: a ``total``: the reservoir has as many slots at every step.

    Raises:
        InputError: if the budget is written otherwise.
    """

    def __init__(
        self, reservoir: Reservoir, budget: Budget, model: BuildModel = PointNet, **settings: Any
    ) -> None:
        super().__init__(reservoir, budget, model, **settings)
        self.reservoir = reservoir

    def _check(self, condenser: Condense, budget: Budget) -> None:
        check_total(condenser, budget)

    def add(self, clouds: PointClouds, step: int) -> None:
        """Offers the clouds of a step to the reservoir; see :meth:`CondensedBuffer.add`."""
        held = self.sets[0] if self.sets else None
        assert held is None or isinstance(held, PointSet)
        assert self.budget.total is not None
        seed = fold(self.seed, "condense", step)
        self.sets = [self.reservoir.update(held, clouds, self.budget.total, seed).as_stored()]
        self._classes_seen = len(self.sets[0].clouds_per_class)
        self._changed()


def check_total(condenser: Condense, budget: Budget) -> None:
    """Refuses a budget that gives a reservoir no fixed number of slots.

    Raises:
        InputError: saying what does.
    """
    if isinstance(condenser, Reservoir) and budget.total is None:
        raise InputError(
            f"{condenser.name} has one number of slots along the whole stream: "
            f"give total=BYTES, not {budget.in_words}"
        )
