"""The contract that every backbone keeps."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from cl3d.models.base import Backbone
from cl3d.random import generator, isolated

BuildBackbone = Callable[[int], Backbone]
"""Builds a backbone for a number of classes; it may draw its weights from torch's global generator."""

CLASSES, CLOUDS, POINTS = 5, 4, 48


def check_backbone(build: BuildBackbone, tolerance: float = 1e-9) -> None:
    """Runs all checks below on small random clouds; raises AssertionError where one fails.

    Args:
        build: called with a number of classes; a narrow network keeps the checks short.
        tolerance: of differences in float64, relative to the largest value.
    """
    net = make(build)
    check_shapes(net)
    check_order_of_points(net, tolerance)
    check_batch_does_not_mix(net, tolerance)
    check_features(net, tolerance)
    check_modes(net)
    check_round_trip(net, make(build, seed=1))
    if net.twice_differentiable:
        check_double_backward(net)
    if net.batchable:
        check_batchable(net, tolerance)
    check_points_that_coincide(net)
    if torch.cuda.is_available():
        check_cuda(net, tolerance)


def make(build: BuildBackbone, seed: int = 0) -> Backbone:
    """A float64 network in eval mode whose running statistics have seen clouds."""
    with isolated(seed, "check-backbone"):
        net = build(CLASSES).double().train()
        net(clouds(7, seed=seed + 10, channels=net.in_channels))
    return net.eval()


def clouds(n: int = CLOUDS, p: int = POINTS, seed: int = 0, channels: int = 3) -> Tensor:
    """Random clouds (n, p, channels) in float64, each of its own proportions."""
    draws = generator(seed, "check-backbone", n, p)
    points = torch.randn(n, p, 3, generator=draws, dtype=torch.float64)
    points = points * (0.2 + torch.rand(n, 1, 3, generator=draws, dtype=torch.float64))
    if channels == 3:
        return points
    features = torch.randn(n, p, channels - 3, generator=draws, dtype=torch.float64)
    return torch.cat([points, features], dim=2)


def on_a_lattice(points: Tensor) -> Tensor:
    """The clouds with coordinates rounded to quarters: points coincide, and many distances are equal."""
    return torch.cat([(4 * points[..., :3]).round() / 4, points[..., 3:]], dim=2)


def inputs(net: Backbone, p: int = POINTS) -> Tensor:
    """Random clouds (4, p, in_channels) that ``net`` takes."""
    return clouds(p=p, channels=net.in_channels)


def check_shapes(net: Backbone) -> None:
    """Shapes as the attributes say, for any number of points, in the dtype of the parameters."""
    single = copy.deepcopy(net).float()
    for points in (POINTS, POINTS - 15, POINTS + 17):
        for model, x in (
            (net, inputs(net, points)),
            (single, inputs(net, points).float()),
        ):
            feature_map = model.point_features(x)
            assert feature_map.ndim == 3, "point_features is not (b, q, d)"
            assert len(feature_map) == CLOUDS, "point_features is not (b, q, d)"
            for g in (model.pool(feature_map), model.features(x)):
                assert g.shape == (CLOUDS, model.feature_dim), f"a feature of {tuple(g.shape)}"
            logits = model(x)
            assert logits.shape == (CLOUDS, CLASSES), f"logits of {tuple(logits.shape)}"
            assert model.num_classes == CLASSES, "num_classes is not what was asked for"
            assert logits.dtype == feature_map.dtype == x.dtype, f"{x.dtype} became {logits.dtype}"
            assert torch.equal(logits, model(x)), "eval mode is not deterministic"
            assert_close(logits, model.head(model.features(x)), 1e-5, "forward is not head(features)")


def check_order_of_points(net: Backbone, tolerance: float) -> None:
    """The feature does not hang on the order of the points, also where some coincide or are as far."""
    points = inputs(net)
    for cloud in (points, points.repeat(1, 2, 1), on_a_lattice(points)):
        order = torch.randperm(cloud.shape[1], generator=generator(2, "check-backbone"))
        assert_close(
            net.features(cloud[:, order]), net.features(cloud), tolerance, "the order of points matters"
        )


def check_batch_does_not_mix(net: Backbone, tolerance: float) -> None:
    """In eval mode a cloud's logits are the same alone and among others."""
    points = inputs(net)
    alone = torch.cat([net(cloud.unsqueeze(0)) for cloud in points])
    assert_close(net(points), alone, tolerance, "clouds of a batch mix in eval mode")


