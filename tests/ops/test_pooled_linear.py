"""The pooled and the shared linear layer against their dense twins: values and derivatives in float64."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from cl3d.errors import InputError
from cl3d.ops import naive
from cl3d.ops import pooled_linear as pooled_module
from cl3d.ops import shared_linear as shared_module
from cl3d.ops.pooled_linear import pooled_linear
from cl3d.ops.shared_linear import PointNorm, shared_linear
from cl3d.random import generator

B, N, D, C = 3, 11, 5, 12
NORMS = [
    "none",
    "batch",
    "batch eval",
    "batch untracked",
    "instance",
    "instance affine",
    "group",
    "group plain",
]


def make_norm(name: str, channels: int = C) -> PointNorm | None:
    kind, _, variant = name.partition(" ")
    if kind == "none":
        return None
    norm: PointNorm
    if kind == "batch":
        norm = nn.BatchNorm1d(channels, track_running_stats=variant != "untracked")
    elif kind == "instance":
        norm = nn.InstanceNorm1d(channels, affine=variant == "affine")
    else:
        norm = nn.GroupNorm(3, channels, affine=variant != "plain")
    norm.double().train(variant not in ("eval", "untracked"))
    draws = generator(5, name)
    for tensor in [*norm.parameters(), *(b for b in norm.buffers() if b.is_floating_point())]:
        tensor.data.copy_(torch.randn(channels, generator=draws, dtype=torch.float64))
    if isinstance(norm, nn.BatchNorm1d) and norm.running_var is not None:
        norm.running_var.abs_().add_(0.1)
    if norm.weight is not None:
        assert (norm.weight < 0).any()
        norm.weight.data[1] = 0  # all points of this channel tie
    return norm


def make_inputs(*key: str | int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    draws = generator(3, *key)
    shapes = [(B, N, D), (C, D), (C,)]
    x, weight, bias = (torch.randn(s, generator=draws, dtype=dtype).requires_grad_() for s in shapes)
    return x, weight, bias


def derivatives(layer: Callable[..., Tensor], x: Tensor, parameters: list[Tensor]) -> list[Tensor]:
    """Value, gradients with respect to everything, and a gradient of those gradients."""
    inputs = [x, *parameters]
    value = layer()
    probe = torch.linspace(-1, 2, value.numel(), dtype=x.dtype).view_as(value)
    first = torch.autograd.grad((value.square() * probe).sum(), inputs, create_graph=True)
    mixed = sum((g.sin() * torch.linspace(1, 2, g.numel(), dtype=g.dtype).view_as(g)).sum() for g in first)
    return [value, *first, *torch.autograd.grad(mixed, inputs)]


def assert_all_close(got: list[Tensor], expected: list[Tensor], rtol: float = 1e-12) -> None:
    for a, b in zip(got, expected, strict=True):
        scale = b.abs().max().clamp_min(1)
        torch.testing.assert_close(a / scale, b / scale, rtol=0, atol=rtol)


@pytest.mark.parametrize(("name", "with_bias"), list(itertools.product(NORMS, [False, True])))
@pytest.mark.parametrize("relu", [False, True])
def test_pooled_equals_dense_to_the_second_derivative(name: str, with_bias: bool, relu: bool) -> None:
    x, weight, bias = make_inputs(name)
    given = bias if with_bias else None
    results = []
    for layer in (pooled_linear, naive.pooled_linear):
        norm = make_norm(name)
        parameters = [weight, *([bias] if with_bias else []), *(norm.parameters() if norm else [])]
        call = lambda f=layer, m=norm: f(x, weight, given, m, relu)  # noqa: E731
        results.append((derivatives(call, x, parameters), dict(norm.named_buffers()) if norm else {}))
    (got, statistics), (expected, dense_statistics) = results
    assert_all_close(got, expected)
    assert_all_close(list(statistics.values()), list(dense_statistics.values()))


@pytest.mark.parametrize("name", NORMS)
def test_shared_equals_dense_to_the_second_derivative(name: str) -> None:
    x, weight, bias = make_inputs(name)
    results = []
    for layer in (shared_linear, naive.shared_linear):
        norm = make_norm(name)
        parameters = [weight, bias, *(norm.parameters() if norm else [])]
        results.append(derivatives(lambda f=layer, m=norm: f(x, weight, bias, m), x, parameters))
    assert_all_close(*results)


@pytest.mark.parametrize("name", NORMS)
def test_gradients_equal_finite_differences(name: str) -> None:
    norm = make_norm(name)
    x, weight, bias = make_inputs("finite differences", name)
    call = lambda x, weight, bias: pooled_linear(x, weight, bias, norm)  # noqa: E731
    assert torch.autograd.gradcheck(call, (x, weight, bias), fast_mode=True)
    assert torch.autograd.gradgradcheck(call, (x, weight, bias), fast_mode=True)


@pytest.mark.parametrize("momentum", [0.1, 1.0, None])
def test_running_statistics_follow_batch_norm_over_steps(momentum: float | None) -> None:
    fast, dense = (nn.BatchNorm1d(C, momentum=momentum).double() for _ in range(2))
    for step in range(3):
        x, weight, bias = make_inputs("running", step)
        pooled_linear(x, weight, bias, fast)
        naive.pooled_linear(x, weight, bias, dense)
    assert fast.num_batches_tracked == dense.num_batches_tracked == 3
    assert_all_close(list(fast.buffers()), list(dense.buffers()))
    untracked = copy.deepcopy(fast).eval()
    pooled_linear(x, weight, bias, untracked)
    assert torch.equal(untracked.running_mean, fast.running_mean)


def test_statistics_that_are_no_longer_tracked_stay() -> None:
    x, weight, bias = make_inputs("tracked no more")
    for train in (True, False):  # where they are used in eval mode all the same
        results = []
        for layer in (pooled_linear, naive.pooled_linear):
            norm = nn.BatchNorm1d(C).double().train(train)
            norm.track_running_stats = False
            value = layer(x, weight, bias, norm)
            results.append([value, *(buffer.double() for buffer in norm.buffers())])
        assert_all_close(*results)
        assert not results[0][1].any()


@pytest.mark.parametrize("name", ["none", "batch", "batch eval", "instance affine", "group"])
def test_the_first_of_tied_points_takes_the_gradient(name: str) -> None:
    # whole numbers, so that ties are exact; every point occurs twice
    draws = generator(7, name)
    half = torch.randint(-3, 4, (B, N, D), generator=draws).double()
    x = torch.cat([half, half], dim=1).requires_grad_()
    weight = torch.randint(-2, 3, (C, D), generator=draws).double()
    gradients = []
    for layer in (pooled_linear, naive.pooled_linear):
        (gradient,) = torch.autograd.grad(layer(x, weight, None, make_norm(name)).sin().sum(), x)
        gradients.append(gradient)
    assert_all_close(gradients[:1], gradients[1:])
    if name in ("none", "batch eval"):  # others reach every point through their statistics
        assert not gradients[0][:, N:].any()


def test_points_that_coincide_and_zero_weights_give_finite_derivatives() -> None:
    for name in NORMS:
        x, weight, bias = make_inputs("coincide")
        norm = make_norm(name)
        x = x[:, :1].detach().expand(-1, N, -1).clone().requires_grad_()
        parameters = [weight, bias, *(norm.parameters() if norm else [])]
        results = derivatives(lambda m=norm, x=x, w=weight, b=bias: pooled_linear(x, w, b, m), x, parameters)
        assert all(torch.isfinite(r).all() for r in results), name


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("points", ["coincide", "tell nothing apart"])
def test_channels_without_spread_have_the_second_derivative_of_dense_ones(name: str, points: str) -> None:
    # whole numbers, so that ties are exact in both and the first wins
    draws = generator(13, name)
    x = torch.randint(-3, 4, (B, N, D), generator=draws).double()
    weight = torch.randint(-2, 3, (C, D), generator=draws).double()
    if points == "coincide":
        x = x[:, :1].repeat(1, N, 1)
    else:
        weight[::2] = 0
    x.requires_grad_(), weight.requires_grad_()
    for fast, dense in ((pooled_linear, naive.pooled_linear), (shared_linear, naive.shared_linear)):
        results = []
        for layer in (fast, dense):
            norm = make_norm(name)
            results.append(derivatives(lambda f=layer, m=norm: f(x, weight, None, m), x, [weight]))
        assert_all_close(*results, rtol=1e-7)  # divided by the square root of eps, thrice


@pytest.mark.parametrize("name", NORMS)
def test_float32_stays_close_far_from_the_origin(name: str) -> None:
    x, weight, bias = (t.detach().float() for t in make_inputs("float32"))
    norm = make_norm(name)
    norm = norm.float() if norm else None
    for shift in (0, 30):
        got = pooled_linear(x + shift, weight, bias, norm)
        expected = naive.pooled_linear(x + shift, weight, bias, norm)
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4 if shift else 1e-5)


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


def test_nan_reaches_the_result() -> None:
    x, weight, bias = make_inputs("nan")
    x = x.detach()
    x[1, 2, 3] = torch.nan
    assert torch.equal(pooled_linear(x, weight, bias).isnan().any(dim=1), torch.tensor([False, True, False]))


@pytest.mark.parametrize("name", ["instance affine", "group"])
def test_few_points_take_the_dense_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight, bias = make_inputs("few")
    norm = make_norm(name)
    monkeypatch.setattr(pooled_module, "winning_rows", None)  # a search would raise
    got = pooled_linear(x[:, :7], weight, bias, norm, relu=True)
    assert torch.equal(got, naive.pooled_linear(x[:, :7], weight, bias, norm, relu=True))
    with pytest.raises(TypeError):
        pooled_linear(x, weight, bias, norm)


@pytest.mark.parametrize("name", ["instance affine", "group", "group plain"])
def test_few_points_of_a_shared_layer_take_the_dense_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight, bias = make_inputs("few")
    norm = make_norm(name)
    assert norm is not None
    monkeypatch.setattr(shared_module, "moments", None)  # a folded norm would raise
    few = x[:, :7]
    results = [
        derivatives(lambda f=layer: f(few, weight, bias, norm), x, [weight, bias, *norm.parameters()])
        for layer in (shared_linear, naive.shared_linear)
    ]
    assert_all_close(*results)
    with pytest.raises(TypeError):
        shared_linear(x, weight, bias, norm)


def test_noncontiguous_points_and_one_point() -> None:
    x, weight, bias = make_inputs("strides")
    turned = x.detach().mT.contiguous().mT
    assert_all_close([pooled_linear(turned, weight, bias)], [naive.pooled_linear(x, weight, bias)])
    assert_all_close([pooled_linear(x[:, :1], weight)], [(x[:, 0] @ weight.T)])


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


@pytest.mark.parametrize(
    ("points", "norm", "message"),
    [
        (torch.zeros(N, D), None, "give \\(b, n, d\\)"),
        (torch.zeros(B, 0, D), None, "at least one point"),
        (torch.zeros(B, N, D + 1), None, "give \\(b, n, d\\)"),
        (torch.zeros(1, 1, D), nn.BatchNorm1d(C), "one value per channel"),
        (torch.zeros(B, 1, D), nn.InstanceNorm1d(C), "one value per channel"),
        (torch.zeros(B, N, D), nn.InstanceNorm1d(C, track_running_stats=True), "cannot be folded"),
        (torch.zeros(B, N, D), nn.SyncBatchNorm(C), "cannot be folded"),
        (torch.zeros(1, 1, D), nn.GroupNorm(C, C), "one value per channel"),
        (torch.zeros(B, N, D), nn.BatchNorm1d(1).eval(), "of 12 channels: give a norm of as many"),
        (torch.zeros(B, N, D), nn.InstanceNorm1d(C + 1), "of 12 channels: give a norm of as many"),
        (torch.zeros(B, N, D), nn.GroupNorm(2, C + 2), "of 12 channels: give a norm of as many"),
    ],
)
def test_what_does_not_fit_is_refused(points: Tensor, norm: PointNorm | None, message: str) -> None:
    for layer in (pooled_linear, shared_linear):
        with pytest.raises(InputError, match=message):
            layer(points, torch.zeros(C, D), None, norm)


@pytest.mark.parametrize("channels", [1, C + 1])
def test_a_bias_of_other_channels_is_refused(channels: int) -> None:
    for layer in (pooled_linear, shared_linear):
        with pytest.raises(InputError, match="for 12 channels: give \\(c,\\)"):
            layer(torch.zeros(B, N, D), torch.zeros(C, D), torch.zeros(channels))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", NORMS)
def test_cuda_equals_cpu(name: str) -> None:
    results = []
    for device in ("cpu", "cuda"):
        x, weight, bias = (t.detach().to(device).requires_grad_() for t in make_inputs("cuda"))
        norm = make_norm(name)
        norm = norm.to(device) if norm else None
        parameters = [weight, bias, *(norm.parameters() if norm else [])]
        value = pooled_linear(x, weight, bias, norm)
        gradients = torch.autograd.grad(value.square().sum(), [x, *parameters])
        results.append([t.cpu() for t in (value, *gradients)])
    assert_all_close(*results, rtol=1e-10)
