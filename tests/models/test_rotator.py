"""The rotator: what it does not change under, known answers, gradients; a backbone behind it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.models import rotator as rotator_module
from cl3d.models.rotated import Rotated
from cl3d.models.rotator import Rotator, canonical
from cl3d.ops import naive
from cl3d.ops.orientation import orient
from cl3d.random import generator, isolated
from cl3d.rotations import random_rotations, rotate
from cl3d.testing.backbones import check_backbone


def clouds(n: int = 11, p: int = 23, dtype: torch.dtype = torch.float64) -> Tensor:
    """Skewed clouds of unequal extents."""
    x = torch.randn(n, p, 3, generator=generator(0, "rotator"), dtype=dtype)
    return 0.3 * (x + 0.5 * x.square()) * torch.tensor([0.5, 1.3, 0.9], dtype=dtype) + 0.7


def turns(n: int = 11, *key: int) -> Tensor:
    """Rotations to the last digit of float64; those of the library are float32."""
    q, r = torch.linalg.qr(random_rotations(n, generator(1, "rotator", *key)).double())
    return q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)


def plain() -> Rotator:
    return Rotator()


def drawn() -> Rotator:
    with isolated(2, "rotator"):
        return Rotator(w0=6.0, width=13)


@pytest.mark.parametrize("build", [plain, drawn])
def test_turning_a_cloud_changes_nothing(build):
    points, rotator = clouds(), build().double()
    expected = rotator(points)
    assert rotator.odd(expected).abs().min() > 1e-6, "a sign of these clouds is a tie"
    for draw in range(7):
        turn = turns(11, draw)
        torch.testing.assert_close(turn @ turn.mT, torch.eye(3).double().expand(11, 3, 3), rtol=0, atol=1e-14)
        torch.testing.assert_close(torch.linalg.det(turn), torch.ones(11).double())
        torch.testing.assert_close(rotator(rotate(points, turn)), expected, rtol=0, atol=1e-11)
        torch.testing.assert_close(rotator(rotate(points, turn) + 3), expected, rtol=0, atol=1e-11)
    torch.testing.assert_close(rotator(-points), expected, rtol=0, atol=1e-11)
    torch.testing.assert_close(rotator(expected), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("build", [plain, drawn])
def test_the_result_is_the_twins(build):
    points, odd = clouds().requires_grad_(), build().double().odd
    weights = torch.linspace(-1, 2, points.numel(), dtype=torch.float64).view_as(points)
    results = []
    for turned in (orient(points, odd), naive.orient(points, odd)):
        results.append([turned, *torch.autograd.grad((weights * turned.square()).sum(), points)])
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("build", [plain, drawn])
def test_the_result_is_the_cloud_turned_or_mirrored(build):
    points = clouds()
    turned = build()(points)
    torch.testing.assert_close(torch.cdist(turned, turned), torch.cdist(points, points))
    torch.testing.assert_close(turned.mean(dim=1), torch.zeros(11, 3).double(), rtol=0, atol=1e-14)
    covariance = turned.mT @ turned / 23
    variances = covariance.diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(covariance, torch.diag_embed(variances), rtol=0, atol=1e-13)
    assert (variances.diff(dim=1) < 0).all()
    assert (build().odd(turned) > 0).all()


def test_a_cloud_turned_by_hand():
    # the longest axis is y, then z, then x; along each, one point out of three lies far on the other side
    cloud = torch.zeros(1, 9, 3, dtype=torch.float64)
    for axis, reach in ((1, 0.4), (2, -0.3), (0, 0.2)):
        rows = torch.tensor([0, 1, 2]) + 3 * axis
        cloud[0, rows, axis] = reach * torch.tensor([1.0, 1, -2], dtype=torch.float64)
    got = Rotator()(cloud + 5)[0]
    # sin(2a) < 2 sin(a), so the side of the two near points is the positive one
    expected = torch.stack([cloud[0, :, 1], -cloud[0, :, 2], cloud[0, :, 0]], dim=1)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("build", [plain, drawn])
def test_the_sign_function_is_odd(build):
    rotator, x = build(), clouds()
    assert torch.equal(rotator.odd(-x), -rotator.odd(x))


def test_the_plain_form_is_the_mean_sine_and_has_no_draws():
    x = clouds()
    torch.testing.assert_close(Rotator(w0=3.0).odd(x), (3 * x).sin().mean(dim=1))
    with isolated(3, "rotator"):
        before = torch.get_rng_state()
        Rotator()
        assert torch.equal(torch.get_rng_state(), before)
        Rotator(width=5)
        assert not torch.equal(torch.get_rng_state(), before)


def test_a_zero_sign_counts_as_positive():
    corners = torch.cartesian_prod(*([torch.tensor([-1.0, 1.0])] * 3))
    box = (corners * torch.tensor([3.0, 2.0, 1.0])).unsqueeze(0)
    turned = orient(box, lambda x: torch.zeros(len(x), 3))
    torch.testing.assert_close(turned.abs(), box.abs())
    assert torch.equal(turned, orient(box, lambda x: torch.ones(len(x), 3)))
    assert torch.equal(turned, -orient(box, lambda x: -torch.ones(len(x), 3)))


def test_axes_are_constants_of_the_derivative():
    points = clouds(n=3, p=5).requires_grad_()
    turned = Rotator()(points)
    centred = points.detach() - points.detach().mean(dim=1, keepdim=True)
    axes = torch.linalg.lstsq(centred, turned.detach()).solution
    probe = torch.linspace(-1, 2, turned.numel(), dtype=torch.float64).view_as(turned)
    (got,) = torch.autograd.grad((turned * probe).sum(), points)
    expected = (probe - probe.mean(dim=1, keepdim=True)) @ axes.mT
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


def test_symmetric_and_coincident_clouds_have_finite_gradients():
    corners = torch.cartesian_prod(*([torch.tensor([-1.0, 1.0])] * 3)).unsqueeze(0)
    for points in (corners, torch.ones(2, 7, 3), torch.ones(2, 1, 3)):
        points = points.clone().requires_grad_()
        turned = Rotator()(points)
        (gradient,) = torch.autograd.grad(turned.square().sum(), points)
        assert torch.isfinite(turned).all()
        assert torch.isfinite(gradient).all()


def test_the_drawn_weights_are_saved_and_untrained():
    one, other = drawn(), Rotator(w0=6.0, width=13)
    assert not list(one.parameters())
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(clouds()), other(clouds()))
    assert one.encoder.abs().max() <= 1
    assert one.decoder.abs().max() <= (6 / 13) ** 0.5


def test_a_data_set_is_turned_in_chunks(monkeypatch):
    points = clouds(dtype=torch.float32)
    data = PointClouds(points, torch.arange(11) % 3, torch.arange(11 * 23).view(11, 23))
    monkeypatch.setattr(rotator_module, "CLOUDS_AT_ONCE", 3)
    turned = canonical(data, Rotator())
    assert torch.equal(turned.labels, data.labels)
    assert torch.equal(turned.parts, data.parts)
    torch.testing.assert_close(turned.points, Rotator()(points))
    assert turned.points.dtype == torch.float32


@pytest.mark.parametrize("build", [plain, drawn])
def test_a_backbone_behind_it_keeps_the_contract(build):
    for norm in ("batch", "instance"):
        check_backbone(
            lambda k, n=norm: Rotated(PointNet(k, channels=(5, 7, 11), head=(13,), norm=n), build())
        )


def test_logits_do_not_hang_on_how_a_cloud_is_turned():
    with isolated(4, "rotator"):
        net = Rotated(PointNet(5, channels=(7, 11), head=()), plain()).double().eval()
    points = clouds()
    turned = rotate(points, turns())
    torch.testing.assert_close(net(turned), net(points), rtol=0, atol=1e-10)
    assert not torch.allclose(net.backbone(turned), net.backbone(points), rtol=0, atol=1e-3)
    assert net.feature_dim == 11
    assert net.num_classes == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"w0": 0.0}, "w0=0.0: give a number above 0"), ({"width": 0}, "width=0: give a whole number from 1")],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Rotator(**arguments)


@pytest.mark.parametrize("shape", [(5, 3), (2, 5, 2), (2, 0, 3)])
def test_clouds_of_another_shape_are_refused(shape):
    with pytest.raises(InputError, match="give \\(n, p, 3\\) with at least one point"):
        Rotator()(torch.zeros(shape))


def test_a_backbone_of_more_than_coordinates_is_refused():
    with pytest.raises(InputError, match=r"in_channels=6 behind a rotator.*give in_channels=3"):
        Rotated(PointNet(3, in_channels=6), Rotator())
