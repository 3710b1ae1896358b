"""What networks trained on real data give, kept in files and found again by everything that made it.

A file saves time and decides nothing: one that is damaged, or cannot be written, is noted and done without.
"""

from __future__ import annotations

import functools
import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

from torch import Tensor

from cl3d import __version__
from cl3d.clouds import PointClouds
from cl3d.distill.checkpoint import Checkpoint, State, clouds_fingerprint
from cl3d.distill.networks import BuildModel, Networks, model_name
from cl3d.distill.training import Training
from cl3d.errors import InputError, Note
from cl3d.numerics import computed_on


class Kept:
    """One outcome of a training.

    Args:
        folder: where such files are kept; None keeps nothing.
        name: of the file.
        real, networks, training, seed: what the outcome hangs on, besides the version of this library; the
            file's folder is named by a hash of it all.

    Raises:
        InputError: if the model has no name that tells it from others.
    """

    def __init__(
        self,
        folder: Path | str | None,
        name: str,
        real: PointClouds,
        networks: Networks,
        training: Training,
        seed: int,
    ) -> None:
        self._checkpoint: Checkpoint | None = None
        if folder is None:
            return
        model = f"{_module(networks.build)}.{model_name(networks.build)}"
        if "<" in model:
            raise InputError(
                f"folder={folder}: {model} cannot be told from others: give a named model, or no folder"
            )
        made_from: dict[str, Any] = {
            "cl3d_version": __version__,
            "data": clouds_fingerprint(real),
            "model": model,
            "num_classes": networks.num_classes,
            "networks": networks.seed,
            "device": computed_on(networks.device),
            "training": repr(training),
            "seed": seed,
        }
        key = hashlib.blake2b(json.dumps(made_from).encode(), digest_size=12).hexdigest()
        self._checkpoint = Checkpoint(Path(folder) / key / f"{name}.safetensors", made_from)

    def read(self) -> dict[str, Tensor] | None:
        """The tensors, on the CPU; None where there is no whole file."""
        if self._checkpoint is None:
            return None
        state = self._checkpoint.read_whole("training anew")
        return None if state is None else state.tensors

    def write(self, tensors: dict[str, Tensor]) -> None:
        """Keeps the tensors, if that is possible."""
        if self._checkpoint is None:
            return
        try:
            self._checkpoint.write(State(tensors, {}))
        except InputError as error:
            warnings.warn(f"what was trained is not kept: {error}", Note, stacklevel=2)


def _module(model: BuildModel) -> str:
    while isinstance(model, functools.partial):
        model = model.func
    return getattr(model, "__module__", type(model).__module__)
