"""Networks trained on real data, kept in files and found again by everything that made them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor

from cl3d.atomic import write_bytes
from cl3d.clouds import PointClouds
from cl3d.distill.checkpoint import clouds_fingerprint
from cl3d.distill.networks import Networks, model_name
from cl3d.distill.training import Training
from cl3d.errors import InputError


def kept_file(
    folder: Path | str | None, name: str, real: PointClouds, networks: Networks, training: Training, seed: int
) -> Path | None:
    """Where the outcome of a training is kept; None without a folder.

    Args:
        name: of the file.
        real, networks, training, seed: what the outcome hangs on, besides the version of this library; the
            file's folder is named by a hash of it all.

    Raises:
        InputError: if the model has no name that tells it from others.
    """
    if folder is None:
        return None
    model = model_name(networks.build)
    if "<" in model:
        raise InputError(
            f"folder={folder}: {model} cannot be told from others: give a named model, or no folder"
        )
    made_from = [clouds_fingerprint(real), model, networks.num_classes, networks.seed]
    text = json.dumps([*made_from, networks.device.type, repr(training), seed])
    key = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
    return Path(folder) / key / f"{name}.safetensors"


def read_kept(path: Path) -> dict[str, Tensor]:
    """The tensors of a kept file, on the CPU.

    Raises:
        InputError: if it is damaged.
    """
    try:
        return from_bytes(path.read_bytes())
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}): remove it to train anew") from error


def keep(path: Path, tensors: dict[str, Tensor]) -> None:
    """Writes a kept file; it is whole or not there.

    Raises:
        InputError: if it cannot be written.
    """
    write_bytes(
        path, to_bytes({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    )
