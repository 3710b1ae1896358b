"""Surrogates: which network the objective looks through at iteration i."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cl3d.clouds import PointClouds
from cl3d.distill.networks import Networks
from cl3d.distill.optimizers import SGD
from cl3d.distill.training import Training, fit
from cl3d.errors import check_whole
from cl3d.models import Net
from cl3d.progress import Progress
from cl3d.random import fold


class Source(Protocol):
    """Hands out the network of each iteration."""

    @property
    def carries_net(self) -> bool:
        """Whether an iteration may go on with the network of the one before."""

    def at(self, iteration: int, net: Net | None, clouds: PointClouds, networks: Networks, seed: int) -> Net:
        """The network for ``iteration``.

        Args:
            net: that of the iteration before, None at the first.
            clouds: the synthetic set as it is now, detached.
        """


class Surrogates(Protocol):
    """Settings that become a :class:`Source` when the real data is there.

    Those that also hand out nets that segment say ``takes_parts = True``.
    """

    @property
    def training_epochs(self) -> float:
        """Epochs on the synthetic set per iteration, on average: for forecasts only."""

    @property
    def real_epochs(self) -> float:
        """Epochs on the real data beforehand: for forecasts only."""

    @property
    def gives_target(self) -> bool:
        """Whether networks know where training on the real data took them, as trajectory matching asks."""

    def prepare(self, real: PointClouds, networks: Networks, seed: int, progress: Progress) -> Source:
        """Does what has to be done before the first iteration.

        Args:
            real: all real clouds, labelled 0, 1, ...
        """


class _NeverSeesRealData:
    """Surrogates that are their own source."""

    real_epochs = 0.0
    gives_target = False
    takes_parts = True


@dataclass(frozen=True)
class Fresh(_NeverSeesRealData):
    """A network with new random weights every ``every`` iterations."""

    every: int = 1

    def __post_init__(self) -> None:
        check_whole("every", self.every, 1)

    @property
    def training_epochs(self) -> float:
        """None."""
        return 0.0

    @property
    def carries_net(self) -> bool:
        """Where a network serves several iterations."""
        return self.every > 1

    def prepare(self, real: PointClouds, networks: Networks, seed: int, progress: Progress) -> Fresh:
        """Nothing has to be done."""
        return self

    def at(self, iteration: int, net: Net | None, clouds: PointClouds, networks: Networks, seed: int) -> Net:
        """See :class:`Source`."""
        del clouds, seed
        if net is None or iteration % self.every == 0:
            return networks.draw("surrogate", iteration)
        return net


@dataclass(frozen=True)
class Trained(_NeverSeesRealData):
    """New random weights every ``inner`` iterations, trained on the synthetic set in between.

    The nested loop of gradient matching (PCC, algorithm 2): the set is matched along the path that a
    network takes when it learns from the set.

    Attributes:
        inner: iterations per network (T).
        training: of the network between two iterations, on the set as it is.
    """

    inner: int = 10
    training: Training = Training(epochs=1, batch_size=256, optimizer=SGD(lr=0.01))

    def __post_init__(self) -> None:
        check_whole("inner", self.inner, 1)

    @property
    def training_epochs(self) -> float:
        """All but the first of ``inner`` iterations train."""
        return self.training.epochs * (1 - 1 / self.inner)

    @property
    def carries_net(self) -> bool:
        """Where there is an inner loop."""
        return self.inner > 1

    def prepare(self, real: PointClouds, networks: Networks, seed: int, progress: Progress) -> Trained:
        """Nothing has to be done."""
        return self

    def at(self, iteration: int, net: Net | None, clouds: PointClouds, networks: Networks, seed: int) -> Net:
        """See :class:`Source`."""
        if net is None or iteration % self.inner == 0:
            return networks.draw("surrogate", iteration)
        fit(net, clouds, self.training, fold(seed, "surrogate", iteration))
        return net
