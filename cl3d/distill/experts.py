"""Experts: networks trained on the real data, with the way that they took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.kept import Kept
from cl3d.distill.networks import Networks
from cl3d.distill.optimizers import SGD
from cl3d.distill.training import Training, fit
from cl3d.distributed import shared_out
from cl3d.errors import InputError, check_whole
from cl3d.models import Backbone, Net
from cl3d.progress import Progress
from cl3d.random import fold, generator

Trajectory = list[list[Tensor]]
"""The parameters of one expert, on the CPU: before training, then after each epoch."""


class Waypoint(Backbone):
    """A network as an expert was after some epoch, and where the expert was some epochs later.

    Attributes:
        net: the network.
        target: the later parameters, in the order of ``net.parameters()``.
        seed: of whatever is drawn on the way there.
    """

    def __init__(self, net: Backbone, target: Sequence[Tensor], seed: int = 0) -> None:
        super().__init__()
        self.net, self.target, self.seed = net, list(target), seed
        self.feature_dim, self.num_classes = net.feature_dim, net.num_classes
        self.in_channels = net.in_channels

    def point_features(self, points: Tensor) -> Tensor:
        """The network's feature map."""
        return self.net.point_features(points)

    def pool(self, f: Tensor) -> Tensor:
        """The network's pool."""
        return self.net.pool(f)

    def features(self, points: Tensor) -> Tensor:
        """The network's feature."""
        return self.net.features(points)

    def head(self, g: Tensor) -> Tensor:
        """The network's head."""
        return self.net.head(g)


@dataclass(frozen=True)
class Experts:
    """Surrogates from the way that networks took when trained on the real data.

    Each iteration draws an expert and an epoch; any objective may look through the network as it was
    then, and trajectory matching (Cazenavette et al., CVPR 2022) also asks where it went.

    Attributes:
        experts: how many are trained.
        span: epochs from the drawn one to the target.
        last_start: the latest epoch that is drawn (MTT's T+); None is any. The less a set can hold, the
            earlier the stretch that it can follow.
        training: of each expert, on the real clouds at hand; its epochs are the length of the way.
        folder: where trajectories are kept and found again, by data, model, training and seed; None keeps
            them in memory. An expert's file is whole or not there, so a killed run goes on with the next.
    """

    experts: int = 2
    span: int = 2
    last_start: int | None = None
    training: Training = Training(epochs=10, batch_size=32, optimizer=SGD(lr=0.01))
    folder: Path | str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_whole("experts", self.experts, 1)
        check_whole("span", self.span, 1)
        if self.span > self.training.epochs:
            raise InputError(
                f"span={self.span} with experts of {self.training.epochs} epochs: give a span up to that"
            )
        if self.last_start is not None:
            check_whole("last_start", self.last_start, 0)

    @property
    def training_epochs(self) -> float:
        """None on the synthetic set."""
        return 0.0

    @property
    def real_epochs(self) -> float:
        """All experts'."""
        return float(self.experts * self.training.epochs)

    @property
    def carries_net(self) -> bool:
        """Never: every iteration draws."""
        return False

    @property
    def gives_target(self) -> bool:
        """Yes."""
        return True

    def prepare(self, real: PointClouds, networks: Networks, seed: int, progress: Progress) -> Ways:
        """Trains the experts, shared out over the processes, or finds them again."""
        kept = [
            Kept(self.folder, f"expert_{index:02d}", real, networks, self.training, seed)
            for index in range(self.experts)
        ]

        def way(index: int) -> tuple[Trajectory, bool]:
            found = kept[index].read()
            if found is not None:
                return _way(found), True
            return self._trained(index, real, networks, seed, progress), False

        ways = []
        with progress("experts", self.experts, each="expert") as advance:
            for file, (stops, found) in zip(kept, shared_out(self.experts, way), strict=True):
                if not found:
                    file.write(
                        {f"{e:04d}.{i:04d}": t for e, stop in enumerate(stops) for i, t in enumerate(stop)}
                    )
                ways.append(stops)
                advance()
        return Ways(self.span, ways, self.last_start)

    def _trained(
        self, index: int, real: PointClouds, networks: Networks, seed: int, progress: Progress
    ) -> Trajectory:
        net = networks.draw("expert", index)
        way = [_snapshot(net)]
        fit(
            net,
            real,
            self.training,
            fold(seed, "expert", index),
            progress,
            "expert training",
            after_epoch=lambda epoch: way.append(_snapshot(net)),
        )
        return way


class Ways:
    """The trajectories of trained experts; hands out a :class:`Waypoint` for each iteration."""

    carries_net = False

    def __init__(self, span: int, ways: list[Trajectory], last_start: int | None = None) -> None:
        self.span, self.ways = span, ways
        starts = len(ways[0]) - span
        self._starts = starts if last_start is None else min(starts, last_start + 1)

    def at(
        self, iteration: int, net: Net | None, clouds: PointClouds, networks: Networks, seed: int
    ) -> Waypoint:
        """See :class:`~cl3d.distill.surrogates.Surrogates`."""
        del net, clouds
        draws = generator(seed, "waypoint", iteration)
        way = self.ways[int(torch.randint(len(self.ways), (), generator=draws))]
        epoch = int(torch.randint(self._starts, (), generator=draws))
        start = networks.draw("waypoint")
        assert isinstance(start, Backbone)
        with torch.no_grad():
            for parameter, value in zip(start.parameters(), way[epoch], strict=True):
                parameter.copy_(value)
        target = [value.to(networks.device) for value in way[epoch + self.span]]
        return Waypoint(start, target, fold(seed, "way", iteration))


def _snapshot(net: nn.Module) -> list[Tensor]:
    return [parameter.detach().cpu().clone() for parameter in net.parameters()]


def _way(tensors: dict[str, Tensor]) -> Trajectory:
    """A kept trajectory, whose tensors are named by epoch and position."""
    epochs = sorted({key.split(".")[0] for key in tensors})
    return [[tensors[key] for key in sorted(tensors) if key.startswith(f"{e}.")] for e in epochs]
