"""PointMamba: the contract, its block and tokens against plain loops, the published size, learning."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from cl3d.errors import InputError
from cl3d.models import PointMamba
from cl3d.models.layers import NORMS
from cl3d.models.mamba import STATE, CausalConvolution, MambaBlock
from cl3d.ops import naive
from cl3d.ops.hilbert import BITS, hilbert_index
from cl3d.random import isolated
from cl3d.testing import backbones
from cl3d.testing.backbones import check_backbone

NARROW: dict[str, Any] = {"width": 11, "depth": 2, "count": 7, "k": 5, "head": (13,)}


@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_backbone(lambda k: PointMamba(k, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_backbone(lambda k: PointMamba(k, in_channels=channels, **NARROW))


def test_one_block_and_no_hidden_head_keep_the_contract() -> None:
    check_backbone(lambda k: PointMamba(k, **{**NARROW, "depth": 1, "head": ()}))


@pytest.mark.parametrize("points", [1, 2, 5, 11])
def test_clouds_of_fewer_points_than_centres_use_them_all(points: int) -> None:
    net = backbones.make(lambda k: PointMamba(k, **NARROW))
    x = backbones.clouds(p=points)
    assert net(x).shape == (4, 5)
    assert net.point_features(x).shape == (4, 2 * min(7, points), 11)


def test_a_block_is_a_loop_along_the_sequence() -> None:
    with isolated(0, "block"):
        block = MambaBlock(5, 3).double()
    x = backbones.clouds(n=1, p=7, channels=5)
    entered = [row.chunk(2) for row in block.enter(x[0])]
    state = torch.zeros(10, STATE, dtype=torch.float64)
    for t, got in enumerate(block(x)[0]):
        mixed = block.convolution.bias.clone()
        for back in range(4):
            if t - back >= 0:
                mixed = mixed + block.convolution.weight[3 - back] * entered[t - back][0]
        mixed = mixed * mixed.sigmoid()
        chosen = block.select(mixed)
        step = (1 + block.step(chosen[:1]).exp()).log()
        inputs, outputs = chosen[1 : 1 + STATE], chosen[1 + STATE :]
        rates = -block.log_rates.exp()
        state = torch.exp(step.unsqueeze(1) * rates) * state + torch.outer(step * mixed, inputs)
        gate = entered[t][1]
        y = (state @ outputs + block.direct * mixed) * gate * gate.sigmoid()
        torch.testing.assert_close(got, block.leave(y), rtol=1e-9, atol=1e-12)


def test_a_block_starts_as_mamba_does() -> None:
    with isolated(0, "start"):
        block = MambaBlock(48, 4)
    steps = torch.nn.functional.softplus(block.step.bias.detach())
    assert 0.9e-3 < float(steps.min()) < 5e-3
    assert 0.03 < float(steps.max()) < 0.101
    torch.testing.assert_close(block.log_rates.exp()[7], torch.arange(1.0, STATE + 1))
    assert block.step.weight.abs().max() <= 1 / math.sqrt(3)


def test_the_convolution_is_torchs_with_padding_before() -> None:
    with isolated(0, "convolution"):
        layer = CausalConvolution(5).double()
    x = backbones.clouds(n=2, p=11, channels=5)
    padded = torch.nn.functional.pad(x.mT, (3, 0))
    expected = torch.nn.functional.conv1d(padded, layer.weight.T.unsqueeze(1), layer.bias, groups=5).mT
    torch.testing.assert_close(layer(x), expected)


def test_tokens_follow_the_two_curves() -> None:
    with isolated(0, "curves"):
        net = PointMamba(2, **NARROW).double()
    with torch.no_grad():
        # tokens that are their centres, shifted by what tells the curves apart
        net.tokens.patches.after[1].weight.zero_()
        net.tokens.patches.after[1].bias.zero_()
        net.tokens.places = nn.Linear(3, 11, bias=False).double()
        net.tokens.places.weight.copy_(torch.eye(11, 3))
        net.tokens.indicators[1].shift.copy_(net.tokens.indicators[0].shift + 1)
    seen: list[torch.Tensor] = []
    net.blocks[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    points = backbones.clouds()
    net.eval()(points)
    for sequence, indicator, axes in zip(
        seen[0].chunk(2, dim=1), net.tokens.indicators, ([0, 1, 2], [1, 0, 2]), strict=True
    ):
        visited = (sequence - indicator.shift)[..., :3]
        picks = naive.farthest_from_centre(points, 7)
        for cloud, chosen, got in zip(points, picks, visited, strict=True):
            centres = cloud[chosen]
            cells = ((centres - centres.amin(dim=0)) / 0.02).long()[:, axes]
            torch.testing.assert_close(got, centres[hilbert_index(cells, BITS).argsort()])


def test_blocks_are_skipped_in_training_only() -> None:
    net = backbones.make(lambda k: PointMamba(k, drop_path=0.9, dropout=0.0, **NARROW))
    points = backbones.clouds(n=32)
    layer = net.blocks[-1]
    x = net.point_features(points)
    with isolated(0, "skipped"):
        skipped = (layer.train()(x) == x).all(dim=2).all(dim=1)
    assert 0 < int(skipped.sum()) < 32
    assert not (layer.eval()(x) == x).all(dim=2).all(dim=1).any()


def test_it_has_the_published_size() -> None:
    parameters = sum(p.numel() for p in PointMamba(40).parameters())
    # the layers of github.com/LMD0311/PointMamba (models/point_mamba_scan.py), with a mean as pool, have a
    # bias before each norm, too: 128 and 512 in the patches, 256 twice in the head
    assert parameters == 12_297_768 - 128 - 512 - 2 * 256
    # the paper's tables, and the weights released for ModelNet40
    assert parameters == pytest.approx(12.3e6, rel=0.03)


@pytest.mark.slow
def test_it_learns_real_shapes(accuracy_after_training) -> None:
    small: dict[str, Any] = {
        "width": 64,
        "depth": 3,
        "count": 32,
        "k": 16,
        "head": (64,),
        "dropout": 0.0,
        "drop_path": 0.0,
    }
    assert accuracy_after_training(lambda k: PointMamba(k, **small)) > 0.75


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes=0"),
        ({"in_channels": 2}, "in_channels=2: give a whole number from 3"),
        ({"width": 0}, "width=0"),
        ({"depth": 0}, "depth=0"),
        ({"count": 0}, "count=0"),
        ({"k": 0}, "k=0"),
        ({"head": (0,)}, "head=\\(0,\\)"),
        ({"norm": "layer"}, "give one of batch, instance, group, none"),
        ({"drop_path": 1.0}, "drop_path=1.0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointMamba(**{"num_classes": 3, **arguments})
