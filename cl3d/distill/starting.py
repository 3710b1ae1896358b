"""Starting: the set before its first iteration, made of the picked clouds."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cl3d.clouds import PointClouds, normalize
from cl3d.distill.parameterizations.base import CutByParts, Parameterization
from cl3d.distill.synthetic import SyntheticSet
from cl3d.distributed import agree
from cl3d.progress import Progress
from cl3d.random import fold


def started(
    parameterization: Parameterization,
    real: PointClouds,
    picked: Tensor,
    shares: Sequence[int],
    seed: int,
    progress: Progress,
) -> SyntheticSet:
    """A set of real clouds before it is optimised, labelled 0, 1, ..., the same in all processes.

    Args:
        picked: positions of the clouds to start from, in class order.
        shares: bytes of each class.

    Returns:
        The set, on the device of the real clouds; ``initial`` shows it as it is now.
    """
    local = real.with_local_labels()
    if local.parts is not None and isinstance(parameterization, CutByParts):
        parameterization = parameterization.for_parts(local)
    start = local[picked.to(real.points.device)]
    synthetic = parameterization.start(
        start, dict(enumerate(shares)), fold(seed, "parameterization"), progress
    )
    synthetic = synthetic.to(real.points.device)
    agree(synthetic.parameters())
    synthetic.initial = _looked_at(synthetic)
    return synthetic


def _looked_at(synthetic: SyntheticSet) -> PointClouds:
    """What a set that has just been started shows: copies that optimising does not reach, normalised."""
    with torch.no_grad():
        clouds = synthetic.decode()
    points = normalize(clouds.points.detach()).clone()
    return PointClouds(points, clouds.labels.clone(), clouds.parts)
