"""Resuming: where a condensation keeps its checkpoint, and what it must agree on to go on from there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from cl3d import __version__
from cl3d.clouds import PointClouds
from cl3d.distill.budget import Budget
from cl3d.distill.checkpoint import Checkpoint, State, clouds_fingerprint
from cl3d.distill.networks import BuildModel, model_name
from cl3d.distributed import by_main
from cl3d.numerics import computed_on

if TYPE_CHECKING:
    from cl3d.distill.condenser import Condenser


def checkpoint_of(
    condenser: Condenser,
    path: Path,
    clouds: PointClouds,
    budget: Budget,
    model: BuildModel,
    seed: int,
    device: torch.device,
) -> Checkpoint:
    """A condensation's checkpoint, in whose header stands all that decides what comes out."""
    made_from = {
        "condenser": repr(condenser),
        "data": clouds_fingerprint(clouds),
        "budget": str(budget),
        "model": model_name(model),
        "seed": seed,
        "device": computed_on(device),
        "cl3d_version": __version__,
    }
    return Checkpoint(path, made_from)


def state_to_go_on_from(saved: Checkpoint | None) -> State | None:
    """What the checkpoint holds, the same in all processes; None where the optimisation begins anew.

    Raises:
        InputError: if the file belongs to another condensation.
    """
    if saved is None:
        return None
    return by_main(lambda: saved.read_whole("condensing from the beginning"))
