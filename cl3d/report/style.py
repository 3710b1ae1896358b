"""Colours and markers that pictures share."""

from __future__ import annotations

from typing import Any

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#B08900", "#4D4D4D", "#7B3FA0")
"""Colours that stay apart for the colour-blind: Okabe and Ito's, the yellow darkened for white paper."""

MARKERS = "osD^vPX"
LINES = ("-", "-.", ":")
"""Dashed lines are for bounds."""


def curve_style(index: int) -> dict[str, Any]:
    """Matplotlib's keywords for the curve of that number: when colours come again, the line is another."""
    return {
        "color": PALETTE[index % len(PALETTE)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": LINES[index // len(PALETTE) % len(LINES)],
    }