def check_features(net: Backbone, tolerance: float) -> None:
    """``features`` equals the pooled ``point_features`` in both modes: value, gradient, statistics."""
    for training in (False, True):
        results = []
        for direct in (True, False):
            model, points = (
                copy.deepcopy(net).train(training),
                inputs(net).requires_grad_(),
            )
            with isolated(3, "check-backbone"):
                g = model.features(points) if direct else model.pool(model.point_features(points))
            used = [points, *(p for p in model.parameters() if p.requires_grad)]
            gradients = torch.autograd.grad(g.square().sum(), used, materialize_grads=True)
            buffers = [b.double() for b in model.buffers()]
            results.append([g, *gradients, *buffers])
        for a, b in zip(*results, strict=True):
            assert_close(a, b, tolerance, f"features is not pool(point_features) (training={training})")


def check_batchable(net: Backbone, tolerance: float) -> None:
    """``vmap`` over ``grad`` gives what one batch after the other does."""
    batches = torch.stack([inputs(net), clouds(seed=1, channels=net.in_channels)])
    weights = {name: parameter.detach() for name, parameter in net.named_parameters()}

    def energy(values: dict[str, Tensor], points: Tensor) -> Tensor:
        total: Tensor = functional_call(net, values, (points,)).square().sum()
        return total

    together = vmap(grad(energy), in_dims=(None, 0))(weights, batches)
    for row, batch in enumerate(batches):
        for name, alone in grad(energy)(weights, batch).items():
            assert_close(together[name][row], alone, tolerance, f"vmap changes the gradient by {name}")


def check_modes(net: Backbone) -> None:
    """Eval mode changes neither the network nor torch's generator; train mode reaches the weights."""
    net = copy.deepcopy(net)
    before, state = copy.deepcopy(net.state_dict()), torch.get_rng_state()
    net(inputs(net))
    after = net.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before), (
        "a forward pass in eval mode changed the state"
    )
    assert torch.equal(state, torch.get_rng_state()), "a forward pass in eval mode drew random numbers"
    with isolated(4, "check-backbone"):
        logits = net.train()(inputs(net))
    logits.square().sum().backward()
    gradients = [p.grad for p in net.parameters() if p.grad is not None]
    assert gradients, "no weight has a gradient"
    assert_finite(gradients, "in train mode")
    assert any(g.any() for g in gradients), "all gradients are 0"


def check_round_trip(net: Backbone, other: Backbone) -> None:
    """The state dict is all there is to a network."""
    assert not torch.equal(net(inputs(net)), other(inputs(net))), "the weights do not hang on torch's seed"
    other.load_state_dict(net.state_dict())
    assert torch.equal(net(inputs(net)), other(inputs(net))), "the state dict does not restore the network"


def check_double_backward(net: Backbone) -> None:
    """Gradients of the weights can be differentiated by the points, as gradient matching does."""
    points = inputs(net).requires_grad_()
    assert_finite([_matching_gradient(net, points)], "the second time")
    assert _matching_gradient(net, points).any(), "the gradients' derivative is 0"


def check_points_that_coincide(net: Backbone) -> None:
    """Clouds with repeated points, down to one place, have finite gradients."""
    points = inputs(net)
    repeated, single = points.repeat(1, 2, 1), points[:, :1].expand(-1, POINTS, -1)
    for points in (repeated, single):
        points = points.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(net(points).square().sum(), points)
        assert_finite([gradient], "where points coincide")
        if net.twice_differentiable:
            assert_finite([_matching_gradient(net, points)], "of gradients, where points coincide,")


def check_cuda(net: Backbone, tolerance: float) -> None:
    """CPU and CUDA give the same logits and gradients in float64."""
    results = []
    for device in ("cpu", "cuda"):
        model, points = (
            copy.deepcopy(net).to(device),
            inputs(net).to(device).requires_grad_(),
        )
        logits = model(points)
        (gradient,) = torch.autograd.grad(logits.square().sum(), points)
        results.append((logits.cpu(), gradient.cpu()))
    for a, b in zip(*results, strict=True):
        assert_close(a, b, tolerance, "CUDA differs from the CPU")


def assert_close(a: Tensor, b: Tensor, tolerance: float, message: str) -> None:
    """Equal up to ``tolerance`` times the largest value; what is below 1e-3 may be rounding around 0."""
    a, b = a.detach(), b.detach()
    difference = float((a - b).abs().max() / b.abs().max().clamp_min(1e-3)) if b.numel() else 0.0
    assert difference <= tolerance, f"{message}: relative difference {difference:.1e}"


def assert_finite(tensors: list[Tensor], where: str) -> None:
    """No NaN, no infinity."""
    assert all(bool(torch.isfinite(t).all()) for t in tensors), f"gradients {where} are not finite"


def _matching_gradient(net: Backbone, points: Tensor) -> Tensor:
    """∂/∂points of the squared gradient of the loss with respect to the weights."""
    labels = torch.arange(len(points)) % net.num_classes
    weights = [p for p in net.parameters() if p.requires_grad]
    loss = torch.nn.functional.cross_entropy(net(points), labels)
    gradients = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
    (result,) = torch.autograd.grad(sum((g.square().sum() for g in gradients), torch.zeros(())), points)
    return result
