"""Things to lie on: bed, bunk bed."""

from __future__ import annotations

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import box, cylinder, ellipsoid, rod
from cl3d.data.procedural.surface import Surface


def bed(draw: Draw) -> Assembly:
    """A mattress on a frame with a headboard; some have a footboard or a canopy."""
    shape = Assembly()
    width, length, level = draw.between(0.9, 1.9), draw.between(1.9, 2.2), draw.between(0.1, 0.35)
    frame = draw.between(0.08, 0.25)
    shape.add("frame", box(width, frame, length).moved(y=level))
    mattress = box(0.96 * width, draw.between(0.12, 0.25), 0.97 * length, 0.97).moved(y=level + frame)
    shape.add("mattress", mattress)
    top = float(mattress.vertices[:, 1].max())
    shape.add("pillow", *_pillows(draw, width, length, top))
    rise = draw.between(0.25, 0.8)
    shape.add("headboard", *_board(draw, width, top + rise, -length / 2))
    if draw.chance(0.4):
        shape.add("headboard", *_board(draw, width, top + draw.between(0.05, 0.5) * rise, length / 2))
    posts = [(sx * 0.48 * width, sz * 0.48 * length) for sx in (-1, 1) for sz in (-1, 1)]
    if draw.chance(0.2):
        height = draw.between(1.7, 2.2)
        shape.add("leg", *(rod((x, 0, z), (x, height, z), 0.035) for x, z in posts))
        shape.add("canopy", box(width, 0.05, length).moved(y=height))
    else:
        shape.add("leg", *(rod((x, 0, z), (x, level, z), 0.05) for x, z in posts))
    return shape


def bunk_bed(draw: Draw) -> Assembly:
    """Two beds, one above the other, with a ladder; under some upper beds there is only a desk."""
    shape = Assembly()
    width, length = draw.between(0.8, 1.1), draw.between(1.8, 2.1)
    lower, upper, thick = draw.between(0.2, 0.45), draw.between(1.2, 1.6), draw.between(0.1, 0.2)
    height = upper + draw.between(0.25, 0.6)
    for sx in (-1, 1):
        for sz in (-1, 1):
            shape.add("post", box(0.08, height, 0.08).moved(sx * 0.5 * width, 0, sz * 0.5 * length))
    shape.add("mattress", box(width, thick, length).moved(y=upper))
    if draw.chance(0.2):
        shape.add("mattress", box(0.6 * width, 0.04, length).moved(x=-0.2 * width, y=0.72))
    else:
        shape.add("mattress", box(width * draw.one_of(1.0, 1.0, 1.3), thick, length).moved(y=lower))
    rail, sides = draw.between(0.1, 0.35), draw.one_of((-1,), (-1, 1))
    for side in sides:
        shape.add("rail", box(0.03, rail, 0.9 * length).moved(side * 0.5 * width, upper + thick))
    for end in (-1, 1):
        shape.add("rail", box(width, rail, 0.03).moved(0, upper + thick, end * 0.5 * length))
    shape.add("ladder", *_ladder(draw, width, length, upper + thick))
    return shape


def _pillows(draw: Draw, width: float, length: float, top: float) -> list[Surface]:
    count = 1 if width < 1.2 else 2
    size = 0.4 * width / count
    spots = [(i + 0.5) * width / count - width / 2 for i in range(count)]
    return [ellipsoid(size, 0.08, 0.2).moved(x, top + 0.05, -0.38 * length) for x in spots]


def _board(draw: Draw, width: float, height: float, z: float) -> list[Surface]:
    style = draw.one_of("panel", "panel", "bars", "arch")
    if style == "panel":
        return [box(1.04 * width, height, draw.between(0.04, 0.12)).moved(z=z)]
    if style == "arch":
        arch = cylinder(0.52 * width, 0.05).stretched(1, 1, 0.5 * height / width).turned("x", 90)
        return [box(1.04 * width, 0.75 * height, 0.05).moved(z=z), arch.moved(y=0.75 * height, z=z - 0.025)]
    count = draw.whole(4, 8)
    spots = [(i / (count - 1) - 0.5) * width for i in range(count)]
    bars = [rod((x, 0.2 * height, z), (x, height, z), 0.022) for x in spots]
    return [*bars, rod((-width / 2, height, z), (width / 2, height, z), 0.035)]


def _ladder(draw: Draw, width: float, length: float, height: float) -> list[Surface]:
    slant, z, half = draw.one_of(0.02, 0.35), draw.between(-0.3, 0.35) * length, draw.between(0.15, 0.22)
    x, steps = 0.5 * width + 0.05, draw.whole(3, 5)
    made = [rod((x + slant, 0, z + s * half), (x, height, z + s * half), 0.025) for s in (-1, 1)]
    for i in range(steps):
        part = (i + 0.7) / steps
        at = x + slant * (1 - part)
        made.append(rod((at, part * height, z - half), (at, part * height, z + half), 0.025))
    return made


CLASSES = (
    ShapeClass("bed", ("frame", "mattress", "pillow", "headboard", "leg", "canopy"), bed),
    ShapeClass("bunk_bed", ("post", "mattress", "rail", "ladder"), bunk_bed),
)
