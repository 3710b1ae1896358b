"""The contract that every net for part segmentation keeps."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from cl3d.models.base import SegmentationNet
from cl3d.random import generator, isolated
from cl3d.testing.backbones import CLOUDS, POINTS, assert_close, assert_finite, clouds, on_a_lattice

BuildSegmentationNet = Callable[[int, int], SegmentationNet]
"""Builds a net for numbers of shape classes and of parts; it may draw from torch's global generator."""

SHAPES, PARTS = 3, 7


def check_segmentation(build: BuildSegmentationNet, tolerance: float = 1e-9) -> None:
    """Runs all checks below on small random clouds; raises AssertionError where one fails.

    Args:
        build: called with numbers of shape classes and of parts; a narrow net keeps the checks short.
        tolerance: of differences in float64, relative to the largest value.
    """
    net = make(build)
    check_shapes(net)
    check_order_of_points(net, tolerance)
    check_batch_does_not_mix(net, tolerance)
    check_the_class_counts(net)
    check_modes(net)
    check_round_trip(net, make(build, seed=1))
    check_double_backward(net)
    check_points_that_coincide(net)
    if torch.cuda.is_available():
        check_cuda(net, tolerance)


def make(build: BuildSegmentationNet, seed: int = 0) -> SegmentationNet:
    """A float64 net in eval mode whose running statistics have seen clouds."""
    with isolated(seed, "check-segmentation"):
        net = build(SHAPES, PARTS).double().train()
        net(clouds(7, seed=seed + 10, channels=net.in_channels), classes(7))
    return net.eval()


def inputs(net: SegmentationNet, p: int = POINTS) -> Tensor:
    """Random clouds (4, p, in_channels) that ``net`` takes."""
    return clouds(p=p, channels=net.in_channels)


def classes(n: int = CLOUDS) -> Tensor:
    """A class for each of n clouds."""
    return torch.arange(n) % SHAPES


def check_shapes(net: SegmentationNet) -> None:
    """Shapes as the attributes say, for any number of points, in the dtype of the parameters."""
    assert (net.num_shapes, net.num_parts) == (SHAPES, PARTS), "the numbers are not those asked for"
    single = copy.deepcopy(net).float()
    for points in (POINTS, POINTS - 15, POINTS + 17, 2, 1):
        for model, x in ((net, inputs(net, points)), (single, inputs(net, points).float())):
            features, logits = model.point_features(x, classes()), model(x, classes())
            expected = (CLOUDS, points, model.feature_dim)
            assert features.shape == expected, f"features of {tuple(features.shape)}"
            assert logits.shape == (CLOUDS, points, PARTS), f"logits of {tuple(logits.shape)}"
            assert logits.dtype == features.dtype == x.dtype, f"{x.dtype} became {logits.dtype}"
            assert torch.equal(logits, model(x, classes())), "eval mode is not deterministic"
            assert_close(logits, model.head(features), 1e-5, "forward is not head(point_features)")


def check_order_of_points(net: SegmentationNet, tolerance: float) -> None:
    """Points in another order have their logits in that order, also where some coincide or are as far."""
    points = inputs(net)
    for cloud in (points, points.repeat(1, 2, 1), on_a_lattice(points)):
        order = torch.randperm(cloud.shape[1], generator=generator(2, "check-segmentation"))
        logits, moved = net(cloud, classes()), net(cloud[:, order], classes())
        assert_close(moved, logits[:, order], tolerance, "the order of points matters")


def check_batch_does_not_mix(net: SegmentationNet, tolerance: float) -> None:
    """In eval mode a cloud's logits are the same alone and among others."""
    pairs = zip(inputs(net), classes(), strict=True)
    alone = torch.cat([net(cloud.unsqueeze(0), label.unsqueeze(0)) for cloud, label in pairs])
    assert_close(net(inputs(net), classes()), alone, tolerance, "clouds of a batch mix in eval mode")


def check_the_class_counts(net: SegmentationNet) -> None:
    """The class of a shape changes the logits of its points, and its points differ."""
    points = inputs(net)
    logits, others = net(points, classes()), net(points, (classes() + 1) % SHAPES)
    assert not torch.allclose(logits, others, rtol=1e-6), "the class of a shape does not count"
    assert logits.std(dim=1).amax(dim=1).gt(0).all(), "all points of a cloud have the same logits"


def check_modes(net: SegmentationNet) -> None:
    """Eval mode changes neither the net nor torch's generator; train mode reaches all weights."""
    net = copy.deepcopy(net)
    before, state = copy.deepcopy(net.state_dict()), torch.get_rng_state()
    net(inputs(net), classes())
    after = net.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before), "eval mode changed the state"
    assert torch.equal(state, torch.get_rng_state()), "eval mode drew random numbers"
    with isolated(4, "check-segmentation"):
        logits = net.train()(inputs(net), classes())
    logits.square().sum().backward()
    missing = [name for name, p in net.named_parameters() if p.requires_grad and p.grad is None]
    assert not missing, f"no gradient reaches {', '.join(missing)}"
    gradients = [p.grad for p in net.parameters() if p.grad is not None]
    assert_finite(gradients, "in train mode")
    assert any(g.any() for g in gradients), "all gradients are 0"


def check_round_trip(net: SegmentationNet, other: SegmentationNet) -> None:
    """The state dict is all there is to a net."""
    x = inputs(net), classes()
    assert not torch.equal(net(*x), other(*x)), "the weights do not hang on torch's seed"
    other.load_state_dict(net.state_dict())
    assert torch.equal(net(*x), other(*x)), "the state dict does not restore the net"


def check_double_backward(net: SegmentationNet) -> None:
    """Gradients of the weights can be differentiated by the points, as gradient matching does."""
    result = _matching_gradient(net, inputs(net).requires_grad_())
    assert_finite([result], "the second time")
    assert result.any(), "the gradients' derivative is 0"


def check_points_that_coincide(net: SegmentationNet) -> None:
    """Clouds with repeated points, down to one place, have finite gradients."""
    points = inputs(net)
    for cloud in (points.repeat(1, 2, 1), points[:, :1].expand(-1, POINTS, -1)):
        x = cloud.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(net(x, classes()).square().sum(), x)
        assert_finite([gradient, _matching_gradient(net, x)], "where points coincide")


def check_cuda(net: SegmentationNet, tolerance: float) -> None:
    """CPU and CUDA give the same logits and gradients in float64."""
    results = []
    for device in ("cpu", "cuda"):
        model, points = copy.deepcopy(net).to(device), inputs(net).to(device).requires_grad_()
        logits = model(points, classes().to(device))
        (gradient,) = torch.autograd.grad(logits.square().sum(), points)
        results.append((logits.cpu(), gradient.cpu()))
    for a, b in zip(*results, strict=True):
        assert_close(a, b, tolerance, "CUDA differs from the CPU")


def _matching_gradient(net: SegmentationNet, points: Tensor) -> Tensor:
    """∂/∂points of the squared gradient of the loss with respect to the weights."""
    parts = torch.arange(points.shape[1]).expand(len(points), -1) % net.num_parts
    weights = [p for p in net.parameters() if p.requires_grad]
    loss = torch.nn.functional.cross_entropy(net(points, classes(len(points))).mT, parts)
    gradients = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
    (result,) = torch.autograd.grad(sum((g.square().sum() for g in gradients), torch.zeros(())), points)
    return result
