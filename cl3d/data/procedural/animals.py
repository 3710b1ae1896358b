"""Animals: dog, bird. They look towards +x."""

from __future__ import annotations

import math

import numpy as np

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import box, cylinder, ellipsoid, prism, rod, tube
from cl3d.data.procedural.surface import Surface


def dog(draw: Draw) -> Assembly:
    """A standing or sitting dog, from long and low to slim and tall."""
    shape = Assembly()
    length, girth, leg = draw.between(0.7, 1.3), draw.between(0.16, 0.28), draw.between(0.2, 0.7)
    sitting, thick = draw.chance(0.25), draw.between(0.04, 0.075)
    lean = draw.between(35, 55) if sitting else draw.between(-5, 5)
    trunk = [
        ellipsoid(0.55 * length, girth, 0.85 * girth),
        ellipsoid(0.28 * length, 1.1 * girth, girth).moved(x=0.25 * length),
    ]
    shape.add("body", *(s.turned("z", lean).moved(y=leg + girth) for s in trunk))
    cos, sin = math.cos(math.radians(lean)), math.sin(math.radians(lean))
    front, rear = 0.38 * length * cos, -0.38 * length * cos
    chest, rump = leg + girth + 0.38 * length * sin, leg + girth - 0.38 * length * sin
    floor = min(0.0, rump - girth) if sitting else 0.0
    for z in (-0.65 * girth, 0.65 * girth):
        shape.add("leg", rod((front, chest - 0.5 * girth, z), (front + 0.03, floor, z), thick, 0.8 * thick))
        if sitting:
            shape.add("leg", ellipsoid(0.22, 0.16, 0.08).moved(rear + 0.15, floor + 0.14, 1.3 * z))
        else:
            knee = (rear - 0.06, 0.45 * leg, z)
            shape.add(
                "leg",
                rod((rear, leg + 0.6 * girth, z), knee, 1.4 * thick, thick),
                rod(knee, (rear + 0.02, 0, z), thick),
            )
    neck = (front + draw.between(0.1, 0.25), chest + draw.between(0.15, 0.45), 0.0)
    shape.add("body", rod((front, chest, 0), neck, 0.6 * girth, 0.45 * girth))
    shape.add("head", *(s.moved(*neck) for s in _dog_head(draw, draw.between(0.13, 0.2))))
    reach, curl = draw.between(0.15, 0.5), draw.between(-0.6, 1.5)
    t = np.linspace(0, 1, 6)
    tail = np.stack((rear - 0.4 * girth - reach * t, rump + 0.3 * girth + curl * reach * t**2, 0 * t), axis=1)
    shape.add("tail", tube(tail, 0.04))
    return shape


def bird(draw: Draw) -> Assembly:
    """A bird that flies, perches, swims or wades."""
    shape = Assembly()
    style = draw.one_of("flying", "perching", "swimming", "wading")
    long, girth = draw.between(0.4, 0.6), draw.between(0.16, 0.3)
    tilt = {"flying": 0, "perching": 40, "swimming": 0, "wading": 15}[style] + draw.between(-10, 10)
    shape.add("body", ellipsoid(long, girth, 0.85 * girth).turned("z", tilt))
    cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    neck = {"flying": 0.1, "perching": 0.08, "swimming": 0.35, "wading": 0.5}[style] * draw.between(0.7, 1.3)
    start = (0.8 * long * cos, 0.8 * long * sin, 0.0)
    ahead = neck if style == "flying" else 0.35 * neck
    head = (start[0] + ahead, start[1] + (0.3 if style == "flying" else 1.0) * neck + 0.08, 0.0)
    size, beak = draw.between(0.1, 0.15), draw.between(0.1, 0.35)
    shape.add("body", rod(start, head, 0.6 * size, 0.5 * size))
    shape.add("head", ellipsoid(size, size, 0.9 * size).moved(*head))
    shape.add("beak", rod(head, (head[0] + size + beak, head[1] - 0.04, 0), 0.5 * size, 0.01))
    fan = prism(
        [(0, -0.05), (0, 0.05), (-draw.between(0.25, 0.5), draw.between(0.08, 0.2)), (-0.3, -0.14)], 0.03
    )
    rear = (-0.85 * long * cos, -0.85 * long * sin)
    shape.add("tail", fan.turned("x", 90).turned("z", tilt).moved(*rear))
    _wings(draw, shape, style, long, girth, tilt)
    if style in ("perching", "wading"):
        drop, part = (
            draw.between(0.2, 0.35) if style == "perching" else draw.between(0.6, 1.0),
            draw.between(-0.1, 0.1),
        )
        for z in (-0.08, 0.08):
            foot = -0.7 * girth - drop
            shape.add("leg", rod((part, -0.5 * girth, z), (part, foot, z), 0.022))
            shape.add("leg", box(0.16, 0.03, 0.08).moved(part + 0.05, foot, z))
    return shape


def _dog_head(draw: Draw, size: float) -> list[Surface]:
    snout = draw.between(0.8, 1.8) * size
    made = [
        ellipsoid(1.15 * size, size, 0.9 * size),
        rod((0, -0.2 * size, 0), (size + 0.6 * snout, -0.35 * size, 0), 0.55 * size, 0.35 * size),
    ]
    ear = draw.one_of("up", "hanging")
    for side in (-1, 1):
        if ear == "up":
            made.append(
                cylinder(0.35 * size, 1.1 * size, 0.0).moved(-0.3 * size, 0.6 * size, side * 0.5 * size)
            )
        else:
            made.append(
                ellipsoid(0.4 * size, 0.8 * size, 0.12 * size, rows=6).moved(
                    -0.2 * size, -0.3 * size, side * 0.95 * size
                )
            )
    return made


def _wings(draw: Draw, shape: Assembly, style: str, long: float, girth: float, tilt: float) -> None:
    if style == "flying" or draw.chance(0.15):
        span, lift, back = draw.between(0.7, 1.3), draw.between(-20, 35), draw.between(0.0, 0.4)
        outline = [(0.25, 0), (0.3, 0.5 * span), (0.1 - back, span), (-0.1, 0.55 * span), (-0.2, 0)]
        wing = prism(outline, 0.04).turned("x", 90).turned("x", -lift)
    else:
        wing = (
            ellipsoid(0.75 * long, 0.6 * girth, 0.06, rows=7)
            .turned("z", tilt)
            .moved(-0.15 * long, 0, 0.85 * girth)
        )
    shape.add("wing", wing, wing.stretched(z=-1))


CLASSES = (
    ShapeClass("dog", ("body", "leg", "head", "tail"), dog),
    ShapeClass("bird", ("body", "head", "beak", "tail", "wing", "leg"), bird),
)
