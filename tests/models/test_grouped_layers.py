"""Layers on groups whose linear map is applied to points equal the same layers on the groups themselves."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from cl3d.models.grouped_layers import GroupedLayer
from cl3d.models.layers import NORMS
from cl3d.ops.grouping import take
from cl3d.random import generator, isolated

B, P, Q, K, C, OUT = 3, 13, 7, 5, 11, 32

Map = Callable[[GroupedLayer, Tensor, Tensor, Tensor, Tensor], Tensor]


def edges(layer: GroupedLayer, values: Tensor, near: Tensor, own: Tensor, unused: Tensor) -> Tensor:
    return layer.edges(values, near, own)


def edges_plainly(layer: GroupedLayer, values: Tensor, near: Tensor, own: Tensor, unused: Tensor) -> Tensor:
    ends, starts = take(values, near), own.unsqueeze(2).expand(-1, -1, near.shape[2], -1)
    return layer(torch.cat([ends - starts, starts], dim=-1))


def offsets(layer: GroupedLayer, values: Tensor, near: Tensor, own: Tensor, points: Tensor) -> Tensor:
    return layer.offsets(points, values, near, own[..., :3])


def offsets_plainly(layer: GroupedLayer, values: Tensor, near: Tensor, own: Tensor, points: Tensor) -> Tensor:
    from_centre = take(points, near) - own[..., :3].unsqueeze(2)
    return layer(torch.cat([from_centre, take(values, near)], dim=-1))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    ("fast", "plain", "inputs"), [(edges, edges_plainly, 2 * C), (offsets, offsets_plainly, 3 + C)]
)
def test_values_statistics_and_derivatives(
    fast: Map, plain: Map, inputs: int, norm: str, training: bool
) -> None:
    draws = generator(0, "grouped")
    values, own, points = (
        torch.randn(B, n, d, generator=draws, dtype=torch.float64, requires_grad=True)
        for n, d in ((P, C), (Q, C), (P, 3))
    )
    near = torch.randint(P, (B, Q, K), generator=draws)
    with isolated(0, "grouped"):
        layer = GroupedLayer(inputs, OUT, norm, slope=0.1).double().train(training)
    seen = []
    for function in (fast, plain):
        net = copy.deepcopy(layer)
        y = function(net, values, near, own, points)
        used = [values, own, *net.parameters(), *([points] if function in (offsets, offsets_plainly) else [])]
        first = torch.autograd.grad(y.square().sum(), used, create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in first), used, materialize_grads=True)
        seen.append([y, *first, *second, *(buffer.double() for buffer in net.buffers())])
    assert seen[0][0].shape == (B, Q, K, OUT)
    for a, b in zip(*seen, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
