"""Vessels: mug, cup, vase, bottle, teapot, bowl."""

from __future__ import annotations

import numpy as np

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import arc, box, cylinder, disc, ellipsoid, revolve, torus, tube
from cl3d.data.procedural.surface import Floats, Surface


def mug(draw: Draw) -> Assembly:
    """An open cup with one handle at its side."""
    shape = Assembly()
    radius, height = draw.between(0.32, 0.5), draw.between(0.5, 1.2)
    wall = _cup_wall(draw, radius, height)
    shape.add("body", revolve(wall), disc(0.9 * wall[0, 0]).moved(y=0.02))
    if draw.chance(0.5):
        shape.add("body", revolve(wall * (0.88, 1)))
    hold = float(np.interp(height / 2, wall[:, 1], wall[:, 0]))
    shape.add("handle", _ear(draw, hold, height))
    return shape


def cup(draw: Draw) -> Assembly:
    """An open cup without a handle: a beaker, a tumbler, a goblet, or a paper cup with a lid."""
    shape = Assembly()
    radius, height = draw.between(0.3, 0.45), draw.between(0.55, 1.3)
    style = draw.one_of("beaker", "goblet", "lid", "saucer")
    if style == "goblet":
        stem, foot = draw.between(0.3, 0.6), draw.between(0.25, 0.35)
        wall = np.array(
            [(0.04, 0), (0.7 * radius, 0.1), (radius, 0.4), (radius * draw.between(0.8, 1.1), 0.8)]
        )
        shape.add("body", revolve(wall * (1, draw.between(0.7, 1.2))).moved(y=stem))
        shape.add("stem", cylinder(0.04, stem), cylinder(foot, 0.05, 0.3 * foot))
        return shape
    wall = _cup_wall(draw, radius, height)
    shape.add("body", revolve(wall))
    shape.add("base", disc(wall[0, 0]), cylinder(1.04 * wall[0, 0], 0.05 * height))
    if style == "lid":
        rim = 1.08 * float(wall[-1, 0])
        shape.add("lid", cylinder(rim, 0.1, 0.9 * rim).moved(y=height))
        if draw.chance(0.5):
            shape.add("lid", cylinder(0.03, 0.5 * height).turned("z", draw.between(-15, 15)).moved(y=height))
    elif style == "saucer":
        plate = draw.between(1.6, 2.1) * radius
        shape.add("base", revolve([(0, 0), (0.6 * plate, 0), (plate, 0.1)]))
    return shape


def vase(draw: Draw) -> Assembly:
    """A turned body with a waist or a neck and an open flared rim; some have two ears."""
    shape = Assembly()
    height, belly, place = draw.between(1.0, 1.8), draw.between(0.3, 0.55), draw.between(0.25, 0.7)
    foot, neck, rim = draw.between(0.15, 0.3), draw.between(0.1, 0.22), draw.between(0.18, 0.4)
    knots = np.array([0.0, place, 0.86, 1.0])
    body = _smooth(knots * height, np.array([foot, belly, neck, rim]))
    split = int(0.8 * len(body))
    shape.add("body", revolve(body[: split + 1]), disc(foot))
    shape.add("neck", revolve(body[split:]))
    if draw.chance(0.5):
        shape.add("foot", cylinder(foot * draw.between(1.1, 1.5), 0.07 * height, foot))
    if draw.chance(0.3):
        ear = tube(arc(1.0, -80, 80, 9) * (0.35 * belly + 0.08, 0.2 * height, 1), 0.035)
        ear = ear.moved(0.6 * belly, 0.74 * height)
        shape.add("ear", ear, ear.stretched(x=-1))
    return shape


def bottle(draw: Draw) -> Assembly:
    """A closed body, a shoulder and a narrow neck with a cap: wine, flask, square, squeeze or jug."""
    shape = Assembly()
    radius, height = draw.between(0.22, 0.36), draw.between(0.7, 1.2)
    neck, rise, shoulder = draw.between(0.07, 0.13), draw.between(0.1, 0.45), draw.between(0.05, 0.4)
    style = draw.one_of("round", "round", "square", "flask", "waist")
    if style == "square":
        shape.add("body", box(1.8 * radius, height, 1.8 * radius * draw.between(0.6, 1)))
        shape.add("body", revolve([(1.2 * radius, 0), (neck, shoulder)]).moved(y=height))
    else:
        waist = draw.between(0.7, 0.9) if style == "waist" else 1.0
        wall = [
            (0, 0),
            (radius, 0),
            (radius, 0.3 * height),
            (waist * radius, 0.55 * height),
            (radius, 0.8 * height),
        ]
        body = revolve(
            [*wall, (radius, height), (0.75 * radius, height + 0.6 * shoulder), (neck, height + shoulder)]
        )
        shape.add("body", body.stretched(z=draw.between(0.35, 0.6) if style == "flask" else 1.0))
    top = height + shoulder
    shape.add("neck", cylinder(neck, rise, closed=False).moved(y=top))
    shape.add("cap", cylinder(neck * draw.between(1.05, 1.5), draw.between(0.06, 0.15)).moved(y=top + rise))
    return shape


