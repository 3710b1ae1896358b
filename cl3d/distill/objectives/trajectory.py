"""MTT: a network trained on the set ends where one trained on the real data went."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.experts import Waypoint
from cl3d.distill.objectives.base import LearningObjective
from cl3d.distill.objectives.unroll import unroll
from cl3d.errors import InputError, check_positive, check_range, check_whole
from cl3d.models import Net
from cl3d.random import generator


@dataclass(frozen=True)
class TrajectoryMatching:
    """Distance of a student from where an expert went (Cazenavette et al., CVPR 2022, eq. 2).

    The student starts from the expert's weights after some epoch, takes ``steps`` steps of gradient descent
    on the set, and is compared with the expert some epochs later:
    || student - target ||^2 / || start - target ||^2.

    Attributes:
        steps: n, of the student.
        batch_size: synthetic clouds per step, drawn anew for each step and iteration.
        student_lr: its learning rate, or where that starts.
        lr_rate: learning rate of the logarithm of ``student_lr``, which is learnt along with the set as in
            the paper (there the rate itself is, which may turn negative); 0 keeps it as given.
    """

    steps: int = 15
    batch_size: int = 32
    student_lr: float = 0.003
    lr_rate: float = 0.05
    joint: ClassVar[bool] = True
    needs_target: ClassVar[bool] = True
    second_order: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_whole("steps", self.steps, 1)
        check_whole("batch_size", self.batch_size, 1)
        check_positive("student_lr", self.student_lr)
        check_range("lr_rate", self.lr_rate, 0, math.inf)

    def passes(self, synthetic: float) -> tuple[float, float]:
        """Each step passes the clouds of its batch, and going back their gradients' gradients."""
        return 0.0, 5.0 * self.steps * min(1.0, self.batch_size / max(synthetic, 1.0))

    def begin(self) -> LearningStudentRate | None:
        """What learns the student's rate during one optimisation; None where it is given."""
        return LearningStudentRate(self) if self.lr_rate > 0 else None

    def __call__(self, net: Net, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """See :class:`~cl3d.distill.Objective`."""
        del real  # the expert has seen it
        return self.missed(net, synthetic, torch.tensor(self.student_lr, dtype=torch.float64))

    def missed(self, net: Net, synthetic: PointClouds, student_lr: Tensor) -> Tensor:
        """The distance, with a gradient path to the points and the rate.

        Raises:
            InputError: if the network is not on an expert's way.
        """
        if not isinstance(net, Waypoint):
            raise InputError("trajectory matching looks through experts: give surrogates=experts")
        start = [p.detach() for p in net.net.parameters()]
        rows = [
            torch.randperm(len(synthetic), generator=generator(net.seed, "unroll", step))[: self.batch_size]
            for step in range(self.steps)
        ]
        points = synthetic.points
        student = unroll(net.net, start, points, synthetic.labels, rows, student_lr.to(points))
        gaps = [_squared(s, t) for s, t in zip(student, net.target, strict=True)]
        length = sum(float(_squared(s, t)) for s, t in zip(start, net.target, strict=True))
        return torch.stack(gaps).sum() / max(length, torch.finfo(torch.float32).tiny)


class LearningStudentRate(LearningObjective):
    """Trajectory matching whose student's learning rate is optimised along with the set.

    Args:
        settings: where it starts, and how fast it is learnt.

    Attributes:
        log_lr: scalar parameter; the logarithm keeps the rate positive.
    """

    joint: ClassVar[bool] = True

    def __init__(self, settings: TrajectoryMatching) -> None:
        super().__init__()
        self.settings = settings
        self.log_lr = nn.Parameter(torch.tensor(math.log(settings.student_lr)))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The logarithm of the rate, at its own rate."""
        return [{"params": [self.log_lr], "lr": self.settings.lr_rate}]

    def summary(self) -> dict[str, float]:
        """The rate as learnt so far."""
        return {"student_lr": float(self.log_lr.detach().exp())}

    def forward(self, net: Net, real: PointClouds, synthetic: PointClouds) -> Tensor:
        """See :class:`~cl3d.distill.Objective`."""
        return self.settings.missed(net, synthetic, self.log_lr.exp())


def _squared(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).square().sum()
