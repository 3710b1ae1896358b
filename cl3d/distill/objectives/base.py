"""The contract of an objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.models import Net


class Objective(Protocol):
    """How far synthetic clouds are from real clouds of the same class, seen through a network.

    Pure: it leaves the network as it was, its ``.grad`` fields included. The loop calls it for one
    class after the other, so memory does not grow with the number of classes.

    One that also takes nets that segment, and clouds with parts, says ``takes_parts = True``:
    :mod:`cl3d.distill.views` asks both kinds of networks the same way.
    """

    joint: ClassVar[bool]
    """Whether it takes all classes at once instead, labelled 0, 1, ..."""

    needs_target: ClassVar[bool]
    """Whether the network must know where training on the real data took it."""

    second_order: ClassVar[bool]
    """Whether it differentiates gradients of the network, so that this must allow it."""

    def passes(self, synthetic: float) -> tuple[float, float]:
        """Cost of one real and of one synthetic cloud, in training passes: for forecasts only.

        Args:
            synthetic: how many there are.
        """

    def __call__(self, net: Net, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """A scalar with a gradient path to ``synthetic.points``.

        Args:
            net: in eval mode, its batch statistics taken from real clouds of all classes.
            real: (b, p, 3) clouds of one class.
            synthetic: (m, q, 3) clouds of the same class; q may differ from p.
        """


@runtime_checkable
class MatchesMeans(Protocol):
    """An objective that compares means over clouds, so that several processes may each take a part of these.

    What it returns when called is ``compare(means(real), means(synthetic))``.
    """

    def means(self, net: Net, clouds: PointClouds, differentiable: bool) -> Sequence[Tensor]:
        """Tensors each of which is the mean over the clouds of what each cloud gives.

        Args:
            differentiable: whether there is to be a gradient path to ``clouds.points``.
        """

    def compare(self, wanted: Sequence[Tensor], found: Sequence[Tensor]) -> Tensor:
        """A scalar, from the means of real and of synthetic clouds."""


@runtime_checkable
class MatchesTogether(Protocol):
    """An objective that takes several classes in one go, where starting an operation is what costs."""

    def losses(self, net: Net, real: PointClouds, synthetic: PointClouds, classes: int) -> Tensor:
        """What it returns for each class when called, (classes,), up to rounding.

        Args:
            net: a backbone; no net that segments.
            real: class after class, as many clouds of each.
            synthetic: likewise.
        """


@runtime_checkable
class Begins(Protocol):
    """An objective that may learn numbers of its own along with the set."""

    def begin(self) -> LearningObjective | None:
        """What takes its place during one optimisation; None where nothing is to be learnt."""


@runtime_checkable
class Alternates(Protocol):
    """An objective that is another one at some iterations."""

    def at(self, iteration: int) -> Objective:
        """What takes its place at that iteration."""


class LearningObjective(nn.Module, ABC):
    """An objective during one optimisation; what it learns are its parameters."""

    joint: ClassVar[bool]

    @abstractmethod
    def parameter_groups(self) -> list[dict[str, Any]]:
        """Its parameters, with what the optimizer needs to know of them."""

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """What has been learnt, for the set's ``info``."""

    @abstractmethod
    def forward(self, net: Net, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """See :class:`Objective`."""
