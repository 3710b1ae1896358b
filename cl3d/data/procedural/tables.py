"""Things to put things on or in: table, desk, nightstand, dresser."""

from __future__ import annotations

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import box, cylinder, ellipsoid, rod
from cl3d.data.procedural.supports import legs, panels, support
from cl3d.data.procedural.surface import Surface


def table(draw: Draw) -> Assembly:
    """A rectangular, round or oval top on legs, a pedestal, a sled or panels."""
    shape = Assembly()
    width, depth, height = draw.between(0.8, 1.9), draw.between(0.7, 1.0), draw.between(0.4, 1.0)
    thick, style = draw.between(0.03, 0.09), draw.one_of("rectangle", "rectangle", "square", "round", "oval")
    if style in ("round", "square"):
        width = depth
    if style in ("round", "oval"):
        shape.add("top", cylinder(0.5, thick).stretched(width, 1, depth).moved(y=height))
        shape.add("leg", *support(draw, 0.75 * width, 0.75 * depth, height))
        return shape
    shape.add("top", box(width, thick, depth).moved(y=height))
    shape.add("leg", *support(draw, width, depth, height))
    if draw.chance(0.3):
        shape.add("apron", box(0.85 * width, 0.12, 0.85 * depth).moved(y=height - 0.12))
    if draw.chance(0.2):
        shape.add("apron", box(0.8 * width, 0.03, 0.8 * depth).moved(y=draw.between(0.2, 0.4) * height))
    return shape


def desk(draw: Draw) -> Assembly:
    """A working top with a block of drawers on one or both sides, a back panel or shelves above."""
    shape = Assembly()
    width, depth, height = draw.between(1.1, 1.8), draw.between(0.55, 0.8), draw.between(0.65, 0.8)
    shape.add("top", box(width, draw.between(0.03, 0.07), depth).moved(y=height))
    block, side = draw.between(0.32, 0.45), draw.one_of(-1, 1)
    both = draw.chance(0.4)
    low = draw.one_of(0.0, 0.06, 0.35) * height
    for end in (-1, 1):
        x = end * 0.5 * (width - block)
        if both or end == side:
            shape.add(
                "drawer", *_drawers(draw, block, height - low, 0.9 * depth, 1, draw.whole(2, 4), x, low)
            )
    if not both or low > 0.1:
        shape.add("leg", *(panels if draw.chance(0.4) else legs)(draw, width, depth, height))
    if draw.chance(0.6):
        panel = draw.between(0.3, 0.9) * height
        shape.add("panel", box(0.95 * width, panel, 0.025).moved(y=height - panel, z=-0.42 * depth))
    if draw.chance(0.35):
        rise = draw.between(0.25, 0.6)
        shape.add("shelf", box(width, 0.03, 0.3 * depth).moved(y=height + rise, z=-0.35 * depth))
        shape.add("shelf", box(width, rise, 0.02).moved(y=height, z=-0.49 * depth))
        ends = [
            box(0.03, rise, 0.3 * depth).moved(x, height, -0.35 * depth)
            for x in (-0.48 * width, 0.48 * width)
        ]
        shape.add("shelf", *ends)
    return shape


def nightstand(draw: Draw) -> Assembly:
    """A small cabinet, closed or open, on legs or a plinth."""
    shape = Assembly()
    width, depth = draw.between(0.38, 0.55), draw.between(0.34, 0.48)
    body, foot = draw.between(0.25, 0.5), draw.one_of(0.03, draw.between(0.1, 0.3))
    total = body + foot
    shape.add("top", box(width * draw.between(1.02, 1.2), 0.03, depth * 1.06).moved(y=total))
    if draw.chance(0.5):
        shape.add("drawer", *_drawers(draw, width, body, depth, 1, draw.whole(1, 2), 0.0, foot))
    else:
        upper = draw.between(0.35, 0.5) * body
        shape.add("drawer", *_drawers(draw, width, upper, depth, 1, 1, 0.0, total - upper))
        shape.add("shelf", box(width, 0.03, depth).moved(y=foot))
        sides = [box(0.03, body, depth).moved(x=x, y=foot) for x in (-0.48 * width, 0.48 * width)]
        shape.add("shelf", *(sides if draw.chance(0.6) else legs(draw, width, depth, total)))
    shape.add(
        "leg", *([box(0.9 * width, foot, 0.9 * depth)] if foot < 0.05 else legs(draw, width, depth, foot))
    )
    return shape


def dresser(draw: Draw) -> Assembly:
    """A wide or tall chest with rows of drawers; some carry a mirror."""
    shape = Assembly()
    tall = draw.chance(0.35)
    width = draw.between(0.6, 0.9) if tall else draw.between(1.0, 1.7)
    height = draw.between(1.0, 1.4) if tall else draw.between(0.6, 0.95)
    depth, foot = draw.between(0.4, 0.55), draw.between(0.03, 0.18)
    columns, rows = (1 if tall else draw.whole(2, 3)), (draw.whole(4, 6) if tall else draw.whole(2, 4))
    shape.add("drawer", *_drawers(draw, width, height, depth, columns, rows, 0.0, foot))
    shape.add("top", box(1.05 * width, 0.04, 1.08 * depth).moved(y=height + foot))
    shape.add("leg", *legs(draw, width, depth, foot))
    if not tall and draw.chance(0.45):
        rise, level = draw.between(0.5, 0.9), height + foot + 0.04
        if draw.chance(0.5):
            mirror = cylinder(0.5, 0.03).stretched(0.6 * width, 1, rise).turned("x", 90).moved(y=rise / 2)
        else:
            mirror = box(draw.between(0.4, 0.9) * width, rise, 0.03)
        shape.add("mirror", mirror.moved(y=level, z=-0.42 * depth))
    return shape


def _drawers(
    draw: Draw, width: float, height: float, depth: float, columns: int, rows: int, x: float, y: float
) -> list[Surface]:
    """A case with protruding drawer fronts and a handle on each; its foot is at (x, y)."""
    made = [box(width, height, depth)]
    cell, rise = width / columns, height / rows
    gap, knobs = draw.between(0.8, 0.92), draw.chance(0.5)
    for column in range(columns):
        for row in range(rows):
            at = (column + 0.5) * cell - width / 2
            front = box(gap * cell, gap * rise, 0.03).moved(at, (row + 0.5 - gap / 2) * rise, depth / 2)
            middle = (row + 0.5) * rise
            if knobs:
                handle = ellipsoid(0.025, 0.025, 0.025, rows=5).moved(at, middle, depth / 2 + 0.035)
            else:
                ends = (
                    (at - 0.2 * cell, middle, depth / 2 + 0.04),
                    (at + 0.2 * cell, middle, depth / 2 + 0.04),
                )
                handle = rod(*ends, 0.014)
            made += [front, handle]
    return [surface.moved(x, y) for surface in made]


CLASSES = (
    ShapeClass("table", ("top", "leg", "apron"), table),
    ShapeClass("desk", ("top", "leg", "drawer", "panel", "shelf"), desk),
    ShapeClass("nightstand", ("top", "leg", "drawer", "shelf"), nightstand),
    ShapeClass("dresser", ("top", "leg", "drawer", "mirror"), dresser),
)
