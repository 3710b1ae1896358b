"""The frame of a chart in a page: scales, ticks and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from cl3d.html.markup import joined

WIDTH, HEIGHT = 400, 240
"""Of the drawing, in units of which letters are 11 high; it takes the width of its place."""

LEFT, RIGHT, TOP, BOTTOM = 50, 12, 10, 42


@dataclass(frozen=True)
class Axes:
    """Places of values within the frame.

    Attributes:
        x, y: the least and largest value along each axis.
    """

    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        """The place of an x."""
        low, high = self.x
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / ((high - low) or 1.0)

    def up(self, value: float) -> float:
        """The place of a y; that of larger ones is less."""
        low, high = self.y
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / ((high - low) or 1.0)

    def grid(self, x_label: str, y_label: str, ticks: Sequence[tuple[float, str]]) -> Markup:
        """Lines at round y, the given x ticks, and what the axes are called."""
        lines = joined(
            Markup(
                "<line class=grid x1='{}' x2='{}' y1='{:.1f}' y2='{:.1f}'/>"
                "<text x='{}' y='{:.1f}' text-anchor=end>{}</text>"
            ).format(LEFT, WIDTH - RIGHT, self.up(y), self.up(y), LEFT - 6, self.up(y) + 4, f"{y:,g}")
            for y in round_values(*self.y)
        )
        names = joined(
            Markup("<text x='{:.1f}' y='{}' text-anchor=middle>{}</text>").format(
                self.across(x), HEIGHT - BOTTOM + 16, name
            )
            for x, name in ticks
        )
        return joined(
            [
                lines,
                names,
                Markup("<text x='{}' y='{}' text-anchor=middle>{}</text>").format(
                    (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_label
                ),
                Markup("<text transform='translate(12 {}) rotate(-90)' text-anchor=middle>{}</text>").format(
                    (TOP + HEIGHT - BOTTOM) / 2, y_label
                ),
            ]
        )


def round_values(low: float, high: float, most: int = 5) -> list[float]:
    """A few round numbers from ``low`` to ``high``."""
    ticks = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in ticks if low - 1e-9 <= tick <= high * (1 + 1e-9) + 1e-12]


def span_of(values: Sequence[float]) -> tuple[float, float]:
    """From 0 to a little above the largest value; below 0 where there are such."""
    low, high = min([0.0, *values]), max([0.0, *values])
    return low, high + 0.05 * (high - low) or 1.0


def some(names: Sequence[str], most: int = 10) -> list[tuple[int, str]]:
    """So many of the names at most, evenly, with their positions."""
    step = -(-len(names) // most)
    return [(place, name) for place, name in enumerate(names) if place % step == 0]
