"""How exactly networks compute: float32 unless asked otherwise; on CUDA the same bits each time if asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import torch
from torch import Tensor, nn

from cl3d.errors import InputError

PRECISIONS = ("float32", "tf32", "bfloat16")
"""Products of float32; on CUDA of its first 10 bits of fraction; in networks of bfloat16, sums in float32."""

P = ParamSpec("P")
_precision = "float32"


@contextmanager
def numerics(precision: str = "float32", deterministic: bool = False) -> Iterator[None]:
    """Computes in this way within the block; the scripts run in one, importing the library changes nothing.

    Args:
        precision: ``float32``; ``tf32``, products of rounded float32 by the tensor cores of CUDA devices;
            ``bfloat16``, networks under autocast: their losses, all gradients and all that is not a network
            stay float32. What both change is measured by ``benchmarks/precision.py``.
        deterministic: the same bits each time on the same CUDA device, as always on the CPU; operations that
            cannot do that then raise an error.

    Raises:
        InputError: if the precision is unknown.
    """
    global _precision
    if precision not in PRECISIONS:
        raise InputError(f"precision={precision} is unknown: give one of {', '.join(PRECISIONS)}")
    before = _precision, _tf32(), torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    if deterministic:
        # cuBLAS reads it when it starts, and refuses to be deterministic without
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        _precision = precision
        _allow_tf32(precision == "tf32", precision == "tf32")
        torch.use_deterministic_algorithms(deterministic)
        yield
    finally:
        _precision = before[0]
        _allow_tf32(*before[1])
        torch.use_deterministic_algorithms(before[2], warn_only=warns)


def computed_on(device: torch.device) -> str:
    """The kind of device and how it computes, by which results are told apart: ``cuda``, ``cuda, tf32``."""
    return device.type if _precision == "float32" else f"{device.type}, {_precision}"


def check_precision(precision: str, device: torch.device) -> None:
    """Refuses what a device does not have.

    Raises:
        InputError: if it is TF32 on the CPU.
    """
    if precision == "tf32" and device.type != "cuda":
        raise InputError(
            "precision=tf32 is what CUDA devices have: give device=cuda, or precision=float32 or bfloat16"
        )


def as_asked(ask: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Runs what asks a network, its first argument, in the block's precision; float32 comes out again."""

    @wraps(ask)
    def asked(*args: P.args, **named: P.kwargs) -> Tensor:
        if _precision != "bfloat16":
            return ask(*args, **named)
        net = args[0]
        assert isinstance(net, nn.Module)
        with torch.autocast(next(net.parameters()).device.type, torch.bfloat16):
            return ask(*args, **named).float()

    return asked


def _tf32() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


def _allow_tf32(products: bool, convolutions: bool) -> None:
    torch.backends.cuda.matmul.allow_tf32 = products
    torch.backends.cudnn.allow_tf32 = convolutions
