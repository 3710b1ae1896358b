"""Forecasts count what condensing costs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from cl3d.distill import (
    Anchors,
    Budget,
    Condenser,
    DistributionMatching,
    Generator,
    Points,
    ShapeModel,
    TurnedPoints,
    at_resolution,
    presets,
)
from cl3d.distill.cost import condensing_passes, seconds_to_start
from cl3d.models import PointNet
from cl3d.testing.condensers import blobs

SMALL = partial(PointNet, channels=(5, 11), head=(7,))
DM = Condenser(objective=DistributionMatching(), iterations=7, real_batch=5, statistics_batch=2)


def test_passes_by_hand():
    # 3 classes: 5 real clouds at 0.4, 2 for batch statistics at 0.4, and 6 synthetic ones at 1
    assert condensing_passes(DM, 99, 3, 64, 6) == pytest.approx(7 * (3 * (5 * 0.4 + 2 * 0.4) + 6))
    assert condensing_passes(presets.random(), 99, 3, 64, 6) == 0
    assert condensing_passes(presets.herding(), 99, 3, 64, 6) == 12 * 99
    # classes of 4 clouds have none but these
    assert condensing_passes(DM, 12, 3, 64, 6) == pytest.approx(7 * (3 * (4 * 0.4 + 2 * 0.4) + 6))


def test_a_student_of_trajectory_matching_sees_a_batch_in_each_step():
    condenser = presets.mtt(iterations=7)
    steps, most = condenser.objective.steps, condenser.objective.batch_size
    few, many = (condensing_passes(condenser, 99, 3, 64, stored) for stored in (most, 4 * most))
    assert few == many == pytest.approx(7 * 5 * steps * most + condensing_passes(condenser, 99, 3, 64, 0))


def test_coarse_clouds_count_as_parts_of_whole_ones():
    whole = condensing_passes(DM, 99, 3, 64, 6)
    coarse = replace(DM, real_points=16, parameterization=Points(num_points=16))
    assert condensing_passes(coarse, 99, 3, 64, 6) == pytest.approx(whole / 4)
    assert condensing_passes(at_resolution(coarse, 32), 99, 3, 64, 6) == pytest.approx(whole / 2)


@pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")
@pytest.mark.parametrize(
    "stored",
    [
        Points(),
        Points(num_points=5),
        TurnedPoints(num_points=3),
        Anchors(anchors=2, blends=2),
        Anchors(anchors=2, blends=0, storage="uint8"),
        Generator(fit_iterations=1),
        Generator(fit_iterations=1, num_points=7),
        ShapeModel(num_points=5),
    ],
)
def test_decoded_points_are_known_beforehand(stored):
    clouds = blobs()
    synthetic = Condenser(parameterization=stored)(clouds, budget=Budget(ppc=3), model=SMALL)
    assert synthetic.decode().num_points == stored.decoded_points(clouds.num_points)


def test_fitting_a_generator_and_aligning_for_a_shape_model_take_time():
    fitted = Condenser(parameterization=Generator(fit_iterations=1000))
    once = seconds_to_start(replace(fitted, parameterization=Generator(fit_iterations=1)), 6, 9999, 64)
    assert 0 < 100 * once < seconds_to_start(fitted, 6, 9999, 64)
    from_scratch = replace(DM, parameterization=Generator())
    assert seconds_to_start(from_scratch, 6, 9999, 64) == seconds_to_start(DM, 6, 9999, 64) == 0
    aligned = Condenser(parameterization=ShapeModel())
    assert 0 < 100 * seconds_to_start(aligned, 1, 9999, 64) < seconds_to_start(aligned, 1000, 9999, 64)
