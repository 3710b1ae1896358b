"""Shape models: bytes, draws, shrinking and files."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cl3d.distill import Budget, Condenser, DistributionMatching, ShapeModel, ShapeSet, load, presets, save
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.ops.modes import mean_and_modes
from cl3d.random import generator
from cl3d.testing.condensers import blobs

SHAPES = torch.randn(5, 7, 3, generator=generator(0, "shape-model"))


def shape_set(samples=(3, 1), modes=(3, 0)) -> ShapeSet:
    return ShapeSet(SHAPES, modes, torch.tensor([2] * samples[0] + [5] * samples[1]), seed=1)


def condenser(**settings) -> Condenser:
    return replace(presets.shape_model(), parameterization=ShapeModel(clouds=9, samples=4, **settings))


def test_a_draw_is_the_mean_and_normal_multiples_of_the_modes():
    decoded = shape_set().decode(generator(3)).points
    z = torch.randn(3, 3, generator=generator(3))
    for cloud, weights in zip(decoded, z, strict=False):
        plain = SHAPES[0] + sum(w * mode for w, mode in zip(weights, SHAPES[1:4], strict=True))
        torch.testing.assert_close(cloud, plain)
    torch.testing.assert_close(decoded[3], SHAPES[4])


def test_draws_have_the_variance_of_the_modes():
    many = ShapeSet(SHAPES, (4,), torch.zeros(20_000, dtype=torch.int64), seed=0)
    clouds = many.decode().points.detach()
    torch.testing.assert_close(clouds.mean(dim=0), SHAPES[0], atol=0.06, rtol=0)
    torch.testing.assert_close(clouds.var(dim=0), SHAPES[1:].square().sum(dim=0), atol=0.1, rtol=0.05)


def test_draws_are_fixed_by_the_seed_and_fresh_with_a_generator():
    kept = shape_set()
    assert torch.equal(kept.decode().points, kept.decode().points)
    fresh = [kept.decode(generator(key)).points for key in (0, 0, 1)]
    assert torch.equal(fresh[0], fresh[1])
    assert not torch.equal(fresh[0][:3], fresh[2][:3])
    assert not torch.equal(fresh[0][:3], kept.decode().points[:3])


@pytest.mark.parametrize(("ppc", "modes", "decoded"), [(1, 0, 1), (2, 1, 4), (4, 3, 4)])
def test_bytes_are_those_of_the_mean_and_its_modes(ppc, modes, decoded):
    synthetic = condenser()(blobs(per_class=9), budget=Budget(ppc=ppc))
    assert synthetic.modes == (modes,) * 3
    assert synthetic.nbytes == 3 * (1 + modes) * 13 * 12
    assert synthetic.stored_clouds == 3 * (1 + modes)
    assert synthetic.clouds_per_class == dict.fromkeys((2, 5, 11), decoded)


def test_coarser_shapes_leave_bytes_for_more_modes():
    synthetic = condenser(num_points=4)(blobs(per_class=9), budget=Budget(ppc=2))
    assert synthetic.modes == (5,) * 3  # 26 points of 12 bytes hold 6 shapes of 4
    assert synthetic.decode().num_points == 4


def test_there_are_no_more_modes_than_clouds_span():
    with pytest.warns(UserWarning, match="9 are asked for"):
        synthetic = condenser()(blobs(per_class=3), budget=Budget(ppc=3))
    assert synthetic.modes == (2,) * 3


def test_what_is_stored_is_the_statistics_of_the_class():
    clouds = blobs(per_class=9)
    synthetic = condenser()(clouds, budget=Budget(ppc=3), seed=4)
    members = clouds.of_class(5).points
    centred = members - members.mean(dim=1, keepdim=True)
    own = centred / centred.norm(dim=2).amax(dim=1).view(-1, 1, 1)
    # the picks come in drawn order, of which the first is the template
    candidates = [mean_and_modes(torch.cat([own[k : k + 1], own[:k], own[k + 1 :]]), 2) for k in range(9)]
    found = min(float((shapes - synthetic.shapes[3:6].detach()).abs().max()) for shapes in candidates)
    assert found < 1e-4


def test_shrinking_leaves_out_the_last_modes():
    kept = shape_set()
    smaller = kept.shrink({2: 3 * 7 * 12 + 5, 5: 7 * 12})
    assert torch.equal(smaller.shapes, SHAPES[[0, 1, 2, 4]])
    assert (smaller.modes, smaller.clouds_per_class) == ((2, 0), {2: 3, 5: 1})
    mean = smaller.shrink({2: 7 * 12, 5: 7 * 12})
    assert torch.equal(mean.shapes, SHAPES[[0, 4]])
    assert mean.clouds_per_class == {2: 1, 5: 1}
    with pytest.raises(InputError, match="83 bytes are too few"):
        kept.shrink({2: 84, 5: 83})


def test_pruning_draws_fewer_clouds_of_the_same_model():
    pruned = shape_set().prune(2)
    assert pruned.clouds_per_class == {2: 2, 5: 1}
    assert torch.equal(pruned.shapes, SHAPES)


def test_a_shape_model_can_be_distilled():
    matched = replace(condenser(), objective=DistributionMatching(), iterations=3, name="matched")
    synthetic = matched(
        blobs(per_class=9), budget=Budget(ppc=3), model=lambda k: PointNet(k, channels=(5, 11))
    )
    assert synthetic.info["moved_mean"] > 0
    assert torch.isfinite(synthetic.shapes).all()


@pytest.mark.parametrize(
    ("config", "tensors", "message"),
    [
        ({"modes": [3]}, {}, "is not a number for each of 2 classes"),
        ({"modes": [4, 0]}, {}, "which .* modes do not fit"),
        ({"modes": [3.0, 0]}, {}, "modes=3.0"),
        ({"seed": -1}, {}, "seed=-1"),
        ({"more": 1}, {}, "a shape model holds"),
        ({}, {"shapes": SHAPES.half()}, "finite float32"),
        ({}, {"shapes": SHAPES * torch.nan}, "finite float32"),
        ({}, {"shapes": SHAPES[:4]}, "do not fit"),
        ({}, {"extra": SHAPES}, "a shape model holds"),
    ],
)
def test_files_that_do_not_fit_are_refused(config, tensors, message):
    kept = shape_set()
    with pytest.raises(InputError, match=message):
        ShapeSet.rebuild(kept.stored() | tensors, kept.labels, kept.config() | config)


@pytest.mark.parametrize("samples", [3, 1000])
def test_a_file_brings_it_back(tmp_path, samples):
    """Also where there are more draws than numbers stored."""
    kept = shape_set(samples=(samples, 1))
    save(kept, tmp_path / "set.safetensors")
    assert torch.equal(load(tmp_path / "set.safetensors").decode().points, kept.decode().points)


@pytest.mark.parametrize("wrong", [{"clouds": 0}, {"samples": 0}, {"rounds": 0}, {"num_points": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match="give a whole number from 1"):
        ShapeModel(**wrong)
    with pytest.raises(InputError, match="num_points=14 per shape, but the clouds have 13"):
        condenser(num_points=14)(blobs(), budget=Budget(ppc=2))
