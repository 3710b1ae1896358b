"""Curves that can be told apart."""

from __future__ import annotations

from cl3d.report.style import LINES, MARKERS, PALETTE, curve_style


def test_no_two_of_many_curves_look_alike():
    styles = [tuple(curve_style(i).values()) for i in range(len(PALETTE) * len(LINES))]
    assert len(set(styles)) == len(styles)
    without_colour = {(marker, line) for _, marker, line in styles[: len(MARKERS)]}
    assert len(without_colour) == len(MARKERS), "the first ones differ in black and white, too"
