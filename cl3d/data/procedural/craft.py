"""Craft in the air and on water: airplane, helicopter, boat. They head towards +x."""

from __future__ import annotations

import numpy as np

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import box, cylinder, disc, ellipsoid, loft, prism, revolve, rod
from cl3d.data.procedural.surface import Surface


def airplane(draw: Draw) -> Assembly:
    """A fuselage with wings, a tail and engines: an airliner, a propeller plane, a biplane or a jet."""
    shape = Assembly()
    style = draw.one_of("airliner", "propeller", "biplane", "delta", "glider")
    radius = draw.between(0.3, 0.4) if style == "airliner" else draw.between(0.22, 0.4)
    length = {"airliner": 7.0, "propeller": 4.5, "biplane": 4.0, "delta": 5.5, "glider": 4.5}[style]
    length *= draw.between(0.85, 1.15)
    slim = 0.6 if style == "glider" else 1.0
    shape.add("fuselage", _fuselage(length, radius * slim))
    span = {"airliner": 3.2, "propeller": 2.8, "biplane": 2.2, "delta": 1.9, "glider": 4.2}[style]
    span *= draw.between(0.85, 1.15)
    chord, sweep, tip = draw.between(0.8, 1.2), draw.between(0.0, 0.2), draw.between(0.6, 1.0)
    if style in ("airliner", "delta"):
        sweep, tip = draw.between(0.4, 0.7), draw.between(0.15, 0.35)
    chord *= {"delta": 2.6, "airliner": 1.4, "glider": 0.6}.get(style, 1.0)
    level = draw.one_of(-0.6, 0.0, 0.8) * radius
    levels = [-0.6 * radius, 2.2 * radius] if style == "biplane" else [level]
    dihedral, place = draw.between(-2, 7), draw.between(-0.3, 0.3)
    for y in levels:
        shape.add("wing", *_pair(span, chord, sweep, tip, dihedral, place, y))
    if style == "biplane":
        struts = [(x, z) for x in (-0.3, 0.3) for z in (-0.6 * span, 0.6 * span)]
        shape.add(
            "wing", *(rod((x + place, levels[0], z), (x + place, levels[-1], z), 0.03) for x, z in struts)
        )
    _tail(draw, shape, length, radius)
    _engines(draw, shape, style, length, radius, span, level)
    return shape


def helicopter(draw: Draw) -> Assembly:
    """A cabin under a rotor, with a tail boom and a tail rotor; some have two main rotors."""
    shape = Assembly()
    long, tall, wide = draw.between(0.9, 1.5), draw.between(0.6, 0.85), draw.between(0.5, 0.8)
    blades, reach, turn = draw.whole(2, 5), draw.between(1.8, 2.8), draw.between(0, 180)
    if draw.chance(0.2):
        shape.add("cabin", box(3.4, 1.3 * tall, 1.6 * wide, 0.9).moved(y=-0.6 * tall))
        for x in (-1.6, 1.6):
            shape.add("rotor", *(s.moved(x, 0.9 * tall + 0.1 * x) for s in _rotor(blades, 0.8 * reach, turn)))
            shape.add("cabin", box(0.5, 0.5, 0.5).moved(x, 0.4 * tall))
    else:
        if draw.chance(0.6):
            shape.add("cabin", ellipsoid(long, tall, wide))
        else:
            shape.add("cabin", box(1.7 * long, 1.5 * tall, 1.7 * wide, 0.75).moved(y=-0.7 * tall))
        shape.add("rotor", *(s.moved(y=tall + 0.25) for s in _rotor(blades, reach, turn)))
        shape.add("rotor", cylinder(0.09, 0.4).moved(y=0.85 * tall))
        tail = draw.between(2.4, 3.4)
        shape.add("boom", rod((-0.7 * long, 0.15, 0), (-tail, 0.35, 0), 0.22, 0.08, sides=10))
        shape.add(
            "boom", prism([(-tail - 0.3, 0.95), (-tail, 0.95), (-tail + 0.35, 0.3), (-tail, 0.2)], 0.06)
        )
        small = [s.turned("x", 90).moved(-tail, 0.45, 0.15) for s in _rotor(draw.whole(2, 4), 0.45, turn)]
        shape.add("tail_rotor", *small)
    if draw.chance(0.6):
        for z in (-0.7 * wide, 0.7 * wide):
            shape.add("skid", rod((-long, -1.3 * tall, z), (long, -1.3 * tall, z), 0.06))
            ends = [
                rod((x, -0.6 * tall, 0.6 * z), (x, -1.3 * tall, z), 0.045) for x in (-0.5 * long, 0.5 * long)
            ]
            shape.add("skid", *ends)
    else:
        wheel = cylinder(0.2, 0.15).turned("x", 90)
        for x, z in ((0.6 * long, 0.0), (-0.6 * long, -0.8 * wide), (-0.6 * long, 0.8 * wide)):
            shape.add("skid", wheel.moved(x, -1.1 * tall, z))
    return shape


