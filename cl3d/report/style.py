"""Colours and markers that pictures share."""

from __future__ import annotations

from typing import Any

from cl3d.html.palette import LIGHT

PALETTE = LIGHT
"""Colours of pictures on white paper."""

MARKERS = "os^DvP"
"""Those of curves in a page, in the same order: see ``charts/lines.py``."""

LINES = ("-", "-.", ":")
"""Dashed lines are for bounds."""


def curve_style(index: int) -> dict[str, Any]:
    """Matplotlib's keywords for the curve of that number: when colours come again, the line is another."""
    return {
        "color": PALETTE[index % len(PALETTE)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": LINES[index // len(PALETTE) % len(LINES)],
    }
