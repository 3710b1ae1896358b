"""The contents of a viewer as JSON: as many clouds as fit, those that are first in their class first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cl3d.html.exhibit import Cloud, Exhibit, moved
from cl3d.html.packing import pack, pack_moves, pack_parts

ROOM = 2_750_000
"""Characters that the clouds of a page may take."""

POINT, MOVE, PART = 8, 4, 4 / 3
"""Characters of a point of a shape, of its displacement, of its part."""

LEAST_MOVED = 1e-6
"""Mean displacement below which clouds are what they were."""


Rank = list[tuple[int, Cloud]]
"""The n-th clouds of all classes, each with its exhibit's position."""


@dataclass(frozen=True)
class Contents:
    """What a viewer is given.

    Attributes:
        json: for the page's script; see ``clouds.js``.
        notes: what is not shown, a sentence each.
    """

    json: dict[str, Any]
    notes: tuple[str, ...]


def contents(exhibits: Sequence[Exhibit], class_names: Sequence[str], room: int = ROOM) -> Contents:
    """Chooses what fits, and packs it.

    Of each class and set there is one cloud at least, with fewer points where that must be. Where clouds
    started from is left out before clouds are.

    Args:
        class_names: by label.
        room: characters for the clouds.
    """
    thinned = _thinned(exhibits, room)
    ranks = _ranks(thinned)
    chosen, shapes, left = _fitting(thinned, ranks, room)
    compared = _compared(ranks[:chosen], left)
    sets: list[dict[str, Any]] = [{"name": e.name, "free": e.any_resolution, "clouds": []} for e in thinned]
    for number, rank in enumerate(ranks[:chosen]):
        for place, cloud in rank:
            kept = cloud if number < compared else replace(cloud, initial=None)
            sets[place]["clouds"].append(_packed(thinned[place], kept, place, shapes))
    packed = [pack(thinned[place].shapes[number]) for place, number in shapes]
    json = {"classes": list(class_names), "shapes": packed, "sets": sets}
    return Contents(json, tuple(_notes(exhibits, thinned, ranks, chosen, compared)))


def _fitting(
    exhibits: Sequence[Exhibit], ranks: Sequence[Rank], room: float
) -> tuple[int, dict[tuple[int, int], int], float]:
    """How many ranks fit, the first one in any case; their shapes, numbered; and the room that is left."""
    shapes: dict[tuple[int, int], int] = {}
    for number, rank in enumerate(ranks):
        new = {(place, n): None for place, cloud in rank for n, _ in cloud.of if (place, n) not in shapes}
        cost = sum(PART * len(cloud.parts) for _, cloud in rank if cloud.parts is not None)
        cost += sum(POINT * len(exhibits[place].shapes[n]) for place, n in new)
        if number and cost > room:
            return number, shapes, room
        shapes |= {key: len(shapes) + count for count, key in enumerate(new)}
        room -= cost
    return len(ranks), shapes, room


def _compared(ranks: Sequence[Rank], room: float) -> int:
    """Of how many ranks it fits, too, where they started."""
    for number, rank in enumerate(ranks):
        room -= sum(MOVE * len(cloud.initial) for _, cloud in rank if cloud.initial is not None)
        if room < 0:
            return number
    return len(ranks)


def _packed(exhibit: Exhibit, cloud: Cloud, place: int, shapes: dict[tuple[int, int], int]) -> dict[str, Any]:
    packed: dict[str, Any] = {
        "class": cloud.label,
        "title": cloud.title,
        "of": [[shapes[place, number], float(f"{weight:.5g}")] for number, weight in cloud.of],
    }
    if cloud.kind != "cloud":
        packed["kind"] = cloud.kind
    if cloud.note:
        packed["note"] = cloud.note
    if cloud.parts is not None:
        packed["parts"] = pack_parts(cloud.parts)
    if cloud.initial is not None:
        points = exhibit.points_of(cloud)
        distance = moved(points, cloud.initial)
        if distance > LEAST_MOVED:
            packed["moves"] = pack_moves(cloud.initial - points)
            packed["moved"] = round(distance, 4)
    return packed


def _thinned(exhibits: Sequence[Exhibit], room: int) -> list[Exhibit]:
    """The exhibits with every k-th point, where the first cloud of each class alone is too much."""
    ranks = _ranks(exhibits)
    used = {(s, n) for s, cloud in (ranks[0] if ranks else ()) for n, _ in cloud.of}
    step = math.ceil(POINT * sum(len(exhibits[s].shapes[n]) for s, n in used) / room)
    if step <= 1:
        return list(exhibits)
    return [
        replace(
            exhibit,
            shapes=[shape[::step] for shape in exhibit.shapes],
            clouds=[
                replace(c, initial=_every(c.initial, step), parts=_every(c.parts, step))
                for c in exhibit.clouds
            ],
            num_points=math.ceil(exhibit.num_points / step),
        )
        for exhibit in exhibits
    ]


def _every(values: Any, step: int) -> Any:
    return None if values is None else values[::step]


def _ranks(exhibits: Sequence[Exhibit]) -> list[Rank]:
    """All first clouds of a class, all second ones, ..., each with its exhibit's position."""
    ranks: list[Rank] = []
    for place, exhibit in enumerate(exhibits):
        counts: dict[int, int] = {}
        for cloud in exhibit.clouds:
            rank = counts[cloud.label] = counts.get(cloud.label, -1) + 1
            if rank == len(ranks):
                ranks.append([])
            ranks[rank].append((place, cloud))
    return ranks


def _notes(
    exhibits: Sequence[Exhibit],
    thinned: Sequence[Exhibit],
    ranks: Sequence[Rank],
    chosen: int,
    compared: int,
) -> list[str]:
    notes = []
    if chosen < len(ranks):
        notes.append(
            f"The first {chosen} clouds of each class are shown of up to {len(ranks)}: all would not fit."
        )
    started = max(
        (n for n, rank in enumerate(ranks[:chosen], 1) for _, c in rank if c.initial is not None), default=0
    )
    if compared < started:
        notes.append(f"What clouds started from is shown of the first {compared} of each class.")
    for before, after in zip(exhibits, thinned, strict=True):
        if after.num_points < before.num_points:
            notes.append(f"Clouds are shown with {after.num_points:,} of their {before.num_points:,} points.")
    return list(dict.fromkeys(notes))
