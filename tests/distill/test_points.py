"""Sets of points: number and precision of what is stored, and clouds that turn."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from cl3d.clouds import PointClouds, normalize
from cl3d.distill import Anchors, Budget, Condenser, DistributionMatching, load, save
from cl3d.distill.parameterizations.angles import TurnedPoints
from cl3d.distill.parameterizations.points import Points, PointSet
from cl3d.distill.parameterizations.storage import STORAGES, pack, straight_through, unpack
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.random import generator
from cl3d.testing.condensers import blobs, check_condenser

SMALL = partial(PointNet, channels=(5, 11), head=(7,))
COORDINATE = {"float32": 4, "float16": 2, "uint8": 1}


def cloud_set(storage: str) -> PointSet:
    points = torch.rand(5, 7, 3, generator=generator(0)) * 2 - 1
    return PointSet(PointClouds(points, torch.tensor([2, 2, 3, 11, 11])), storage)


def test_bytes_hold_the_grid():
    points = torch.tensor([[[-1.0, 0.0, 1.0], [-1.5, 1 / 127, 0.4 / 127]]])
    assert pack(points, "uint8").tolist() == [[[0, 127, 254], [0, 128, 127]]]
    assert torch.allclose(
        unpack(pack(points, "uint8")), torch.tensor([[[-1, 0, 1], [-1, 1 / 127, 0]]]), atol=1e-7
    )


@pytest.mark.parametrize("storage", STORAGES)
def test_what_is_read_back_is_what_was_seen(storage, tmp_path):
    synthetic = cloud_set(storage)
    assert synthetic.nbytes == 5 * 7 * 3 * COORDINATE[storage]
    save(synthetic, tmp_path / "set.safetensors")
    loaded = load(tmp_path / "set.safetensors")
    assert torch.equal(loaded.decode().points, synthetic.decode().points)
    assert loaded.nbytes == synthetic.nbytes
    assert all(torch.equal(loaded.stored()[name], value) for name, value in synthetic.stored().items())
    assert torch.equal(synthetic.prune(1).decode().points, synthetic.decode().points[[0, 2, 3]])
    assert (synthetic.decode().points - synthetic.points).abs().max() <= (0.5 / 127 + 1e-7)


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize("parameterization", [Points, TurnedPoints, partial(Anchors, anchors=2, blends=0)])
@pytest.mark.parametrize(("storage", "scale"), [("uint8", 3.0), ("uint8", 1e6), ("float16", 1e6)])
def test_clouds_that_the_storage_cannot_hold_are_normalised(parameterization, storage, scale):
    inside = normalize(blobs().points)
    clouds = replace(blobs(), points=torch.cat([inside[:6], scale * inside[6:] + 2 * scale]))
    exact, stored = (
        Condenser(parameterization=parameterization(storage=kind))(
            clouds, budget=Budget(ppc=5), model=SMALL
        ).decode()
        for kind in ("float32", storage)
    )
    wanted = normalize(exact.points)
    if parameterization in (Points, TurnedPoints):  # anchors of other bytes have other points
        assert (normalize(stored.points) - wanted).abs().max() < 0.02
    assert stored.points.abs().max() <= 1.001


def test_clouds_that_fit_stay_what_they_are():
    clouds = replace(blobs(), points=normalize(blobs().points))
    synthetic = Condenser(parameterization=Points(storage="uint8"))(clouds, budget=Budget(ppc=1), model=SMALL)
    assert torch.isin(synthetic.points, clouds.points).all()


@pytest.mark.parametrize("storage", STORAGES)
def test_rounding_lets_the_gradient_through(storage):
    points = cloud_set(storage).points
    weights = torch.randn(5, 7, 3, generator=generator(1))
    (gradient,) = torch.autograd.grad((straight_through(points, storage) * weights).sum(), points)
    assert torch.equal(gradient, weights)


@pytest.mark.parametrize(
    ("parameterization", "clouds"),
    [
        (Points(), 1),
        (Points(num_points=5), 2),
        (Points(num_points=5, storage="float16"), 5),
        (Points(num_points=5, storage="uint8"), 10),
    ],
)
def test_the_same_bytes_hold_more_coarser_clouds(parameterization, clouds):
    condenser = Condenser(parameterization=parameterization)
    data = replace(blobs(per_class=11), points=normalize(blobs(per_class=11).points))
    synthetic = condenser(data, budget=Budget(ppc=1), model=SMALL)
    assert synthetic.clouds_per_class == dict.fromkeys((2, 5, 11), clouds)
    assert synthetic.nbytes <= 3 * 13 * 12
    for cloud, label in zip(synthetic.points, synthetic.labels, strict=True):
        real = data.of_class(int(label)).points
        assert any(all((point == whole).all(dim=1).any() for point in cloud) for whole in real)


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize(
    "parameterization",
    [Points(num_points=5, storage="uint8"), TurnedPoints(), TurnedPoints(num_points=5, storage="float16")],
)
def test_parameterizations_keep_the_contract(parameterization):
    condenser = Condenser(parameterization=parameterization, objective=DistributionMatching(), iterations=2)
    check_condenser(condenser, SMALL)


def test_pruning_may_be_repeated_down_to_nothing():
    nothing = cloud_set("float16").prune(0)
    assert len(nothing) == 0
    assert len(nothing.prune(1)) == 0
    assert len(cloud_set("float32").prune(2).prune(1)) == 3


def test_numbers_of_points_and_names_are_checked():
    with pytest.raises(InputError, match="num_points=0"):
        Points(num_points=0)
    with pytest.raises(InputError, match="float32, float16, uint8"):
        Points(storage="int4")
    with pytest.raises(InputError, match="num_points=17 per stored cloud, but the clouds have 13"):
        Condenser(parameterization=Points(num_points=17))(blobs(), budget=Budget(ppc=2), model=SMALL)


def test_turned_clouds_are_stored_turned(tmp_path):
    condenser = Condenser(
        parameterization=TurnedPoints(angle_rates=(0.1, 0.2, 0.3)),
        objective=DistributionMatching(),
        iterations=3,
    )
    synthetic = condenser(blobs(), budget=Budget(ppc=2), model=SMALL)
    assert all(bool((angle != 0).all()) for angle in synthetic.angles)
    assert synthetic.nbytes == 6 * 13 * 12
    save(synthetic, tmp_path / "set.safetensors")
    loaded = load(tmp_path / "set.safetensors")
    assert type(loaded) is PointSet
    assert torch.equal(loaded.decode().points, synthetic.decode().points)
    assert torch.equal(synthetic.prune(1).decode().points, synthetic.decode().points[::2])