def boat(draw: Draw) -> Assembly:
    """A pointed hull with sails, a cabin, thwarts or a ship's superstructure."""
    shape = Assembly()
    length, style = draw.between(4, 6), draw.one_of("sail", "motor", "rowing", "ship")
    width = length * draw.between(0.24, 0.4) * (0.7 if style == "ship" else 1.0)
    depth = draw.between(0.5, 0.9)
    shape.add("hull", _hull(length, width, depth, draw.between(0.1, 0.4), draw.between(0.4, 0.95)))
    if style != "rowing":
        shape.add("deck", disc(1.0).stretched(0.42 * length, 1, 0.4 * width).moved(y=0.75 * depth))
    if style == "sail":
        _sails(draw, shape, length, depth)
    elif style == "motor":
        size, place = draw.between(0.2, 0.35) * length, draw.between(-0.15, 0.1) * length
        shape.add("cabin", box(size, draw.between(0.5, 1.0), 0.6 * width, 0.8).moved(x=place, y=0.75 * depth))
        shape.add(
            "cabin", box(0.05, 0.4, 0.6 * width).turned("z", 25).moved(x=place + 0.6 * size, y=0.8 * depth)
        )
        shape.add("motor", box(0.3, 0.9, 0.3).moved(x=-0.53 * length, y=0.2))
    elif style == "rowing":
        for part in (-0.25, 0.05, 0.28):
            shape.add("deck", box(0.3, 0.06, 0.75 * width).moved(x=part * length, y=0.65 * depth))
        for side in (-1, 1):
            end = (-0.3, -0.1, side * (0.5 * width + draw.between(0.8, 1.6)))
            shape.add("oar", rod((0.1, 1.15 * depth, side * 0.2 * width), end, 0.05))
            shape.add("oar", box(0.5, 0.3, 0.05).moved(*end))
    else:
        for i in range(draw.whole(2, 3)):
            deck = box((0.3 - 0.06 * i) * length, 0.45, (0.75 - 0.15 * i) * width)
            shape.add("cabin", deck.moved(-0.18 * length, 0.8 * depth + 0.45 * i))
        funnel = cylinder(0.16, draw.between(0.5, 0.9)).moved(y=0.8 * depth + 1.0)
        shape.add("cabin", *(funnel.moved(x=-0.18 * length - 0.5 * i) for i in range(draw.whole(1, 2))))
        shape.add("mast", rod((0.3 * length, depth, 0), (0.3 * length, depth + 1.6, 0), 0.05))
    return shape


def _fuselage(length: float, radius: float) -> Surface:
    along = np.array([-0.5, -0.5, -0.42, -0.2, 0.0, 0.3, 0.42, 0.48, 0.5])
    girth = np.array([0.0, 0.2, 0.4, 0.85, 1.0, 1.0, 0.75, 0.4, 0.0])
    return revolve(np.stack((girth * radius, along * length), axis=1), sides=14).turned("z", -90)


def _blade(span: float, chord: float, sweep: float, tip: float, thick: float) -> Surface:
    """A tapered plate from the x axis along z; ``sweep`` is how far its tip lies behind, per span."""
    back, end = sweep * span, tip * chord
    outline = [(chord / 2, 0), (chord / 2 - back, span), (chord / 2 - back - end, span), (-chord / 2, 0)]
    return prism(outline, thick).turned("x", 90)


def _pair(
    span: float, chord: float, sweep: float, tip: float, dihedral: float, x: float, y: float
) -> list[Surface]:
    right = _blade(span, chord, sweep, tip, 0.06).turned("x", -dihedral)
    return [right.moved(x, y), right.stretched(z=-1).moved(x, y)]


