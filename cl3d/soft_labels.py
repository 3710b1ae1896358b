"""Soft labels: a probability of each class, for each cloud."""

from __future__ import annotations

import torch
from torch import Tensor

from cl3d.errors import InputError


def pad_targets(soft: Tensor, num_classes: int) -> Tensor:
    """Probabilities of the first classes as those of ``num_classes``: (n, k) → (n, num_classes).

    Raises:
        InputError: if they are of more classes.
    """
    missing = num_classes - soft.shape[1]
    if missing < 0:
        raise InputError(
            f"soft labels are of {soft.shape[1]} classes, a network has {num_classes} outputs: "
            "give it one for each class"
        )
    return torch.nn.functional.pad(soft, (0, missing))
