"""Sets that shrink without the data they were made of."""

from __future__ import annotations

import pytest
import torch

from cl3d.clouds import PointClouds, normalize
from cl3d.distill import Anchors, Budget, Condenser, Generator, PointSet, SyntheticSet, TurnedPoints, presets
from cl3d.distill.parameterizations.generated import drawn
from cl3d.distill.parameterizations.generator_size import generator_nbytes
from cl3d.errors import InputError
from cl3d.ops.chamfer import pairwise_chamfer
from cl3d.random import generator
from cl3d.testing.condensers import blobs

LABELS = torch.tensor([2, 2, 2, 5, 5])
CLOUDS = PointClouds(torch.randn(5, 7, 3, generator=generator(0, "shrink")), LABELS)
CLOUD = 7 * 12


class OwnSet(PointSet):
    """A set of the user's own, which knows how to prune and no more."""

    shrink = SyntheticSet.shrink


@pytest.mark.parametrize("kind", [PointSet, OwnSet])
def test_the_first_clouds_of_each_class_stay(kind):
    kept = kind(CLOUDS)
    assert kept.shrink({2: 3 * CLOUD, 5: 2 * CLOUD}) is kept
    smaller = kept.shrink({2: 2 * CLOUD + 5, 5: 2 * CLOUD})
    assert torch.equal(smaller.decode().points, CLOUDS.points[[0, 1, 3, 4]])
    with pytest.raises(InputError, match="bytes are too few for what is left of a set"):
        kept.shrink({2: CLOUD, 5: CLOUD - 1})


def test_each_class_has_its_own_share():
    smaller = PointSet(CLOUDS, "float16").shrink({2: CLOUD, 5: CLOUD // 2})
    assert smaller.clouds_per_class == {2: 2, 5: 1}
    assert smaller.storage == "float16"


def test_turned_clouds_shrink_as_they_are_turned():
    turned = TurnedPoints().start(CLOUDS, {2: 3 * CLOUD, 5: 2 * CLOUD}, 0)
    with torch.no_grad():
        turned.angles[1].fill_(0.7)
    smaller = turned.shrink({2: CLOUD, 5: CLOUD})
    torch.testing.assert_close(smaller.decode().points, turned.decode().points[[0, 3]])


def test_anchors_keep_whole_groups():
    condenser = Condenser(parameterization=Anchors(anchors=2, blends=3))
    kept = condenser(blobs(num_points=40, per_class=9), budget=Budget(ppc=3))
    shares = {2: 2 * 40 * 12, 5: 40 * 12, 11: 3 * 40 * 12}
    smaller = kept.shrink(shares)
    assert smaller.clouds_per_class == {2: 10, 5: 5, 11: 15}
    assert torch.equal(smaller.decode().of_class(2).points, kept.decode().of_class(2).points[:10])


def fitted() -> tuple[SyntheticSet, PointClouds]:
    """A generator that knows its clouds, six of two classes."""
    clouds = blobs(num_points=64, per_class=3, labels=(1, 4))
    clouds = clouds[clouds.labels.argsort(stable=True)]
    made = drawn(clouds.labels, 30, 30.0, 64, seed=0)
    made.fit(clouds.with_points(normalize(clouds.points)), 200, 1e-2, seed=0)
    return made, clouds


def test_a_generator_hands_its_first_clouds_to_a_narrower_one():
    made, _ = fitted()
    share = made.nbytes // 3
    smaller = made.shrink({1: share, 4: share}, seed=3)
    assert smaller.nbytes <= 2 * share
    assert generator_nbytes(smaller.siren.width + 1, len(smaller)) > 2 * share, "a wider one would fit"
    assert smaller.clouds_per_class == {1: 2, 4: 2}
    shown, before = smaller.decode().points, made.decode().points[[0, 1, 3, 4]]
    untrained = drawn(smaller.labels, smaller.siren.width, 30.0, 64, seed=3).decode().points
    near, far = (
        sum(float(pairwise_chamfer(torch.stack(pair))[0, 1]) for pair in zip(points, before, strict=True))
        for points in (shown, untrained)
    )
    assert near < 0.5 * far
    again = made.shrink({1: share, 4: share}, seed=3)
    assert torch.equal(shown, again.decode().points)


def test_a_narrow_generator_drops_codes_alone():
    made = drawn(torch.arange(2).repeat_interleave(50), 4, 30.0, 16, seed=0)
    share = generator_nbytes(4, 60) // 2
    smaller = made.shrink({0: share, 1: share})
    assert smaller.siren.width == 4
    assert torch.equal(smaller.siren.hidden.weight, made.siren.hidden.weight)
    with pytest.raises(InputError, match=f"takes at least {generator_nbytes(4, 2)}"):
        made.shrink({0: 20, 1: 20})


def test_a_coreset_that_shrinks_is_the_smaller_coreset():
    """Of random picks and herded ones alike, the smaller pick is a part of the larger one."""
    clouds = blobs(per_class=9)
    large, small = (presets.random()(clouds, budget=Budget(ppc=ppc)) for ppc in (5, 2))
    shrunk = large.shrink(dict.fromkeys((2, 5, 11), 2 * 13 * 12))
    assert torch.equal(shrunk.decode().points, small.decode().points)


def test_a_generator_parameterization_starts_as_it_did():
    """Fitting and drawing moved; what a seed gives stays."""
    synthetic = Generator(width=5).start(CLOUDS, {2: 2000, 5: 2000}, seed=1)
    assert torch.equal(synthetic.codes, drawn(LABELS, 5, 100.0, 7, seed=1).codes)
