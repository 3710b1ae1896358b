"""Classes are processed in turn: no tensor but the data itself grows with their number."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from cl3d.distill import (
    Budget,
    Condenser,
    DistributionMatching,
    Experts,
    Generator,
    GradientMatching,
    SortedFeatureMatching,
    Trained,
    Training,
    TrajectoryMatching,
    statistics,
)
from cl3d.distill.parameterizations.generator_size import generator_nbytes
from cl3d.models import PointNet
from cl3d.testing.condensers import blobs

SMALL = partial(PointNet, channels=(5, 16), head=(7,))
QUICK = Training(epochs=1, batch_size=4)
CONDENSERS = {
    "dm": Condenser(objective=DistributionMatching(), iterations=1),
    "sadm": Condenser(objective=SortedFeatureMatching(), iterations=1),
    "dc": Condenser(objective=GradientMatching(), iterations=2, surrogates=Trained(inner=2, training=QUICK)),
    "mtt": Condenser(
        objective=TrajectoryMatching(steps=2, batch_size=4),
        surrogates=Experts(experts=1, span=1, training=QUICK),
        iterations=1,
    ),
    "generator": Condenser(
        parameterization=Generator(width=5), objective=DistributionMatching(), iterations=1
    ),
}


class Made(TorchDispatchMode):
    """The largest feature map made: three axes, none of them what coordinates have or leave when summed."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple) else [out]:
            if isinstance(tensor, torch.Tensor) and tensor.ndim == 3 and not {1, 3} & {*tensor.shape}:
                self.largest = max(self.largest, tensor.numel())
        return out


@pytest.mark.parametrize("name", CONDENSERS)
def test_feature_maps_do_not_grow_with_the_classes(name, monkeypatch):
    monkeypatch.setattr(statistics, "CLOUDS_AT_ONCE", 6)
    if name == "generator":
        monkeypatch.setattr("cl3d.distill.parameterizations.generated.CLOUDS_AT_ONCE", 2)
    condenser = replace(CONDENSERS[name], real_batch=4, statistics_batch=2)
    largest = []
    for classes in (6, 60):
        clouds = blobs(labels=tuple(range(classes)))
        budget = Budget(nbytes=max(classes * 13 * 12, generator_nbytes(5, classes)))
        with Made() as made:
            condenser(clouds, budget=budget, model=SMALL)
        largest.append(made.largest)
    assert largest[0] > 4 * 13  # it looked
    assert largest[1] == largest[0]
