"""The generator: eq. 12 point by point, sized to its bytes, fitted to clouds, and safe to load."""

from __future__ import annotations

import json
import math
from functools import partial

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from cl3d.clouds import PointClouds, normalize
from cl3d.distill import Condenser, DistributionMatching, GradientMatching, load, save
from cl3d.distill.parameterizations import fitting
from cl3d.distill.parameterizations.generated import GeneratedSet
from cl3d.distill.parameterizations.generator import Generator
from cl3d.distill.parameterizations.generator_size import generator_nbytes
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.models.siren import ModulatedSiren, siren_shapes
from cl3d.ops.assignment import align
from cl3d.random import generator
from cl3d.testing.condensers import check_condenser

LABELS = torch.tensor([2, 2, 3, 11, 11])
KINDS = (GeneratedSet,)
SMALL = partial(PointNet, channels=(5, 11), head=(7,))


def generated(width: int = 7, num_points: int = 13) -> GeneratedSet:
    siren = ModulatedSiren(width, 100.0, generator(0, "siren"))
    codes = torch.randn(len(LABELS), width, generator=generator(0, "codes"))
    return GeneratedSet(siren, codes, LABELS, num_points, noise_seed=17)


def picks(clouds: int = 5, num_points: int = 37) -> PointClouds:
    return PointClouds(normalize(torch.randn(clouds, num_points, 3, generator=generator(1))), LABELS[:clouds])


def point_by_point(siren: ModulatedSiren, noise: Tensor, codes: Tensor) -> Tensor:
    """DD3D, eq. 12, one point of one cloud at a time."""
    rows = []
    for cloud, code in enumerate(codes):
        c1 = code.clamp_min(0)
        c2 = (siren.modulator.weight @ c1 + siren.modulator.bias).clamp_min(0)
        for t in noise[cloud]:
            z1 = c1 * torch.sin(siren.w0 * (siren.first.weight[:, 0] * t + siren.first.bias))
            z2 = c2 * torch.sin(siren.hidden.weight @ z1 + siren.hidden.bias)
            rows.append(torch.tanh(siren.last.weight @ z2 + siren.last.bias))
    return torch.stack(rows).reshape(*noise.shape, 3)


def test_the_network_is_that_of_the_paper_point_by_point():
    siren = ModulatedSiren(7, 30.0, generator(0)).double()
    noise = torch.rand(5, 13, generator=generator(1), dtype=torch.float64)
    codes = torch.randn(5, 7, generator=generator(2), dtype=torch.float64).requires_grad_()
    inputs = [codes, *siren.parameters()]
    fast, plain = siren(noise, codes), point_by_point(siren, noise, codes)
    assert fast.shape == (5, 13, 3)
    torch.testing.assert_close(fast, plain, rtol=1e-12, atol=1e-12)
    weights = torch.randn(5, 13, 3, generator=generator(3), dtype=torch.float64)
    gradients = (torch.autograd.grad((points * weights).sum(), inputs) for points in (fast, plain))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_one_noise_for_all_clouds_is_the_same_as_each_having_it():
    siren, codes = ModulatedSiren(7, 30.0, generator(0)), torch.randn(5, 7, generator=generator(2))
    noise = torch.rand(1, 13, generator=generator(1))
    torch.testing.assert_close(siren(noise, codes), siren(noise.expand(5, 13), codes))


def test_gradients_are_those_of_finite_differences():
    siren = ModulatedSiren(5, 3.0, generator(0)).double()
    names = [name for name, _ in siren.named_parameters()]
    noise = torch.rand(2, 3, generator=generator(1), dtype=torch.float64)
    codes = torch.randn(2, 5, generator=generator(2), dtype=torch.float64).requires_grad_()

    def points(codes: Tensor, *parameters: Tensor) -> Tensor:
        named = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(siren, named, (noise, codes))

    assert torch.autograd.gradcheck(points, (codes, *siren.parameters()))


def test_every_parameter_gets_a_gradient():
    synthetic = generated()
    synthetic.decode().points.square().sum().backward()
    for name, parameter in synthetic.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.any()), name


def test_weights_start_as_in_siren():
    width = 211
    siren = ModulatedSiren(width, 100.0, generator(0))
    assert {name: tuple(t.shape) for name, t in siren.state_dict().items()} == siren_shapes(width)
    bounds = {"first": 1.0, "hidden": math.sqrt(6 / width), "last": math.sqrt(6 / width)}
    for name, bound in (bounds | {"modulator": 1 / math.sqrt(width)}).items():
        weight, bias = getattr(siren, name).weight.detach(), getattr(siren, name).bias.detach()
        assert 0.95 * bound < float(weight.abs().max()) <= bound, name
        assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1), name
        assert float(bias.abs().max()) <= bound, name


