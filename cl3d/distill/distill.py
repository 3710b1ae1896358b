"""distill(): the front door to condensers."""

from __future__ import annotations

from pathlib import Path

import torch

from cl3d.clouds import PointClouds
from cl3d.distill.budget import Budget
from cl3d.distill.condenser import Condenser
from cl3d.distill.networks import BuildModel
from cl3d.distill.synthetic import SyntheticSet
from cl3d.models import PointNet
from cl3d.progress import Progress, silent


def distill(
    clouds: PointClouds,
    condenser: Condenser,
    *,
    ppc: int | None = None,
    ratio: float | None = None,
    nbytes: int | None = None,
    model: BuildModel = PointNet,
    seed: int = 0,
    device: str | torch.device = "auto",
    progress: Progress = silent,
    checkpoint: Path | None = None,
) -> SyntheticSet:
    """Condenses ``clouds``; the front door to :class:`Condenser`, which see.

    Args:
        ppc, ratio, nbytes: the budget: exactly one of them.
    """
    budget = Budget(ppc=ppc, ratio=ratio, nbytes=nbytes)
    return condenser(
        clouds,
        budget=budget,
        model=model,
        seed=seed,
        device=device,
        progress=progress,
        checkpoint=checkpoint,
    )
