"""How the pooled linear layer searches: both ways, within its bound on memory, and inside torch.func."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from layer_cases import NORMS, B, C, D, N, assert_all_close, derivatives, make_inputs, make_norm
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from cl3d.ops import naive
from cl3d.ops import pooled_linear as pooled_module
from cl3d.ops.pooled_linear import pooled_linear
from cl3d.random import generator


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_both_searches_find_the_first_largest(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooled_module, "CHUNK", 2 * N * C)  # two clouds at once, then one
    draws = generator(11)
    x = torch.randint(-3, 4, (B, N, D), generator=draws).to(dtype)
    weight = torch.randint(-2, 3, (C, D), generator=draws).to(dtype)
    expected = (weight @ x.mT).max(dim=-1).indices + N * torch.arange(B)[:, None]
    assert torch.equal(pooled_module.winning_rows(x, weight), expected)
    chunks = pooled_module._search_chunks(x, weight) + N * torch.arange(B)[:, None]
    assert torch.equal(chunks, expected)


class Largest(TorchDispatchMode):
    """Notes how many values the largest tensor has that is formed, in backward passes, too."""

    values = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        formed = [t for t in (result if isinstance(result, tuple) else (result,)) if isinstance(t, Tensor)]
        self.values = max(self.values, *(t.untyped_storage().size() // t.element_size() for t in formed), 0)
        return result


@pytest.mark.parametrize("search", ["_search_numpy", "_search_chunks"])
@pytest.mark.parametrize("name", NORMS)
def test_no_tensor_of_all_points_and_channels_is_formed(
    name: str, search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds, channels, points = 7, 504, 401
    monkeypatch.setattr(pooled_module, "CHUNK", 2 * channels * points)
    monkeypatch.setattr(pooled_module, "_search_numpy", getattr(pooled_module, search))
    draws = generator(17)
    x = torch.randn(clouds, points, D, generator=draws, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(channels, D, generator=draws, dtype=torch.float64, requires_grad=True)
    norm = make_norm(name, channels)
    with Largest() as largest:
        derivatives(lambda: pooled_linear(x, weight, None, norm), x, [weight])
    held = {"_search_numpy": 1, "_search_chunks": 2}[search] * channels * points
    assert held <= largest.values <= max(held, clouds * channels * D) < clouds * channels * points


@pytest.mark.parametrize("name", ["none", "batch eval", "instance affine", "group"])
def test_vmap_and_grad_of_torch_func(name: str) -> None:
    x, weight, bias = (t.detach() for t in make_inputs("vmap"))
    norm = make_norm(name)
    many = torch.stack([x, x.flip(0) + 1])

    def loss(x: Tensor) -> Tensor:
        return pooled_linear(x, weight, bias, norm).sin().sum()

    got = torch.func.vmap(torch.func.grad(loss))(many)
    points = many.clone().requires_grad_()
    total = sum(naive.pooled_linear(p, weight, bias, norm).sin().sum() for p in points)
    assert_all_close([got], list(torch.autograd.grad(total, points)))


@pytest.mark.parametrize("name", ["none", "batch eval", "batch untracked", "instance affine", "group"])
def test_hessians_of_torch_func(name: str) -> None:
    x, weight, bias = (t.detach() for t in make_inputs("hessian"))
    norm = make_norm(name)

    def loss(x: Tensor) -> Tensor:
        return pooled_linear(x, weight, bias, norm).sin().sum()

    forward, backward = torch.func.hessian(loss)(x), torch.func.jacrev(torch.func.jacrev(loss))(x)
    assert_all_close([forward], [backward])
    assert forward.any()


@pytest.mark.parametrize("in_dims", [(0, None), (None, 0), (0, 0), (2, 1)])
def test_vmap_over_clouds_and_maps_alike(in_dims: tuple[int | None, int | None]) -> None:
    x, weight, _ = (t.detach() for t in make_inputs("vmap of maps"))
    norm = make_norm("batch eval")
    several = [
        torch.stack([t, t.flip(0), -t, t + 1], dim=at or 0) if at is not None else t
        for t, at in zip((x, weight), in_dims, strict=True)
    ]
    got = torch.func.vmap(lambda x, w: pooled_linear(x, w, None, norm), in_dims)(*several)
    for i, found in enumerate(got):
        own = [t if at is None else t.select(at, i) for t, at in zip(several, in_dims, strict=True)]
        assert_all_close([found], [naive.pooled_linear(*own, None, norm)])
    # twice: along another axis of either
    both = torch.func.vmap(
        torch.func.vmap(lambda x, w: pooled_linear(x, w, None, norm), in_dims), in_dims=(None, 0)
    )(several[0], torch.stack([several[1], -several[1]]))
    assert_all_close([both[0]], [got])


@pytest.mark.parametrize("maps", [False, True])
def test_what_vmap_adds_is_chunked_along(maps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    several, points = 13, 101
    chunk = 4 * several * C * points  # above what the points are
    monkeypatch.setattr(pooled_module, "CHUNK", chunk)
    monkeypatch.setattr(pooled_module, "_search_numpy", pooled_module._search_chunks)
    x = torch.randn(several, 7, points, D, generator=generator(19), dtype=torch.float64)
    weight = torch.randn(several, C, D, generator=generator(23), dtype=torch.float64)
    layer = torch.func.vmap(torch.func.grad(lambda x, w: pooled_linear(x, w).sum()), (0, 0 if maps else None))
    with Largest() as largest:
        layer(x, weight if maps else weight[0])
    assert chunk * 0.9 < largest.values <= chunk < several * 7 * C * points
