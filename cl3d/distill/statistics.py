"""Batch statistics worth the name: of enough clouds, and of real ones while a set is condensed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from cl3d.clouds import PointClouds
from cl3d.distill.views import outputs
from cl3d.distributed import merge_rows
from cl3d.teams import own_work, owner

SMALLEST_BATCH = 3

CLOUDS_AT_ONCE = 128
"""Clouds whose statistics are taken in one pass."""


@contextmanager
def guarded_statistics(net: nn.Module, clouds: int, smallest: int = SMALLEST_BATCH) -> Iterator[None]:
    """Lets no batch of fewer than ``smallest`` clouds reach a BatchNorm: there running statistics are used.

    The statistics of one cloud do not exist and those of two say only which is which; one such
    batch in an epoch ruins a network.

    Args:
        clouds: how many the next forward pass has.
    """
    norms = []
    if clouds < smallest:
        norms = [
            m for m in net.modules() if isinstance(m, _BatchNorm) and m.training and m.track_running_stats
        ]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()


@contextmanager
def frozen_statistics(net: nn.Module, reference: PointClouds) -> Iterator[None]:
    """Puts ``net`` in eval mode, its batch statistics taken from ``reference``; undone afterwards.

    A class's synthetic clouds (often one) have no batch statistics worth the name, so those of real
    clouds of all classes stand in (Zhao et al., ICLR 2021, public code; there the fresh running
    statistics keep a weight of 0.9, here they are replaced).

    Memory does not grow with the number of classes: more than :data:`CLOUDS_AT_ONCE` clouds are dealt out
    over passes of equal size, each with clouds of as many classes as can be, and the statistics are pooled.

    Args:
        reference: real clouds of all classes; unused by networks without BatchNorm, and where
            there are fewer than three: then the network's own running statistics stay.
    """
    norms = [m for m in net.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    modes = [(module, module.training) for module in net.modules()]
    found = [(norm, norm.momentum, {k: v.clone() for k, v in norm.named_buffers()}) for norm in norms]
    try:
        net.eval()  # dropout, too
        if norms and len(reference) >= SMALLEST_BATCH:
            _take_statistics(net, norms, reference)
        net.eval()
        yield
    finally:
        for norm, momentum, buffers in found:
            norm.momentum = momentum
            for name, value in buffers.items():
                getattr(norm, name).copy_(value)
        for module, training in modes:
            module.training = training


@torch.no_grad()
def _take_statistics(net: nn.Module, norms: list[_BatchNorm], reference: PointClouds) -> None:
    """Sets the running statistics of ``norms`` to those of ``reference``; processes share out the passes.

    Pooled over passes: the mean of the means, and the mean of the variances plus the variance of the means.
    """
    passes = -(-len(reference) // CLOUDS_AT_ONCE)
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    if passes == 1:
        outputs(net, reference)
        return
    running = [[norm.get_buffer(f"running_{name}") for norm in norms] for name in ("mean", "var")]
    sizes = [len(mean) for mean in running[0]]
    taken = reference.points.new_zeros(passes, 2 * sum(sizes))
    for work in own_work(passes, divisible=False):
        outputs(net, reference[work.unit :: passes])
        taken[work.unit] = torch.cat([*running[0], *running[1]])
    merge_rows(taken, torch.tensor([owner(first, 0, passes) for first in range(passes)]))
    means, squares, variances = (taken.new_zeros(sum(sizes)) for _ in range(3))
    for mean, variance in (row.chunk(2) for row in taken):
        for total, term in ((means, mean), (squares, mean.square()), (variances, variance)):
            total += term / passes
    for buffers, pooled in zip(running, (means, variances + squares - means.square()), strict=True):
        for buffer, values in zip(buffers, pooled.split(sizes), strict=True):
            buffer.copy_(values)
