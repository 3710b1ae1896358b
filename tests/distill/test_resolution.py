"""Resolution against number, at the same bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hydra import compose, initialize_config_dir

from cl3d.config_paths import CONFIGS
from cl3d.distill import Anchors, Budget, Points, at_resolution, presets
from cl3d.errors import InputError
from cl3d.settings import build_condenser
from cl3d.testing.condensers import blobs

OF_POINTS = ["random", "herding", "k_center", "spectral", "dc", "pcc", "dm", "mtt", "sadm", "random_coarse"]


def test_five_fine_clouds_or_twenty_coarse_ones():
    fine, coarse = (at_resolution(presets.random(), points) for points in (1024, 256))
    for condenser, clouds in ((fine, 5), (coarse, 20)):
        shares, picks = condenser.plan([100, 100], 1024, Budget(ppc=5))
        assert shares == [5 * 1024 * 12] * 2
        assert picks == [clouds] * 2


@pytest.mark.parametrize("name", OF_POINTS)
def test_every_condenser_of_points_has_it(name):
    condenser = at_resolution(getattr(presets, name)(), 4)
    assert condenser.plan([100], 16, Budget(ppc=3))[1] == [12]
    assert condenser.name == name


def test_the_set_has_it():
    clouds = blobs(num_points=12, per_class=9)
    fine, coarse = (
        condenser(clouds, budget=Budget(ppc=2))
        for condenser in (presets.random(), at_resolution(presets.random(), 4))
    )
    assert fine.nbytes == coarse.nbytes == 3 * 2 * 12 * 12
    assert (len(fine), fine.decode().num_points) == (6, 12)
    assert (len(coarse), coarse.decode().num_points) == (18, 4)


def test_real_clouds_that_a_coarse_set_is_compared_with_follow():
    assert at_resolution(presets.coarse(), 128).real_points == 128
    assert at_resolution(presets.dm(), 128).real_points is None
    modes = at_resolution(presets.shape_model(), 128)
    assert modes.parameterization == replace(presets.shape_model().parameterization, num_points=128)


def test_what_has_no_resolution_of_its_own_is_refused():
    with pytest.raises(
        InputError, match="resolution=64: the points of Anchors follow from its other settings"
    ):
        at_resolution(replace(presets.random(), parameterization=Anchors()), 64)
    with pytest.raises(InputError, match="num_points=13 per stored cloud, but the clouds have 12"):
        at_resolution(presets.random(), 13).plan([9], 12, Budget(ppc=2))


@pytest.mark.parametrize(("config", "choice"), [("distill", "condenser=dm"), ("cl_run", "buffer=dm")])
def test_both_scripts_take_it(config, choice):
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        composed = compose(config, [choice, "resolution=256"])
        assert build_condenser(composed).parameterization == Points(num_points=256)
        assert build_condenser(compose(config, [choice])).parameterization == Points()
        with pytest.raises(InputError, match=r"resolution=0: give a whole number from 1"):
            build_condenser(compose(config, [choice, "resolution=0"]))