def teapot(draw: Draw) -> Assembly:
    """A bellied body with a spout, a handle opposite or above, and a lid."""
    shape = Assembly()
    radius, tall = draw.between(0.4, 0.55), draw.between(0.25, 0.6)
    style = draw.one_of("round", "cone", "drum")
    if style == "round":
        shape.add("body", ellipsoid(radius, tall, radius))
    elif style == "cone":
        shape.add("body", cylinder(radius, 2 * tall, 0.5 * radius).moved(y=-tall))
    else:
        shape.add("body", cylinder(0.9 * radius, 2 * tall).moved(y=-tall))
    top = {"round": 0.95, "cone": 1.0, "drum": 1.0}[style] * tall
    shape.add(
        "lid",
        ellipsoid(0.45 * radius, 0.1, 0.45 * radius).moved(y=top),
        ellipsoid(0.07, 0.07, 0.07).moved(y=top + 0.13),
    )
    reach, curl = draw.between(0.25, 0.5), draw.between(-0.1, 0.1)
    start = radius * (0.7 if style == "cone" else 0.85)
    spout = [
        (start, -0.4 * tall, 0),
        (start + 0.5 * reach, -0.1 * tall + curl, 0),
        (start + reach, 0.9 * tall, 0),
    ]
    shape.add("spout", tube(spout, (0.14, 0.09, 0.05)))
    if draw.chance(0.3):
        shape.add(
            "handle",
            tube(arc(0.8 * radius, 0, 180, 13) * (1, draw.between(0.8, 1.2), 1), 0.04).moved(y=0.7 * tall),
        )
    else:
        hold, ear = radius * (0.65 if style == "cone" else 0.9), draw.between(0.2, 0.35)
        shape.add("handle", tube(arc(1.0, 90, 270, 11) * (ear, 0.75 * tall, 1), 0.045).moved(x=-hold))
    return shape


def bowl(draw: Draw) -> Assembly:
    """A wide open shell on a foot: deep, shallow, flared, footed, or a pan with two grips."""
    shape = Assembly()
    radius, depth = draw.between(0.7, 1.0), draw.between(0.2, 0.75)
    power, low = draw.between(0.4, 1.0), draw.between(0.2, 0.5)
    t = np.linspace(0, 1, 8)
    wall = np.stack((radius * (low + (1 - low) * t**power), depth * t), axis=1)
    lift = draw.between(0.03, 0.12) if draw.chance(0.75) else draw.between(0.2, 0.5)
    shape.add("shell", revolve(wall).moved(y=lift), disc(radius * low).moved(y=lift))
    shape.add("foot", cylinder(radius * low * draw.between(0.8, 1.4), lift, radius * low * 0.7))
    if draw.chance(0.35):
        flat = revolve([(radius, depth), (radius * draw.between(1.1, 1.3), depth + 0.03)])
        shape.add("rim", flat.moved(y=lift))
    else:
        shape.add("rim", torus(radius, 0.03).turned("x", 90).moved(y=lift + depth))
    if draw.chance(0.2):
        for side in (-1, 1):
            grip = tube(arc(0.16, -90, 90, 9), 0.035).turned("x", 90).moved(x=radius, y=lift + 0.8 * depth)
            shape.add("grip", grip.stretched(x=side))
    return shape


def _cup_wall(draw: Draw, radius: float, height: float) -> Floats:
    base = radius * draw.between(0.65, 1.05)
    bulge = 0.5 * (radius + base) * draw.one_of(1.0, 1.0, draw.between(0.85, 1.2))
    return _smooth(np.array([0, 0.5, 1.0]) * height, np.array([base, bulge, radius]))


def _smooth(heights: Floats, radii: Floats, rows: int = 15) -> Floats:
    """A wall through the knots, (rows, 2); cosine steps between them keep it level at each."""
    y = np.linspace(heights[0], heights[-1], rows)
    left = np.clip(np.searchsorted(heights, y, side="right") - 1, 0, len(heights) - 2)
    t = (y - heights[left]) / (heights[left + 1] - heights[left])
    step = 0.5 - 0.5 * np.cos(np.pi * t)
    return np.stack((radii[left] * (1 - step) + radii[left + 1] * step, y), axis=1)


def _ear(draw: Draw, radius: float, height: float) -> Surface:
    out, tall, thick = draw.between(0.18, 0.32), draw.between(0.25, 0.4) * height, draw.between(0.03, 0.055)
    if draw.chance(0.3):
        corners = [(0, tall, 0), (0.8 * out, tall, 0), (out, 0.8 * tall, 0), (out, -0.8 * tall, 0)]
        curve = np.array([*corners, (0.8 * out, -tall, 0), (0, -tall, 0)])
    else:
        curve = arc(1.0, 90, -90, 11) * (out, tall, 1)
    return tube(curve, thick).moved(x=radius, y=draw.between(0.48, 0.56) * height)


CLASSES = (
    ShapeClass("mug", ("body", "handle"), mug),
    ShapeClass("cup", ("body", "base", "stem", "lid"), cup),
    ShapeClass("vase", ("body", "neck", "foot", "ear"), vase),
    ShapeClass("bottle", ("body", "neck", "cap"), bottle),
    ShapeClass("teapot", ("body", "lid", "spout", "handle"), teapot),
    ShapeClass("bowl", ("shell", "foot", "rim", "grip"), bowl),
)
