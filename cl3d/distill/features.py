"""Features of clouds: the space in which coresets are picked, and nearest means are taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.kept import Kept
from cl3d.distill.networks import Networks
from cl3d.distill.training import Training, batches, fit
from cl3d.distill.views import pooled
from cl3d.errors import InputError
from cl3d.models import SegmentationNet
from cl3d.progress import Progress, silent
from cl3d.random import fold

Features = Callable[[nn.Module, Tensor], Tensor]
"""What a network sees in clouds: (network, (b, p, 3) points) → (b, d)."""


def pooled_features(net: Any, points: Tensor) -> Tensor:
    """The feature after the pool: what a backbone's head is given.

    Raises:
        InputError: if the network shows none.
    """
    if not hasattr(net, "features"):
        raise InputError(
            f"{type(net).__name__} has no features(points): give features=, a function of it and points"
        )
    found: Tensor = net.features(points)
    return found


def extract_features(
    net: nn.Module, clouds: PointClouds, batch_size: int = 64, features: Features = pooled_features
) -> Tensor:
    """The feature of every cloud, in eval mode, without a graph.

    Returns:
        (n, feature_dim) on the network's device.
    """
    device = next(net.parameters()).device
    was_training = net.training
    net.eval()
    with torch.no_grad():
        found = [_seen(net, batch.to(device), features) for batch in batches([clouds], batch_size, None)]
    net.train(was_training)
    return torch.cat(found)


def _seen(net: nn.Module, clouds: PointClouds, features: Features) -> Tensor:
    return pooled(net, clouds) if isinstance(net, SegmentationNet) else features(net, clouds.points)


def trained_features(
    clouds: PointClouds,
    networks: Networks,
    training: Training,
    seed: int,
    progress: Progress = silent,
    folder: Path | str | None = None,
) -> Tensor:
    """Features of a network trained on these very clouds (PCC, section 4.1).

    Nothing but ``clouds`` is seen, which in a stream are the step's own. Of a net that segments, a cloud's
    feature is the max over those of its points.

    Args:
        folder: where the features are kept and found again; None keeps them nowhere.

    Returns:
        (n, feature_dim) float on the CPU.
    """
    real = clouds.with_local_labels()
    kept = Kept(folder, "features_of_clouds", real, networks, training, seed)
    found = kept.read()
    if found is not None:
        return found["features"]
    net = networks.draw("features")
    fit(net, real, training, fold(seed, "features"), progress, "feature network")
    features = extract_features(net, real).cpu()
    kept.write({"features": features})
    return features
