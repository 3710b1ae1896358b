"""Features of real clouds: the space in which coresets are picked."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.kept import keep, kept_file, read_kept
from cl3d.distill.networks import Networks
from cl3d.distill.training import Training, batches, fit
from cl3d.errors import InputError
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

    Raises:
        InputError: if the kept file is damaged, of another network, or cannot be written.
    """
    net, real = networks.draw("features"), clouds.with_local_labels()
    path = kept_file(folder, "features", real, networks, training, seed)
    if path is not None and path.exists():
        _load(net, path)
    else:
        fit(net, real, training, fold(seed, "features"), progress, "feature network")
        if path is not None:
            keep(path, net.state_dict())
    return extract_features(net, clouds).cpu()


def _load(net: Backbone, path: Path) -> None:
    try:
        net.load_state_dict(read_kept(path))
    except RuntimeError as error:
        raise InputError(f"{path} is of another network: give another folder, or remove it") from error
