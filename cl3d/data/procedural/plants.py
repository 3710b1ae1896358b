"""Plants: tree, conifer, cactus, potted plant."""

from __future__ import annotations

import math

import numpy as np

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import arc, box, cylinder, ellipsoid, rod, tube
from cl3d.data.procedural.surface import Surface


def tree(draw: Draw) -> Assembly:
    """A trunk under a broad crown: one ball, several, an umbrella, a palm or bare branches."""
    shape = Assembly()
    trunk, thick = draw.between(0.7, 1.6), draw.between(0.05, 0.12)
    shape.add("trunk", cylinder(1.2 * thick, trunk, 0.8 * thick))
    style, wide = draw.one_of("ball", "cluster", "umbrella", "palm", "bare"), draw.between(0.5, 0.95)
    if style == "ball":
        tall = draw.between(0.5, 1.0)
        shape.add("crown", ellipsoid(wide, tall, wide).moved(y=trunk + 0.7 * tall))
    elif style == "umbrella":
        shape.add("crown", ellipsoid(1.1 * wide, 0.25, 1.1 * wide).moved(y=trunk + 0.25))
        shape.add("trunk", *_branches(draw, 4, trunk, 0.6 * wide, 0.3, thick))
    elif style == "palm":
        shape.add("crown", *_fronds(draw, draw.whole(6, 9), trunk, wide))
    elif style == "bare":
        shape.add(
            "crown", *_branches(draw, draw.whole(6, 10), 0.6 * trunk, wide, draw.between(0.5, 1.0), thick)
        )
        shape.add("crown", *_branches(draw, draw.whole(4, 7), 0.95 * trunk, 0.7 * wide, 0.7, 0.8 * thick))
    else:
        for angle in range(0, 360, 360 // draw.whole(3, 5)):
            size = draw.between(0.45, 0.65) * wide
            x, z = 0.55 * wide * math.cos(math.radians(angle)), 0.55 * wide * math.sin(math.radians(angle))
            shape.add(
                "crown",
                ellipsoid(size, 0.85 * size, size, rows=8).moved(x, trunk + draw.between(0.1, 0.8), z),
            )
        shape.add("trunk", *_branches(draw, 3, 0.8 * trunk, 0.5 * wide, 0.4, thick))
    return shape


def conifer(draw: Draw) -> Assembly:
    """A trunk under a pointed crown: one cone, tiers of cones, or a slim cypress."""
    shape = Assembly()
    trunk, thick = draw.between(0.15, 0.6), draw.between(0.05, 0.12)
    wide, tall = draw.between(0.4, 0.8), draw.between(1.2, 2.2)
    shape.add("trunk", cylinder(thick, trunk + 0.3))
    style = draw.one_of("cone", "tiers", "tiers", "cypress", "whorls")
    if style == "cone":
        shape.add("crown", cylinder(wide, tall, 0.0).moved(y=trunk))
    elif style == "cypress":
        shape.add("crown", ellipsoid(0.5 * wide, 0.5 * tall, 0.5 * wide).moved(y=trunk + 0.48 * tall))
    elif style == "tiers":
        count, overlap = draw.whole(2, 5), draw.between(1.2, 1.7)
        for i in range(count):
            size = wide * (1 - draw.between(0.65, 0.8) * i / count)
            cone = cylinder(size, overlap * tall / count, draw.one_of(0.0, 0.3) * size)
            shape.add("crown", cone.moved(y=trunk + i * tall / count))
    else:
        shape.add("trunk", rod((0, trunk, 0), (0, trunk + tall, 0), 0.7 * thick, 0.02))
        for i in range(5):
            shape.add("crown", *_whorl(draw, wide * (1 - 0.17 * i), trunk + 0.1 + i * 0.19 * tall))
    return shape


def cactus(draw: Draw) -> Assembly:
    """A fleshy column with arms, a ribbed barrel, or a stack of pads; some stand in a pot."""
    shape = Assembly()
    style = draw.one_of("column", "column", "barrel", "pads")
    if style == "column":
        _column(draw, shape)
    elif style == "barrel":
        size, tall = draw.between(0.4, 0.6), draw.between(0.35, 0.8)
        angles = range(0, 180, 180 // draw.whole(3, 5))
        for angle in angles:
            shape.add("stem", ellipsoid(size, tall, 0.25 * size).turned("y", angle).moved(y=0.85 * tall))
        shape.add("flower", cylinder(0.1, 0.15, 0.3 * size).moved(y=1.8 * tall))
    else:
        shape.add("stem", ellipsoid(0.32, 0.45, 0.09).moved(y=0.4))
        for side in (-1, 1):
            lean, size = draw.between(15, 50), draw.between(0.7, 1.0)
            pad = ellipsoid(0.26 * size, 0.38 * size, 0.08).moved(y=0.33 * size).turned("z", -side * lean)
            shape.add("arm", pad.moved(x=side * 0.15, y=0.72))
            if draw.chance(0.6):
                small = ellipsoid(0.18, 0.26, 0.07).moved(y=0.25).turned("z", -side * draw.between(0, 40))
                shape.add(
                    "arm",
                    small.moved(side * (0.15 + 0.6 * math.sin(math.radians(lean)) * size), 0.75 + 0.5 * size),
                )
    if draw.chance(0.3):
        size = draw.between(0.3, 0.45)
        shape.add("pot", cylinder(0.7 * size, 0.45, size).moved(y=-0.35))
    return shape


def potted_plant(draw: Draw) -> Assembly:
    """Leaves out of a pot: blades, broad leaves on stalks, a bush or a small tree."""
    shape = Assembly()
    size, tall = draw.between(0.2, 0.38), draw.between(0.25, 0.55)
    if draw.chance(0.25):
        shape.add("pot", box(1.6 * size, tall, 1.6 * size, draw.between(1.0, 1.25)))
    else:
        shape.add("pot", cylinder(size * draw.between(0.6, 0.9), tall, size))
        shape.add("pot", cylinder(1.1 * size, 0.1, closed=False).moved(y=tall - 0.06))
    style = draw.one_of("blades", "stalks", "bush", "standard", "hanging")
    if style == "bush":
        for _ in range(draw.whole(3, 5)):
            x, z = 0.5 * size * draw.between(-1, 1), 0.5 * size * draw.between(-1, 1)
            ball = draw.between(0.7, 1.2) * size
            shape.add("leaf", ellipsoid(ball, ball, ball, rows=7).moved(x, tall + ball, z))
        return shape
    if style == "standard":
        stem, ball = draw.between(0.3, 0.7), draw.between(0.28, 0.45)
        shape.add("stem", rod((0, tall, 0), (0, tall + stem, 0), 0.04))
        shape.add("leaf", ellipsoid(ball, ball, ball).moved(y=tall + stem + 0.8 * ball))
        return shape
    count, length = draw.whole(6, 12), draw.between(0.6, 1.2)
    turn = draw.between(0, 90)
    for i in range(count):
        angle = turn + i * 360 / count + draw.between(-20, 20)
        shape.add(*_leaf(draw, style, length * draw.between(0.7, 1.1), angle, size, tall))
    if style == "stalks":
        shape.add("stem", rod((0, tall, 0), (0, tall + 0.5 * length, 0), 0.03))
    return shape


def _branches(draw: Draw, count: int, level: float, reach: float, rise: float, thick: float) -> list[Surface]:
    turn, made = draw.between(0, 360), []
    for i in range(count):
        angle = math.radians(turn + i * 360 / count + draw.between(-15, 15))
        far, start = reach * draw.between(0.6, 1.0), level * draw.between(0.9, 1.05)
        end = (far * math.cos(angle), start + rise * draw.between(0.6, 1.2), far * math.sin(angle))
        made.append(rod((0, start, 0), end, 0.5 * thick, 0.2 * thick, sides=6))
    return made


def _fronds(draw: Draw, count: int, level: float, reach: float) -> list[Surface]:
    bend = draw.between(0.3, 0.9)
    t = np.linspace(0, 1, 7)
    curve = np.stack((reach * t, level + bend * 0.6 * (t - 1.6 * t**2), 0 * t), axis=1)
    frond = tube(curve, 0.16 * np.sin(np.pi * (0.1 + 0.85 * t)), sides=6)
    # leaves are flat: thin in height about the line that they follow
    spine = np.interp(frond.vertices[:, 0], curve[:, 0], curve[:, 1])
    frond.vertices[:, 1] = spine + 0.2 * (frond.vertices[:, 1] - spine)
    return [frond.turned("y", i * 360 / count + draw.between(-10, 10)) for i in range(count)]


def _whorl(draw: Draw, reach: float, level: float) -> list[Surface]:
    count, turn, drop = draw.whole(6, 9), draw.between(0, 60), draw.between(-0.3, 0.1)
    branch = ellipsoid(0.5 * reach, 0.04, 0.1, rows=5).moved(x=0.5 * reach).turned("z", math.degrees(drop))
    return [branch.turned("y", turn + i * 360 / count).moved(y=level) for i in range(count)]


def _column(draw: Draw, shape: Assembly) -> None:
    tall, thick = draw.between(1.0, 1.8), draw.between(0.1, 0.2)
    shape.add("stem", cylinder(thick, tall), ellipsoid(thick, thick, thick, rows=6).moved(y=tall))
    turn = draw.between(-40, 40)
    for i in range(draw.whole(1, 3)):
        out, rise = thick + draw.between(0.2, 0.35), draw.between(0.2, 0.6)
        bend = out * 0.5
        corner = arc(bend, -90, 0, 5, (out - bend, bend, 0))
        curve = np.concatenate(([(0, 0, 0)], corner, [(out, bend + rise, 0)]))
        arm = tube(curve, 0.65 * thick).moved(y=draw.between(0.2, 0.6) * tall)
        shape.add("arm", arm.turned("y", turn + 180 * (i % 2) + draw.between(-25, 25) + 90 * (i // 2)))


def _leaf(
    draw: Draw, style: str, length: float, angle: float, size: float, level: float
) -> tuple[str, Surface]:
    if style == "blades":
        lean = draw.between(5, 40)
        blade = ellipsoid(0.08, 0.5 * length, 0.02, rows=6).moved(y=0.5 * length).turned("z", -lean)
    elif style == "stalks":
        lean = draw.between(20, 75)
        blade = ellipsoid(0.15, 0.28, 0.025, rows=6).moved(y=0.6 * length).turned("z", -lean)
    else:
        t = np.linspace(0, 1, 6)
        curve = np.stack((size * (0.2 + 1.6 * t), 0.35 * (t - 2.2 * t**2) * length + 0.02, 0 * t), axis=1)
        blade = tube(curve, 0.05, sides=6)
    return "leaf", blade.turned("y", angle).moved(y=level)


CLASSES = (
    ShapeClass("tree", ("trunk", "crown"), tree),
    ShapeClass("conifer", ("trunk", "crown"), conifer),
    ShapeClass("cactus", ("stem", "arm", "flower", "pot"), cactus),
    ShapeClass("potted_plant", ("pot", "stem", "leaf"), potted_plant),
)
