"""The 40 classes and their parts, in the order of their labels."""

from __future__ import annotations

from cl3d.data.procedural import (
    animals,
    beds,
    buildings,
    craft,
    instruments,
    lamps,
    plants,
    road,
    seats,
    tables,
    tools,
    vessels,
)
from cl3d.data.procedural.assembly import ShapeClass

_FAMILIES = (seats, road, vessels, plants, tables, tools, craft, lamps, beds, instruments, buildings, animals)


def _interleaved() -> tuple[ShapeClass, ...]:
    # families take turns, so that the first classes are already a mixture of them
    families = [family.CLASSES for family in _FAMILIES]
    longest = max(len(classes) for classes in families)
    return tuple(classes[turn] for turn in range(longest) for classes in families if turn < len(classes))


CLASSES: tuple[ShapeClass, ...] = _interleaved()
"""All classes; a class keeps its label when only the first ones are used."""

PART_NAMES: tuple[str, ...] = tuple(f"{kind.name}/{part}" for kind in CLASSES for part in kind.parts)
"""One name per part label over all classes, e.g. ``"chair/leg"``."""
