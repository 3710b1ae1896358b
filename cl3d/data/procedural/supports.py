"""What seats and tables stand on."""

from __future__ import annotations

import math

from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import box, cylinder, rod
from cl3d.data.procedural.surface import Surface


def support(draw: Draw, width: float, depth: float, height: float) -> list[Surface]:
    """Legs, a pedestal, a sled or side panels that carry a plate of this size at this height."""
    style = draw.one_of("legs", "legs", "legs", "pedestal", "sled", "panels", "crossed")
    if style == "legs":
        return legs(draw, width, depth, height)
    if style == "pedestal":
        return pedestal(draw, min(width, depth), height)
    if style == "sled":
        return sled(draw, width, depth, height)
    return panels(draw, width, depth, height) if style == "panels" else crossed(draw, width, depth, height)


def legs(draw: Draw, width: float, depth: float, height: float) -> list[Surface]:
    """Four legs: round or square, straight or splayed, perhaps with rungs."""
    inset, splay = draw.between(0.75, 0.95), draw.one_of(1.0, 1.0, draw.between(1.05, 1.35))
    thick, taper, sides = draw.between(0.02, 0.045), draw.between(0.5, 1.1), draw.one_of(4, 8)
    corners = [
        (sx * inset * width / 2, sz * inset * depth / 2) for sx, sz in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    made = [rod((x, height, z), (splay * x, 0, splay * z), thick, thick * taper, sides) for x, z in corners]
    if draw.chance(0.35):
        level, out = draw.between(0.15, 0.5) * height, 0.5 * (1 + splay)
        ends = [(out * x, level, out * z) for x, z in corners]
        made += [rod(a, b, 0.6 * thick) for a, b in zip(ends, ends[1:] + ends[:1], strict=True)]
    return made


def tripod(draw: Draw, radius: float, height: float, top: float = 0.8) -> list[Surface]:
    """Three splayed legs on a circle; their upper ends stand on one of ``top`` times its radius."""
    splay, thick, turn = draw.between(1.0, 1.5), draw.between(0.018, 0.035), draw.between(0, 120)
    made = []
    for angle in (turn, turn + 120, turn + 240):
        x, z = radius * math.cos(math.radians(angle)), radius * math.sin(math.radians(angle))
        made.append(rod((top * x, height, top * z), (splay * x, 0, splay * z), thick))
    return made


def pedestal(draw: Draw, width: float, height: float) -> list[Surface]:
    """A central column on a disc, a plate or a star."""
    column = cylinder(draw.between(0.05, 0.12) * width, height, draw.between(0.04, 0.1) * width)
    foot = draw.one_of("disc", "plate", "star")
    reach = draw.between(0.3, 0.5) * width
    if foot == "disc":
        return [column, cylinder(reach, 0.04 * height, 0.8 * reach)]
    if foot == "plate":
        return [column, box(1.8 * reach, 0.04 * height, 1.8 * reach)]
    count, turn = draw.whole(3, 5), draw.between(0, 90)
    spokes = [box(reach, 0.06 * height, 0.12 * width).moved(x=reach / 2) for _ in range(count)]
    return [column, *(s.turned("y", turn + i * 360 / count) for i, s in enumerate(spokes))]


def sled(draw: Draw, width: float, depth: float, height: float) -> list[Surface]:
    """Two bent frames with runners on the floor; the front or the back stays open on some."""
    thick, half, reach = draw.between(0.015, 0.03), 0.45 * width, 0.46 * depth
    open_side = draw.one_of("none", "back")
    made = []
    for x in (-half, half):
        made.append(rod((x, thick, -reach), (x, thick, reach), thick))
        made.append(rod((x, thick, reach), (x, height, reach), thick))
        if open_side == "none":
            made.append(rod((x, thick, -reach), (x, height, -reach), thick))
    return [*made, rod((-half, thick, -reach), (half, thick, -reach), thick)]


def panels(draw: Draw, width: float, depth: float, height: float) -> list[Surface]:
    """Two solid side panels, perhaps joined by a stretcher."""
    thick, inset = draw.between(0.03, 0.08), draw.between(0.35, 0.46) * width
    side = box(thick, height, draw.between(0.6, 0.95) * depth, draw.between(0.8, 1.0))
    made = [side.moved(x=-inset), side.moved(x=inset)]
    if draw.chance(0.5):
        made.append(box(2 * inset, 0.12 * height, 0.03).moved(y=draw.between(0.2, 0.7) * height))
    return made


def crossed(draw: Draw, width: float, depth: float, height: float) -> list[Surface]:
    """Two pairs of crossed legs, at the sides or at front and back."""
    thick, across = draw.between(0.02, 0.035), draw.chance(0.5)
    x, z = 0.43 * width, 0.43 * depth
    made = []
    for side in (-1, 1):
        for slope in (-1, 1):
            if across:
                start, end = (-slope * x, 0.0, side * z), (slope * x, height, side * z)
            else:
                start, end = (side * x, 0.0, -slope * z), (side * x, height, slope * z)
            made.append(rod(start, end, thick, sides=4))
    return made
