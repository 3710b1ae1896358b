"""Row: what one unit of work came to."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """Figures, and what they are of.

    Attributes:
        task: what was done, such as ``condensing``.
        place: which unit of it, outermost first, counted from 1: ``(("step", 4), ("iteration", 41))``.
        figures: numbers by name; None where one is not known.
    """

    task: str
    place: tuple[tuple[str, int], ...]
    figures: Mapping[str, float | None]

    @property
    def key(self) -> str:
        """Tells rows apart; a run that was interrupted and goes on makes some of them again."""
        return json.dumps([self.task, self.place])

    @property
    def x(self) -> int:
        """Where the row stands on a curve: the innermost number of its place."""
        return self.place[-1][1] if self.place else 0

    def curves(self) -> Iterator[tuple[str, float]]:
        """Each known figure's curve, such as ``condensing/step_04/loss``, and its value there at ``x``."""
        outer = [f"{name}_{number:02d}" for name, number in self.place[:-1]]
        for name, value in self.figures.items():
            if value is not None and math.isfinite(value):
                yield "/".join([self.task, *outer, plain(name)]), float(value)


def plain(text: str) -> str:
    """A text as a name that files and curves may have."""
    return re.sub(r"[^\w.-]+", "_", text).strip("_") or "unnamed"


def flat(settings: Mapping[str, Any], head: str = "") -> dict[str, bool | int | float | str]:
    """Nested settings with dots in their names; lists as text, what is null left out."""
    found: dict[str, bool | int | float | str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{head}{name}.")
        elif value is not None:
            found[f"{head}{name}"] = value if isinstance(value, bool | int | float | str) else str(value)
    return found
