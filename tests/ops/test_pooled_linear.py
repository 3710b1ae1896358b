"""The pooled and the shared linear layer against their dense twins: values and derivatives in float64."""

from __future__ import annotations

import copy
import itertools

import pytest
import torch
from layer_cases import NORMS, B, C, D, N, assert_all_close, derivatives, make_inputs, make_norm
from torch import Tensor, nn

from cl3d.errors import InputError
from cl3d.ops import naive
from cl3d.ops import pooled_linear as pooled_module
from cl3d.ops import shared_linear as shared_module
from cl3d.ops.pooled_linear import pooled_linear
from cl3d.ops.shared_linear import PointNorm, shared_linear
from cl3d.random import generator


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
