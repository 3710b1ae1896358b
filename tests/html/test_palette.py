"""Colours that can be told from the ground and from each other, whatever colour is missing."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from cl3d.html.palette import GROUNDS, RAMP, SERIES, contrast, css_variables, ink_on, on_ramp

# linear RGB as it is seen with a kind of cones missing (Machado, Oliveira and Fernandes, 2009, severity 1)
SEEN = {
    "all": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9309, 0.1476], [0.0047, 0.6914, 0.3039]],
}
LEAST_APART = 10.0
"""CIELAB units; 2.3 can just be noticed."""


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]
    x, y, z = (to_xyz @ rgb.clip(0, 1)) / [0.9505, 1.0, 1.0888]
    f = [np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", SERIES)
def test_colours_and_text_stand_out_from_their_ground(theme):
    named = GROUNDS[theme]
    for ground in (named["page"], named["panel"]):
        assert min(contrast(colour, ground) for colour in SERIES[theme]) >= 3
        assert contrast(named["ink"], ground) >= 7
        assert contrast(named["muted"], ground) >= 4.5


@pytest.mark.parametrize("theme", SERIES)
@pytest.mark.parametrize("sight", SEEN)
def test_no_two_colours_look_alike(theme, sight):
    seen = [lab(np.array(SEEN[sight]) @ linear(colour)) for colour in SERIES[theme]]
    apart = [float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)]
    assert min(apart) >= LEAST_APART


def test_the_ramp_grows_lighter_and_its_numbers_can_be_read():
    steps = [on_ramp(value / 50) for value in range(51)]
    light = [lab(linear(colour))[0] for colour in steps]
    assert all(a < b for a, b in pairwise(light))
    assert (steps[0], steps[-1]) == (RAMP[0], RAMP[-1])
    assert min(contrast(ink_on(colour), colour) for colour in steps) >= 4.5
    assert (on_ramp(-3), on_ramp(7)) == (RAMP[0], RAMP[-1])


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_every_theme_has_all_variables():
    style = css_variables()
    assert style.count("--series-7:") == 4
    assert style.count("--panel:") == 4
