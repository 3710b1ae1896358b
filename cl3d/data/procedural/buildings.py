"""Buildings: house, church."""

from __future__ import annotations

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import box, cylinder, ellipsoid, prism, rod
from cl3d.data.procedural.surface import Surface


def house(draw: Draw) -> Assembly:
    """Walls under a gabled, hipped, flat or shed roof; perhaps an annex, a porch, a chimney."""
    shape = Assembly()
    width, depth, height = draw.between(1.6, 2.8), draw.between(1.3, 2.0), draw.between(0.9, 1.9)
    shape.add("wall", box(width, height, depth))
    style = draw.one_of("gable", "gable", "hip", "flat", "shed")
    rise = draw.between(0.5, 1.1)
    shape.add("roof", *(s.moved(y=height) for s in _roof(style, width, depth, rise)))
    if draw.chance(0.6) and style != "flat":
        chimney = box(0.22, draw.between(0.5, 0.8) + 0.5 * rise, 0.22)
        shape.add(
            "chimney", chimney.moved(draw.between(-0.35, 0.35) * width, height + 0.2 * rise, -0.15 * depth)
        )
    shape.add(
        "door", box(0.4, min(0.75, 0.8 * height), 0.1).moved(draw.between(-0.3, 0.3) * width, 0, depth / 2)
    )
    for level in (0.35, 1.1):
        if level + 0.4 < height:
            spots = [part * width for part in (-0.36, 0.0, 0.36)]
            shape.add("window", *(box(0.3, 0.35, 0.08).moved(x, level, depth / 2) for x in spots))
    if draw.chance(0.4):
        side, wide, low = draw.one_of(-1, 1), draw.between(0.8, 1.3), draw.between(0.6, 0.85) * height
        at = side * 0.5 * (width + wide)
        shape.add("annex", box(wide, low, 0.8 * depth).moved(x=at))
        shape.add(
            "roof",
            *(s.moved(at, low) for s in _roof("shed" if style == "flat" else style, wide, 0.8 * depth, 0.5)),
        )
    if draw.chance(0.35):
        shape.add("porch", box(0.6 * width, 0.08, 0.5).moved(y=0.85, z=depth / 2 + 0.25))
        posts = [
            rod((x, 0, depth / 2 + 0.45), (x, 0.85, depth / 2 + 0.45), 0.05)
            for x in (-0.27 * width, 0.27 * width)
        ]
        shape.add("porch", *posts)
    return shape


def church(draw: Draw) -> Assembly:
    """A nave with one or two towers under spires, domes or battlements; its front is at +z."""
    shape = Assembly()
    width, length, height = draw.between(0.9, 1.4), draw.between(1.6, 2.8), draw.between(0.8, 1.3)
    ridge = draw.between(0.5, 0.9)
    shape.add("nave", box(width, height, length))
    shape.add("roof", *(s.turned("y", 90).moved(y=height) for s in _roof("gable", length, width, ridge)))
    side, tall = draw.between(0.4, 0.65), height + ridge + draw.between(0.1, 0.8)
    place = draw.one_of("front", "front", "pair", "crossing", "beside")
    spots = {
        "front": [(0.0, 0.5 * length)],
        "pair": [(-0.5 * width, 0.5 * length), (0.5 * width, 0.5 * length)],
        "crossing": [(0.0, -0.15 * length)],
        "beside": [(0.5 * (width + side), draw.between(-0.2, 0.35) * length)],
    }[place]
    top = draw.one_of("spire", "spire", "dome", "pyramid", "battlement")
    rise = draw.between(0.8, 1.5)
    for x, z in spots:
        shape.add("tower", box(side, tall, side).moved(x, 0, z))
        shape.add("spire", *(s.moved(x, tall, z) for s in _spire(top, side, rise)))
    if place == "crossing" or draw.chance(0.3):
        shape.add("transept", box(width + draw.between(0.8, 1.4), 0.9 * height, 0.7).moved(z=-0.15 * length))
    if draw.chance(0.5):
        shape.add(
            "apse",
            cylinder(0.42 * width, 0.8 * height),
            cylinder(0.45 * width, 0.4, 0.0).moved(y=0.8 * height),
        )
        shape.pieces[-2:] = [(part, s.moved(z=-length / 2)) for part, s in shape.pieces[-2:]]
    return shape


def _roof(style: str, width: float, depth: float, rise: float) -> list[Surface]:
    """A roof with eaves, its ridge along x, over walls of this size; it stands on y = 0."""
    half, eaves = 0.5 * depth + 0.12, width + 0.2
    if style == "flat":
        return [box(eaves, 0.14, 2 * half)]
    if style == "hip":
        roof = box(eaves, rise, 2 * half, 0.0)
        ridge = roof.vertices.copy()
        upper = ridge[:, 1] > 0.5 * rise
        ridge[upper, 0] = [s * 0.2 * width for s in (-1, -1, 1, 1)]
        return [Surface(ridge, roof.faces)]
    peak = 0.0 if style == "gable" else -half
    return [
        prism([(-half, 0), (half, 0), (peak, rise if style == "gable" else 0.7 * rise)], eaves).turned(
            "y", 90
        )
    ]


def _spire(style: str, side: float, rise: float) -> list[Surface]:
    if style == "spire":
        return [cylinder(0.6 * side, rise, 0.0), *_cross(rise, 0.3)]
    if style == "pyramid":
        return [box(1.15 * side, 0.6 * rise, 1.15 * side, 0.0), *_cross(0.6 * rise, 0.25)]
    if style == "dome":
        return [ellipsoid(0.62 * side, 0.7 * side, 0.62 * side).moved(y=0.35 * side), *_cross(side, 0.35)]
    corner = 0.42 * side
    return [
        box(0.2 * side, 0.3, 0.2 * side).moved(x, 0, z) for x in (-corner, corner) for z in (-corner, corner)
    ]


def _cross(level: float, size: float) -> list[Surface]:
    upright = box(0.05, size, 0.05).moved(y=level - 0.03)
    return [upright, box(0.6 * size, 0.05, 0.05).moved(y=level + 0.55 * size)]


CLASSES = (
    ShapeClass("house", ("wall", "roof", "chimney", "door", "window", "annex", "porch"), house),
    ShapeClass("church", ("nave", "roof", "tower", "spire", "transept", "apse"), church),
)
