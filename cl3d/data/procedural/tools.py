"""Hand tools, upright with the handle below: hammer, screwdriver, wrench, axe."""

from __future__ import annotations

import numpy as np

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import box, cylinder, ellipsoid, prism, revolve, rod, torus, tube
from cl3d.data.procedural.surface import Surface


def hammer(draw: Draw) -> Assembly:
    """A handle with a head across it: claw, sledge, mallet, ball or cross peen."""
    shape = Assembly()
    length = draw.between(0.7, 1.2)
    shape.add("handle", *_handle(draw, length))
    style, size = draw.one_of("claw", "sledge", "mallet", "ball", "peen"), draw.between(0.06, 0.1)
    head = []
    if style == "sledge":
        head = [box(draw.between(0.35, 0.5), 1.9 * size, 1.9 * size).moved(y=-0.95 * size)]
    elif style == "mallet":
        half = draw.between(0.2, 0.28)
        head = [rod((-half, 0, 0), (half, 0, 0), 1.6 * size, sides=16)]
    else:
        head = [
            rod((-0.06, 0, 0), (0.22, 0, 0), 0.7 * size, sides=12),
            rod((0.18, 0, 0), (0.26, 0, 0), size, sides=12),
        ]
        if style == "claw":
            curve = [(-0.05, 0, 0), (-0.15, -0.01, 0), (-0.23, -0.06, 0), (-0.29, -0.13, 0)]
            head += [tube(curve, (0.04, 0.035, 0.03, 0.02)).moved(z=z) for z in (-0.035, 0.035)]
        elif style == "ball":
            head.append(ellipsoid(0.9 * size, 0.9 * size, 0.9 * size).moved(x=-0.12))
        else:
            head.append(box(2.2 * size, 0.24, 1.8 * size, 0.15).turned("z", 90))
    shape.add("head", *(s.moved(y=length) for s in head))
    return shape


def screwdriver(draw: Draw) -> Assembly:
    """A thick grip, a thin shaft and a tip: round, fluted, T-shaped or stubby."""
    shape = Assembly()
    grip, girth = draw.between(0.3, 0.5), draw.between(0.055, 0.1)
    style = draw.one_of("barrel", "fluted", "tee", "ball")
    if style == "tee":
        half = draw.between(0.18, 0.3)
        shape.add("handle", rod((-half, 0, 0), (half, 0, 0), 0.8 * girth, sides=12))
        grip = 0.0
    elif style == "fluted":
        shape.add("handle", cylinder(0.6 * girth, grip))
        angles = np.radians(np.arange(0, 360, 60))
        ribs = [
            cylinder(0.45 * girth, grip).moved(0.75 * girth * np.cos(a), 0, 0.75 * girth * np.sin(a))
            for a in angles
        ]
        shape.add("handle", *ribs)
    elif style == "ball":
        shape.add("handle", ellipsoid(1.6 * girth, 1.8 * girth, 1.6 * girth))
        grip = 1.5 * girth
    else:
        waist = draw.between(0.6, 0.95)
        outline = [(0, 0), (0.7, 0.02), (1, 0.15), (1, 0.5), (waist, 0.75), (1, 0.9), (0.6, 1), (0, 1)]
        shape.add("handle", revolve(np.array(outline) * (girth, grip)))
    shaft, thin = draw.between(0.25, 0.9), draw.between(0.018, 0.035)
    shape.add("shaft", rod((0, grip, 0), (0, grip + shaft, 0), thin, sides=draw.one_of(4, 8)))
    end = grip + shaft
    if draw.chance(0.6):
        shape.add("tip", box(3.2 * thin, 0.12, 1.2 * thin, draw.between(0.5, 1.1)).moved(y=end))
    else:
        shape.add(
            "tip", cylinder(1.5 * thin, 0.06).moved(y=end), cylinder(1.3 * thin, 0.1, 0.0).moved(y=end + 0.06)
        )
    return shape


