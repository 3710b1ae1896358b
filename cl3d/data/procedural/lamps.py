"""Lights: lamp, street lamp."""

from __future__ import annotations

import math

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import arc, box, cylinder, disc, ellipsoid, rod, tube
from cl3d.data.procedural.supports import tripod
from cl3d.data.procedural.surface import Surface


def lamp(draw: Draw) -> Assembly:
    """A lamp for a room: on a table, on the floor, with a jointed arm or an arched one."""
    shape = Assembly()
    style = draw.one_of("table", "floor", "jointed", "arch")
    foot = draw.between(0.14, 0.26)
    if style == "jointed":
        _jointed(draw, shape)
        return shape
    if style == "arch":
        rise, reach = draw.between(0.9, 1.4), draw.between(0.35, 0.6)
        curve = arc(reach, 180, 20, 11, (reach, rise, 0))
        shape.add("stem", tube([(0, 0, 0), *curve.tolist()], 0.022))
        size = draw.between(0.16, 0.26)
        end = curve[-1].tolist()
        shape.add("shade", cylinder(size, 0.7 * size, 0.3 * size).moved(end[0], end[1] - 0.7 * size, end[2]))
        shape.add("base", cylinder(foot, 0.05))
        return shape
    if style == "table":
        body, rise = draw.between(0.08, 0.16), draw.between(0.3, 0.5)
        stem = (
            ellipsoid(body, 0.5 * rise, body).moved(y=0.5 * rise)
            if draw.chance(0.5)
            else cylinder(0.5 * body, rise)
        )
        shape.add("stem", stem, rod((0, 0, 0), (0, rise + 0.15, 0), 0.02))
        size = draw.between(0.2, 0.32)
    else:
        rise, size = draw.between(1.1, 1.5), draw.between(0.2, 0.34)
        shape.add("stem", rod((0, 0, 0), (0, rise + 0.1, 0), 0.022))
    if style == "floor" and draw.chance(0.35):
        shape.add("base", *tripod(draw, draw.between(0.2, 0.3), 0.8 * rise, top=0.1))
    else:
        shape.add("base", cylinder(0.7 * foot if style == "table" else foot, 0.05))
    shape.add("shade", *(s.moved(y=rise) for s in _shade(draw, size)))
    return shape


def street_lamp(draw: Draw) -> Assembly:
    """A tall post with one or more heads on arms, or a lantern on top."""
    shape = Assembly()
    height, thick = draw.between(2.6, 4.0), draw.between(0.04, 0.08)
    shape.add("post", cylinder(1.3 * thick, height, 0.8 * thick))
    if draw.chance(0.7):
        shape.add("base", cylinder(draw.between(2.0, 3.2) * thick, draw.between(0.15, 0.5), 1.6 * thick))
    style = draw.one_of("arms", "arms", "lantern", "globes", "hook")
    if style == "lantern":
        size = draw.between(0.16, 0.26)
        shape.add("head", box(size, 1.5 * size, size, 1.7).moved(y=height))
        shape.add("head", box(2.2 * size, 0.7 * size, 2.2 * size, 0.0).moved(y=height + 1.5 * size))
        return shape
    count = draw.whole(1, 2) if style != "globes" else draw.whole(2, 4)
    reach, size = draw.between(0.5, 1.1), draw.between(0.12, 0.2)
    for i in range(count):
        for part, surface in _arm(draw, style, reach, size, height):
            shape.add(part, surface.turned("y", i * 360 / count))
    if style == "globes":
        shape.add("head", ellipsoid(size, size, size).moved(y=height + 0.8 * size))
    return shape


def _shade(draw: Draw, size: float) -> list[Surface]:
    style, tall = draw.one_of("cone", "drum", "ball", "bowl"), draw.between(0.18, 0.32)
    if style == "ball":
        return [ellipsoid(0.7 * size, 0.7 * size, 0.7 * size).moved(y=0.6 * size)]
    top = {"cone": 0.45, "drum": 0.95, "bowl": 1.5}[style]
    shade = cylinder(size / max(top, 1.0), tall, top * size / max(top, 1.0), closed=False)
    return [shade, disc(0.4 * size).moved(y=tall)] if draw.chance(0.4) else [shade]


def _jointed(draw: Draw, shape: Assembly) -> None:
    lower, upper = draw.between(0.35, 0.5), draw.between(0.3, 0.45)
    lean, bend = math.radians(draw.between(95, 130)), math.radians(draw.between(5, 50))
    elbow = (lower * math.cos(lean), lower * math.sin(lean), 0.0)
    end = (elbow[0] + upper * math.cos(bend), elbow[1] + upper * math.sin(bend), 0.0)
    shape.add(
        "stem",
        rod((0, 0, 0), elbow, 0.02),
        rod(elbow, end, 0.018),
        ellipsoid(0.035, 0.035, 0.035).moved(*elbow),
    )
    size = draw.between(0.1, 0.15)
    shade = cylinder(size, 1.4 * size, 0.4 * size, closed=False).moved(y=-1.4 * size)
    shape.add("shade", shade.turned("z", draw.between(0, 50)).moved(*end))
    shape.add("base", cylinder(draw.between(0.12, 0.18), 0.04))


def _arm(draw: Draw, style: str, reach: float, size: float, height: float) -> list[tuple[str, Surface]]:
    if style == "hook":
        bend = 0.5 * reach
        curve = arc(bend, 180, 0, 11, (bend, height, 0))
        head = cylinder(1.6 * size, 1.2 * size, 0.4 * size).moved(2 * bend, height - 1.2 * size)
        return [("arm", tube(curve, 0.035)), ("head", head)]
    if style == "globes":
        out = 0.45 * reach
        head = ellipsoid(size, size, size).moved(out, height - 0.2 + size)
        return [("arm", rod((0, height - 0.3, 0), (out, height - 0.2, 0), 0.03)), ("head", head)]
    rise = draw.between(0.0, 0.3)
    head = box(3.0 * size, 0.6 * size, 1.4 * size, 0.8).moved(reach + size, height + rise - 0.3 * size)
    return [("arm", rod((0, height - 0.05, 0), (reach, height + rise, 0), 0.035)), ("head", head)]


CLASSES = (
    ShapeClass("lamp", ("base", "stem", "shade"), lamp),
    ShapeClass("street_lamp", ("post", "base", "arm", "head"), street_lamp),
)