def test_any_number_of_points_can_be_decoded():
    synthetic = generated(num_points=13)
    assert synthetic.decode().points.shape == (5, 13, 3)
    for wanted in (1, 3, 101):
        decoded = synthetic.decode(num_points=wanted)
        assert decoded.points.shape == (5, wanted, 3)
        assert torch.equal(decoded.labels, LABELS)
    with pytest.raises(InputError, match="num_points=0: give a whole number from 1"):
        synthetic.decode(num_points=0)


def test_noise_is_fixed_without_a_generator_and_fresh_with_one():
    synthetic = generated()
    assert torch.equal(synthetic.decode().points, synthetic.decode().points)
    fresh = [synthetic.decode(generator(seed)).points for seed in (3, 3, 4)]
    assert torch.equal(fresh[0], fresh[1])
    assert not torch.equal(fresh[0], fresh[2])
    assert not torch.equal(fresh[0], synthetic.decode().points)


def test_pruning_keeps_the_first_of_each_class_as_they_were():
    synthetic = generated()
    synthetic.info = {"loss_last": 0.25}
    pruned = synthetic.prune(1)
    assert pruned.labels.tolist() == [2, 3, 11]
    assert pruned.nbytes == generator_nbytes(7, 3)
    assert pruned.info == synthetic.info
    torch.testing.assert_close(pruned.decode().points, synthetic.decode().points[[0, 2, 3]])
    with torch.no_grad():
        pruned.siren.last.bias.add_(1.0)
    assert not torch.equal(pruned.siren.last.bias, synthetic.siren.last.bias), "the network is shared"


@pytest.mark.parametrize("clouds", [1, 5])
def test_the_width_is_the_largest_that_the_bytes_pay_for(clouds):
    least = generator_nbytes(4, clouds)
    for nbytes in (*range(least, least + 200, 7), 1_009, 10_007, 100_003):
        synthetic = Generator().start(picks(clouds), {0: nbytes - 5, 1: 5}, seed=0)
        width = synthetic.siren.width
        assert synthetic.nbytes == generator_nbytes(width, clouds) <= nbytes
        assert generator_nbytes(width + 1, clouds) > nbytes


def test_the_papers_width_can_be_given():
    synthetic = Generator(width=256).start(picks(), {0: 600_000}, seed=0)
    assert synthetic.codes.shape == (5, 256)
    assert synthetic.nbytes == 4 * (5 * 256 + 2 * 256 + 2 * (256 * 256 + 256) + 3 * 256 + 3)


def test_bytes_that_do_not_pay_are_refused():
    least = generator_nbytes(4, 5)
    with pytest.raises(InputError, match=f"a generator of 5 clouds: give at least {least}, or store points"):
        Generator().start(picks(), {0: least - 1}, seed=0)
    takes = generator_nbytes(11, 5)
    with pytest.raises(InputError, match=f"takes {takes} bytes of {takes - 1}: give a width up to 10"):
        Generator(width=11).start(picks(), {0: takes - 1}, seed=0)


def test_as_many_clouds_as_raw_ones_would_be():
    assert Generator().clouds_within(2 * 37 * 12 + 5, 37) == 2
    assert Generator(codes_per_class=1).clouds_within(2 * 37 * 12 + 5, 37) == 1
    assert Generator(codes_per_class=3).clouds_within(2 * 37 * 12 + 5, 37) == 3
    assert Generator(codes_per_class=3).clouds_within(37 * 12 - 1, 37) == 0


