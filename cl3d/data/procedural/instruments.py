"""Musical instruments: guitar, trumpet."""

from __future__ import annotations

import numpy as np

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import Point, arc, box, cylinder, prism, revolve, rod, torus, tube
from cl3d.data.procedural.surface import Floats, Surface


def guitar(draw: Draw) -> Assembly:
    """An upright body with a waist and a neck with a head: acoustic, electric, V-shaped or a banjo."""
    shape = Assembly()
    style = draw.one_of("acoustic", "acoustic", "electric", "vee", "banjo")
    tall, thick = draw.between(0.42, 0.55), draw.between(0.09, 0.14)
    if style == "vee":
        span, notch = draw.between(0.2, 0.28), draw.between(0.12, 0.25)
        wing = [(0, notch), (-0.3 * span, 0), (-span, -0.02), (-0.07, tall), (0, tall)]
        plate = prism(wing, 0.05)
        shape.add("body", plate, plate.stretched(x=-1))
    elif style == "banjo":
        shape.add("body", cylinder(0.45 * tall, thick).turned("x", 90).moved(y=0.45 * tall, z=-thick / 2))
    elif style == "electric":
        shape.add("body", prism(_horned(draw, tall), 0.05))
    else:
        shape.add("body", prism(_waisted(draw, tall), thick))
    front = 0.5 * thick if style in ("acoustic", "banjo") else 0.025
    neck, wide = draw.between(0.45, 0.65), draw.between(0.05, 0.07)
    end = tall + neck
    shape.add("neck", box(wide, neck + 0.3 * tall, 0.035, 0.85).moved(y=0.7 * tall, z=front))
    head = box(1.6 * wide, draw.between(0.12, 0.2), 0.03, draw.between(0.6, 1.3))
    shape.add("head", head.turned("x", draw.between(-15, 0)).moved(y=end, z=front))
    pegs = [(side * wide, end + 0.04 + 0.045 * i) for side in (-1, 1) for i in range(3)]
    shape.add("head", *(rod((0.6 * x, y, front), (1.3 * x, y, front), 0.012) for x, y in pegs))
    shape.add("bridge", box(2.5 * wide, 0.03, 0.03).moved(y=0.3 * tall, z=front))
    return shape


def trumpet(draw: Draw) -> Assembly:
    """Brass, its bell towards +x: a trumpet, a plain horn, a trombone or a coiled horn."""
    shape = Assembly()
    length, mouth = draw.between(0.9, 1.3), draw.between(0.16, 0.28)
    shape.add(
        "bell", _bell(mouth, draw.between(0.35, 0.5) * length, draw.between(2.0, 4.0)).moved(x=length / 2)
    )
    style, thick = draw.one_of("trumpet", "trumpet", "horn", "trombone", "coil"), draw.between(0.02, 0.032)
    rear, front = -length / 2, 0.1 * length
    if style == "horn":
        shape.add("tube", rod((rear, 0, 0), (front, 0, 0), thick, 1.2 * thick))
        shape.add("mouthpiece", _mouthpiece(rear, 0.0))
    elif style == "coil":
        size = draw.between(0.2, 0.3)
        shape.add("tube", tube(arc(size, 90, 450, 21, (0, -size, 0)), 1.3 * thick))
        shape.add("tube", rod((0, 0, 0), (front, 0, 0), 1.3 * thick), rod((-0.35, 0, 0), (0, 0, 0), thick))
        shape.add("mouthpiece", _mouthpiece(-0.35, 0.0))
    else:
        drop = draw.between(0.12, 0.22)
        reach = front + (0.35 * length if style == "trumpet" else draw.between(0.6, 1.2) * length)
        shape.add("tube", *_loop(rear, front, reach, drop, thick, style == "trombone"))
        shape.add("mouthpiece", _mouthpiece(rear - 0.05 if style == "trumpet" else rear + 0.1, -drop))
    if style in ("trumpet", "coil"):
        tall = draw.between(0.22, 0.32)
        valve = cylinder(0.04, tall)
        shape.add("valve", *(valve.moved(0.11 * i - 0.16, -0.7 * tall) for i in range(3)))
        shape.add("valve", *(cylinder(0.03, 0.1).moved(0.11 * i - 0.16, 0.3 * tall) for i in range(3)))
    return shape


def _waisted(draw: Draw, tall: float) -> Floats:
    """A figure of eight: a wide lower bout, a waist, a narrower upper bout."""
    lower, waist, upper = draw.between(0.18, 0.24), draw.between(0.11, 0.15), draw.between(0.14, 0.18)
    t = np.linspace(0, 1, 13)
    knots = [0.0, 0.12, 0.3, 0.58, 0.82, 0.95, 1.0]
    half = np.interp(t, knots, [0.4 * lower, 0.85 * lower, lower, waist, upper, 0.75 * upper, 0.1])
    right = np.stack((half, t * tall), axis=1)
    return np.concatenate((right, right[::-1] * (-1, 1)))


def _horned(draw: Draw, tall: float) -> Floats:
    """A solid body with horns beside the neck, of which one may be missing."""
    wide, horn = draw.between(0.15, 0.2), draw.between(0.9, 1.1) * tall
    right = [
        (0.08, 0),
        (wide, 0.12 * tall),
        (wide, 0.35 * tall),
        (0.75 * wide, 0.55 * tall),
        (0.8 * wide, horn),
    ]
    left_horn = horn if draw.chance(0.6) else 0.7 * tall
    left = [(-0.8 * wide, left_horn), (-0.75 * wide, 0.55 * tall), (-wide, 0.35 * tall), (-wide, 0.12 * tall)]
    return np.array([*right, (0.05, 0.75 * tall), (-0.05, 0.75 * tall), *left, (-0.08, 0)])


def _bell(mouth: float, length: float, flare: float) -> Surface:
    t = np.linspace(0, 1, 9)
    profile = np.stack((0.03 + (mouth - 0.03) * t**flare, (t - 1) * length), axis=1)
    return revolve(profile, sides=16).turned("z", -90)


def _mouthpiece(x: float, y: float) -> Surface:
    return cylinder(0.055, 0.12, 0.02).turned("z", -90).moved(x - 0.1, y)


def _loop(rear: float, front: float, reach: float, drop: float, thick: float, slide: bool) -> list[Surface]:
    """The bell's tube bent back at the rear, and the lower tube bent back at ``reach``."""
    bend, side = drop / 2, drop if slide else 0.6 * drop
    back = tube(arc(bend, 90, 270, 9, (rear, -bend, 0)), thick)
    turn = torus(side / 2, thick, -90, 90).turned("x", 90).moved(reach, -drop, side / 2)
    rods: list[tuple[Point, Point]] = [
        ((rear, 0, 0), (front, 0, 0)),
        ((rear, -drop, 0), (reach, -drop, 0)),
        ((reach, -drop, side), (rear + 0.1, -drop, side)),
    ]
    return [back, turn, *(rod(a, b, thick) for a, b in rods)]


CLASSES = (
    ShapeClass("guitar", ("body", "neck", "head", "bridge"), guitar),
    ShapeClass("trumpet", ("bell", "tube", "mouthpiece", "valve"), trumpet),
)
