"""Files of what sets started from: for pictures alone, no part of a memory and never read by a run."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes

from cl3d.atomic import write_bytes
from cl3d.clouds import PointClouds
from cl3d.errors import InputError


def save_initial(clouds: PointClouds, path: Path) -> None:
    """Writes clouds with their labels and, where they are known, parts.

    Raises:
        InputError: if it cannot be written.
    """
    tensors = {"points": clouds.points.float(), "labels": clouds.labels}
    if clouds.parts is not None:
        tensors["parts"] = clouds.parts
    write_bytes(path, to_bytes({name: t.detach().cpu().contiguous() for name, t in tensors.items()}))


def load_initial(path: Path) -> PointClouds:
    """The clouds that :func:`save_initial` wrote.

    Raises:
        InputError: if there is no such file, or it is not whole.
    """
    try:
        tensors = from_bytes(path.read_bytes())
        clouds = PointClouds(tensors["points"], tensors["labels"], tensors.get("parts"))
        if not bool(torch.isfinite(clouds.points).all()):
            raise InputError("its points are not finite")
    except (OSError, SafetensorError, KeyError, InputError) as error:
        raise InputError(f"{path} does not hold what a set started from ({error}): leave it out") from error
    return clouds