def _tail(draw: Draw, shape: Assembly, length: float, radius: float) -> None:
    rear, rise = -0.44 * length, draw.between(0.7, 1.3)
    fin = _blade(rise, 0.8, draw.between(0.2, 0.7), draw.between(0.4, 0.8), 0.06).turned("x", -90)
    shape.add("tail", fin.moved(rear, 0.3 * radius))
    level = rise if draw.chance(0.3) else 0.2 * radius
    span = draw.between(0.8, 1.3)
    shape.add(
        "tail",
        *_pair(span, 0.6, draw.between(0.1, 0.5), 0.6, 0.0, rear - (0.3 if level == rise else 0), level),
    )


def _engines(
    draw: Draw, shape: Assembly, style: str, length: float, radius: float, span: float, level: float
) -> None:
    if style == "airliner":
        spots = draw.one_of((0.33,), (0.3, 0.6), ())
        pods = [(-0.2 - 0.5 * part * span + 0.6, level - 0.35, part * span) for part in spots]
        pods = pods or [(-0.3 * length, 0.1, 1.7 * radius)]
        engine = cylinder(0.2, 0.9, 0.25).turned("z", -90)
        shape.add("engine", *(engine.moved(x, y, side * z) for x, y, z in pods for side in (-1, 1)))
    elif style in ("propeller", "biplane"):
        nose, reach, turn = 0.5 * length + 0.03, draw.between(0.5, 0.8), draw.between(0, 180)
        blades = _rotor(draw.whole(2, 3), reach, turn)
        shape.add("engine", *(s.turned("z", 90).moved(nose) for s in blades))
        shape.add("engine", cylinder(0.75 * radius, 0.7).turned("z", -90).moved(0.38 * length))
    elif style == "delta":
        spots = (-0.15, 0.15) if draw.chance(0.5) else (0.0,)
        shape.add("engine", *(cylinder(0.2, 0.6).turned("z", 90).moved(-0.47 * length, 0, z) for z in spots))


def _rotor(blades: int, reach: float, turn: float) -> list[Surface]:
    blade = box(reach, 0.04, 0.16).moved(x=reach / 2)
    return [blade.turned("y", turn + i * 360 / blades) for i in range(blades)]


def _hull(length: float, width: float, depth: float, keel: float, stern: float) -> Surface:
    """An open shell, pointed ahead, with its rim near y = ``depth``."""
    along = np.linspace(0, 1, 13)
    aft, fore = np.sin(np.pi * along), np.maximum(2 * along - 1, 0)
    girth = np.where(along < 0.5, stern + (1 - stern) * aft, 1 - fore**2.5)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 9)
    rings = np.empty((13, 9, 3))
    rings[..., 0] = (along[:, None] - 0.5) * length
    rise = keel * np.maximum(along - 0.5, 0) ** 2 * 4 * depth
    rings[..., 1] = (
        depth * (1 - np.cos(angle) * (1 - 0.6 * np.maximum(along - 0.7, 0))[:, None]) + rise[:, None]
    )
    rings[..., 2] = 0.5 * width * girth[:, None] * np.sin(angle)
    return loft(rings, closed=False)


def _sails(draw: Draw, shape: Assembly, length: float, depth: float) -> None:
    masts = draw.one_of((0.08,), (0.08,), (0.25, -0.15))
    for part in masts:
        height, x = draw.between(0.8, 1.2) * length / len(masts) ** 0.5, part * length
        shape.add("mast", rod((x, 0.5 * depth, 0), (x, depth + height, 0), 0.05))
        boom = draw.between(0.28, 0.42) * length
        corners = [(x - 0.1, depth + 0.3), (x - boom, depth + 0.35), (x - 0.1, depth + 0.95 * height)]
        shape.add("sail", prism(corners, 0.03))
    if draw.chance(0.6):
        x, bow = masts[0] * length, 0.46 * length
        shape.add(
            "sail",
            prism([(x + 0.1, depth + 0.3), (bow, depth + 0.2), (x + 0.1, depth + 0.75 * length)], 0.03),
        )


CLASSES = (
    ShapeClass("airplane", ("fuselage", "wing", "tail", "engine"), airplane),
    ShapeClass("helicopter", ("cabin", "rotor", "boom", "tail_rotor", "skid"), helicopter),
    ShapeClass("boat", ("hull", "deck", "cabin", "motor", "oar", "mast", "sail"), boat),
)
