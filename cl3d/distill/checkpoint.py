"""Checkpoints: what a long computation needs to go on, as one safetensors file."""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from cl3d.atomic import write_bytes
from cl3d.clouds import PointClouds, hash_clouds
from cl3d.distributed import is_main
from cl3d.errors import InputError, Note
from cl3d.interrupts import interrupts_wait

SECONDS_BETWEEN = 60.0
"""How often a checkpoint is written; what is lost by a kill is at most that."""


class Damaged(InputError):
    """A file that was written whole and is not any more."""


@dataclass(frozen=True)
class State:
    """Tensors by name, and facts as JSON values."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def clone(self) -> State:
        """A copy that later changes in place do not reach."""
        return State({name: tensor.detach().clone() for name, tensor in self.tensors.items()}, self.facts)


class Checkpoint:
    """A file that holds the latest :class:`State` of one computation.

    Args:
        path: of the file; its folder is made.
        made_from: everything that the computation depends on, as JSON values: a file of another
            computation is refused.
    """

    def __init__(self, path: Path, made_from: dict[str, Any]) -> None:
        self.path, self.made_from = path, made_from
        self._written = time.monotonic()

    def read(self) -> State | None:
        """The state, its tensors on the CPU; None where there is no file.

        Raises:
            Damaged: if the file is not what was written.
            InputError: if it belongs to another computation.
        """
        if not self.path.exists():
            return None
        made_from, state = read_checkpoint(self.path)
        wanted = json.loads(json.dumps(self.made_from))
        differing = sorted(k for k in wanted | made_from if wanted.get(k) != made_from.get(k))
        if differing:
            raise InputError(
                f"{self.path} was left by a computation that differs in {', '.join(differing)}: "
                "give another folder, the same settings, or remove it"
            )
        return state

    def read_whole(self, otherwise: str) -> State | None:
        """The same, but a damaged file is noted and taken as none.

        Args:
            otherwise: what is done then, e.g. "training anew".

        Raises:
            InputError: if it belongs to another computation.
        """
        try:
            return self.read()
        except Damaged:
            warnings.warn(f"{self.path} is damaged: {otherwise}", Note, stacklevel=2)
            return None

    @property
    def due(self) -> bool:
        """Whether the last one is old enough to write another."""
        return time.monotonic() - self._written > SECONDS_BETWEEN

    def write(self, state: State) -> None:
        """Replaces the file; it is whole at any time. An interrupt is heard when it is written.

        Raises:
            InputError: if it cannot be written.
        """
        if not is_main():  # which writes; copying tensors and hashing them would be for nothing
            return
        with interrupts_wait():
            tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
            facts = {"made_from": self.made_from, "facts": state.facts, "digest": _digest(tensors)}
            write_bytes(self.path, to_bytes(tensors, metadata={"cl3d": json.dumps(facts)}))
            self._written = time.monotonic()


def read_checkpoint(path: Path) -> tuple[dict[str, Any], State]:
    """What a checkpoint's computation depended on, and its state.

    Raises:
        Damaged: if the file is not what was written.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["cl3d"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        made_from, facts = dict(header["made_from"]), dict(header["facts"])
        if header["digest"] != _digest(tensors):
            raise ValueError("its content has changed")
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise Damaged(f"{path} is not a whole checkpoint ({error}): remove it to start anew") from error
    return made_from, State(tensors, facts)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of an optimiser, flat: ``"<parameter>.<name>"`` to tensor."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": value
        for index, values in state.items()
        for name, value in values.items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of :func:`optimizer_tensors`, for an optimiser over the same parameters."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})


def clouds_fingerprint(clouds: PointClouds) -> str:
    """A hash of coordinates and labels."""
    digest = hashlib.blake2b(digest_size=16)
    hash_clouds(digest, clouds)
    return digest.hexdigest()


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        # a single number counts as contiguous whatever its stride, and its bytes cannot be viewed then
        flat = tensor.reshape(-1).as_strided((tensor.numel(),), (1,))
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