def wrench(draw: Draw) -> Assembly:
    """A flat shaft with jaws: open, ring, both, or adjustable."""
    shape = Assembly()
    length, wide, thick = draw.between(0.7, 1.1), draw.between(0.07, 0.13), draw.between(0.04, 0.08)
    shape.add("shaft", box(wide, length, 0.7 * thick, draw.between(0.8, 1.3)))
    size = draw.between(0.1, 0.16)
    style = draw.one_of("open", "combination", "ring", "adjustable")
    if style == "adjustable":
        jaw = [(-0.14, 0), (0.1, 0), (0.16, 0.1), (0.13, 0.3), (0.03, 0.3), (0.05, 0.14), (-0.14, 0.12)]
        shape.add(
            "jaw",
            box(0.3, 0.12, 1.3 * thick).moved(y=length),
            prism(np.array(jaw[1:5]), thick).moved(y=length),
        )
        slide = draw.between(-0.14, -0.04)
        shape.add("jaw", box(0.09, 0.2, thick).moved(x=slide, y=length + 0.1))
        shape.add("jaw", cylinder(0.04, 0.1).moved(y=length - 0.02, z=0.02))
        return shape
    top = _ring(size, thick) if style == "ring" else _jaws(draw, size, thick)
    shape.add("jaw", top.moved(y=length + 0.9 * size))
    if style != "open" or draw.chance(0.7):
        foot = 0.85 * size
        bottom = _ring(foot, thick) if style != "open" else _jaws(draw, foot, thick).turned("z", 180)
        shape.add("jaw", bottom.moved(y=-0.9 * foot))
    return shape


def axe(draw: Draw) -> Assembly:
    """A handle with a blade along it: felling, double, broad or a pick at the back."""
    shape = Assembly()
    length = draw.between(0.8, 1.3)
    shape.add("handle", *_handle(draw, length))
    reach, edge, neck = draw.between(0.2, 0.36), draw.between(0.28, 0.6), draw.between(0.1, 0.18)
    blade = _axe_blade(reach, edge, neck, draw.between(-0.3, 0.3))
    style = draw.one_of("single", "single", "double", "pick")
    parts = [blade]
    if style == "double":
        parts.append(blade.stretched(x=-1))
    elif style == "pick":
        parts.append(rod((0, 0, 0), (-draw.between(0.2, 0.35), -0.03, 0), 0.05, 0.01))
    else:
        parts.append(box(0.12, neck, 0.1).moved(x=-0.04, y=-neck / 2))
    shape.add("blade", *(s.moved(y=length - draw.between(0.0, 0.1) - neck) for s in parts))
    return shape


def _handle(draw: Draw, length: float) -> list[Surface]:
    thick = draw.between(0.025, 0.045)
    style = draw.one_of("straight", "grip", "curved")
    if style == "curved":
        t = np.linspace(0, 1, 7)
        bend = draw.between(0.03, 0.09)
        curve = np.stack((bend * np.sin(2 * np.pi * t), t * length, 0 * t), axis=1)
        return [tube(curve, thick)]
    made = [rod((0, 0, 0), (0, length, 0), thick, draw.between(0.7, 1.0) * thick)]
    if style == "grip":
        made.append(cylinder(1.5 * thick, draw.between(0.25, 0.4) * length))
    return made


def _ring(size: float, thick: float) -> Surface:
    return torus(size, 0.3 * size).stretched(z=0.5 * thick / (0.3 * size))


def _jaws(draw: Draw, size: float, thick: float) -> Surface:
    """An open end: three quarters of a flattened ring, opening upwards and a little aside."""
    lean, mouth = draw.between(-20, 20), draw.between(35, 55)
    ring = torus(size, 0.38 * size, 90 + lean + mouth, 450 + lean - mouth)
    return ring.stretched(z=0.5 * thick / (0.38 * size))


def _axe_blade(reach: float, edge: float, neck: float, lean: float) -> Surface:
    bow = np.linspace(-1, 1, 7)
    cutting = [(reach + 0.06 * (1 - b * b), edge * (b + lean) / 2) for b in bow.tolist()]
    outline = [(0.0, -neck / 2), *cutting, (0.0, neck / 2)]
    plate = prism(outline, 0.09)
    # ground down towards the cutting edge
    sharpness = 1 - 0.9 * np.clip(plate.vertices[:, 0] / reach, 0, 1)
    return Surface(
        plate.vertices * np.stack((0 * sharpness + 1, 0 * sharpness + 1, sharpness), axis=1), plate.faces
    )


CLASSES = (
    ShapeClass("hammer", ("handle", "head"), hammer),
    ShapeClass("screwdriver", ("handle", "shaft", "tip"), screwdriver),
    ShapeClass("wrench", ("shaft", "jaw"), wrench),
    ShapeClass("axe", ("handle", "blade"), axe),
)
