"""Features of real clouds: the space in which coresets are picked."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.kept import Kept
from cl3d.distill.networks import Networks
from cl3d.distill.training import Training, batches, fit
from cl3d.models import Backbone
from cl3d.progress import Progress, silent
from cl3d.random import fold


def extract_features(net: Backbone, clouds: PointClouds, batch_size: int = 64) -> Tensor:
    """The feature after the pool of every cloud, in eval mode, without a graph.

    Returns:
        (n, feature_dim) on the network's device.
    """
    device = next(net.parameters()).device
    was_training = net.training
    net.eval()
    with torch.no_grad():
        features = [net.features(batch.points.to(device)) for batch in batches([clouds], batch_size, None)]
    net.train(was_training)
    return torch.cat(features)


def trained_features(
    clouds: PointClouds,
    networks: Networks,
    training: Training,
    seed: int,
    progress: Progress = silent,
    folder: Path | str | None = None,
) -> Tensor:
    """Features of a classifier trained on these very clouds (PCC, section 4.1).

    Nothing but ``clouds`` is seen, which in a stream are the step's own.

    Args:
        folder: where the classifier is kept and found again; None keeps it nowhere.

    Returns:
        (n, feature_dim) float on the CPU.
    """
    net, real = networks.draw("features"), clouds.with_local_labels()
    kept = Kept(folder, "features", real, networks, training, seed)
    found = kept.read()
    if found is None:
        fit(net, real, training, fold(seed, "features"), progress, "feature network")
        kept.write(net.state_dict())
    else:
        net.load_state_dict(found)
    return extract_features(net, clouds).cpu()
