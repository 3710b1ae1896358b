"""Gradient matching looks through every backbone there is, and says so where it cannot."""

from __future__ import annotations

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.config_paths import CONFIGS
from cl3d.continual.buffer import CondensedBuffer
from cl3d.distill import Budget, presets
from cl3d.distill.objectives import GradientMatching
from cl3d.errors import InputError
from cl3d.models import Backbone, PointNet, Rotated, Rotator
from cl3d.random import generator, isolated
from cl3d.settings import build
from cl3d.testing.backbones import check_backbone

MODELS = sorted(
    path.stem for path in (CONFIGS / "model").glob("*.yaml") if not path.stem.endswith("_segmentation")
)


def some(n: int, p: int, seed: int) -> PointClouds:
    points = torch.randn(n, p, 3, generator=generator(seed, "matching"))
    return PointClouds(0.4 * points, torch.ones(n, dtype=torch.int64))


@pytest.mark.parametrize("name", MODELS)
def test_it_works_through_every_model_of_the_configs(name: str) -> None:
    with isolated(0, "matching"):
        net: Backbone = build(OmegaConf.load(CONFIGS / "model" / f"{name}.yaml"))(2).eval()
    assert net.twice_differentiable
    synthetic = some(2, 11, 1)
    points = synthetic.points.requires_grad_()
    value = GradientMatching()(net, some(3, 13, 2), PointClouds(points, synthetic.labels))
    (gradient,) = torch.autograd.grad(value, points)
    assert torch.isfinite(gradient).all()
    assert gradient.any(dim=2).any(dim=1).all(), "a cloud has no gradient"


class OneBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> Tensor:
        return grad


class Compiled(PointNet):
    twice_differentiable = False
    batchable = False  # its function has no rule for that

    def before_last(self, points: Tensor) -> Tensor:
        return OneBackward.apply(super().before_last(points))


def compiled(num_classes: int) -> Compiled:
    return Compiled(num_classes, channels=(5, 7), head=())


@pytest.mark.parametrize("name", ["pcc", "dc", "mtt"])
def test_what_cannot_be_differentiated_twice_is_refused_before_any_work(name: str) -> None:
    condenser = getattr(presets, name)()
    with pytest.raises(InputError, match=r"which Compiled says it does not allow.*give another model"):
        condenser(some(4, 13, 0), budget=Budget(ppc=1), model=compiled)
    with pytest.raises(InputError, match="which Compiled says it does not allow"):
        CondensedBuffer(condenser, Budget(ppc=1), compiled)
    with pytest.raises(InputError, match="which Rotated says it does not allow"):
        CondensedBuffer(condenser, Budget(ppc=1), lambda k: Rotated(compiled(k), Rotator()))


def test_objectives_on_features_take_it() -> None:
    for name in ("dm", "random"):
        getattr(presets, name)().check_model(compiled)


def test_it_keeps_the_rest_of_the_contract() -> None:
    check_backbone(compiled)