def test_the_start_follows_from_the_seed():
    first, again, other = (
        Generator(fit_iterations=2).start(picks(), {0: 4_001}, seed).decode().points for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_distilling_at_another_resolution():
    synthetic = Generator(num_points=11, fit_iterations=1).start(picks(), {0: 4_001}, seed=0)
    assert synthetic.decode().num_points == 11
    assert Generator().start(picks(), {0: 4_001}, seed=0).decode().num_points == 37


def paired_distance(clouds: Tensor, others: Tensor) -> float:
    """Mean squared distance of the points paired one to one."""
    pairs = [cloud[align(cloud, other)] - other for cloud, other in zip(clouds, others, strict=True)]
    return float(torch.stack(pairs).square().sum(dim=-1).mean())


@pytest.mark.parametrize("most", [3, 16])
def test_fitting_brings_clouds_near_the_picks_whatever_the_noise(monkeypatch, most):
    monkeypatch.setattr(fitting, "CLOUDS_PER_UPDATE", most)
    real = picks()
    plain, fitted = (
        Generator(fit_iterations=count, fit_lr=3e-3).start(real, {0: 20_011}, seed=0) for count in (0, 60)
    )
    for seed in (None, 5):
        far, near = (
            paired_distance(
                s.decode(None if seed is None else generator(seed)).points.detach(), normalize(real.points)
            )
            for s in (plain, fitted)
        )
        assert near < 0.7 * far  # 37 points of fresh noise cannot come nearer to 37 scattered ones
    assert all(parameter.grad is None for parameter in fitted.parameters())


@pytest.mark.parametrize("objective", [GradientMatching(), DistributionMatching()])
@pytest.mark.parametrize("fit_iterations", [0, 2])
def test_condensers_keep_the_contract(objective, fit_iterations):
    parameterization = Generator(fit_iterations=fit_iterations)
    check_condenser(Condenser(parameterization=parameterization, objective=objective, iterations=2), SMALL)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 3}, "width=3: give a whole number from 4"),
        ({"w0": 0.0}, "w0=0.0: give a number above 0"),
        ({"num_points": 0}, "num_points=0"),
        ({"fit_iterations": -1}, "fit_iterations=-1"),
        ({"fit_lr": math.nan}, "fit_lr=nan"),
    ],
)
def test_numbers_out_of_range_are_refused_at_construction(arguments, message):
    with pytest.raises(InputError, match=message):
        Generator(**arguments)


def test_a_file_decodes_to_the_same_clouds(tmp_path):
    synthetic = generated()
    synthetic.info = {"loss_last": 0.25}
    save(synthetic, tmp_path / "set.safetensors")
    loaded = load(tmp_path / "set.safetensors", kinds=KINDS)
    assert torch.equal(loaded.decode().points, synthetic.decode().points)
    assert torch.equal(loaded.decode(num_points=3).points, synthetic.decode(num_points=3).points)
    assert loaded.labels.tolist() == LABELS.tolist()
    assert (loaded.config(), loaded.info) == (synthetic.config(), synthetic.info)
    assert loaded.nbytes == generator_nbytes(7, 5)


def damage(path, config: dict, tensors: dict) -> None:
    """Rewrites a saved set with other settings and tensors; None removes one."""
    save(generated(), path)
    whole = load_file(path) | tensors
    header = {
        "format_version": 1,
        "kind": "generator",
        "clouds_per_class": [[2, 2], [3, 1], [11, 2]],
        "config": generated().config() | config,
        "info": {},
    }
    kept = {name: tensor for name, tensor in whole.items() if tensor is not None}
    save_file(kept, path, metadata={"cl3d": json.dumps(header)})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"width": 8}, "not a generator of width 8 with 5 clouds"),
        ({"width": 10**12}, "not a generator of width 10"),
        ({"width": "7"}, "width=7: give a whole number"),
        ({"w0": -1.0}, "w0=-1.0: give a number above 0"),
        ({"w0": None}, "w0=None"),
        ({"num_points": 0}, "num_points=0"),
        ({"num_points": 1.5}, "num_points=1.5"),
        ({"noise_seed": -1}, "noise_seed=-1"),
        ({"more": 1}, "a generator has width, w0, num_points and noise_seed"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path, config, message):
    damage(tmp_path / "set.safetensors", config, {})
    with pytest.raises(InputError, match=f"is damaged: .*{message}"):
        load(tmp_path / "set.safetensors", kinds=KINDS)


@pytest.mark.parametrize(
    "tensors",
    [
        {"codes": torch.zeros(4, 7)},
        {"codes": torch.zeros(35)},
        {"codes": None},
        {"codes": torch.zeros(5, 7, dtype=torch.float64)},
        {"codes": torch.full((5, 7), torch.nan)},
        {"siren.last.weight": torch.zeros(7, 3)},
        {"siren.hidden.bias": None},
        {"more": torch.zeros(1)},
    ],
)
def test_tensors_that_do_not_fit_are_refused(tmp_path, tensors):
    damage(tmp_path / "set.safetensors", {}, tensors)
    with pytest.raises(InputError, match="is damaged"):
        load(tmp_path / "set.safetensors", kinds=KINDS)


def test_an_undamaged_file_passes_the_same_way(tmp_path):
    damage(tmp_path / "set.safetensors", {}, {})
    loaded = load(tmp_path / "set.safetensors", kinds=KINDS)
    assert torch.equal(loaded.decode().points, generated().decode().points)
