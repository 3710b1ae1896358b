"""Keyed randomness: every draw comes from a seed derived from what the draw is for.

A key names a draw (``"real-batch", class_id, iteration``), so nothing depends on how many draws
came before it: a resumed run needs no generator state, the order in which classes are visited
changes nothing, and two condensers that are given the same seed stay paired. The idea is that of
JAX's ``fold_in``; the global seed is never set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch

KeyPart = str | int


def fold(seed: int, *key: KeyPart) -> int:
    """Derives a new seed in [0, 2**63) from ``seed`` and what it is for.

    Args:
        seed: any integer.
        key: strings and integers that name the use, e.g. ``"real-batch", 3, 120``.
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in (int(seed), *key))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, *key: KeyPart) -> torch.Generator:
    """A fresh CPU generator for one use; see :func:`fold`."""
    return torch.Generator().manual_seed(fold(seed, *key))


@contextmanager
def isolated(seed: int, *key: KeyPart, device: torch.device | None = None) -> Iterator[None]:
    """Runs a block under torch's global generators seeded by key, and puts back what it found.

    For code that draws from the global generator and takes no other: weight initialisation inside
    ``nn.Module`` constructors, dropout, a user's own network.

    Args:
        device: also its generator where it is a CUDA device; no other one is touched.
    """
    cuda = device is not None and device.type == "cuda"
    devices = (
        [torch.cuda.current_device() if device.index is None else device.index] if device and cuda else []
    )
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(fold(seed, *key))
        for index in devices:
            torch.cuda.default_generators[index].manual_seed(fold(seed, *key))
        yield
