"""Road vehicles: car, truck, bus, bicycle. They drive towards +x."""

from __future__ import annotations

from collections.abc import Sequence

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import Point, arc, box, cylinder, prism, rod, torus, tube
from cl3d.data.procedural.surface import Surface


def car(draw: Draw) -> Assembly:
    """A saloon, hatchback, estate, pickup or open car."""
    shape = Assembly()
    length, width, low = draw.between(3.4, 5.0), draw.between(1.5, 1.9), draw.between(0.25, 0.45)
    belt = low + draw.between(0.45, 0.65)
    nose = draw.between(0.6, 1.0) * belt
    half = length / 2
    side = [
        (-half, low),
        (half, low),
        (half, nose),
        (0.2 * length, belt),
        (-half, belt * draw.between(0.85, 1.05)),
    ]
    shape.add("body", prism(side, width))
    style = draw.one_of("saloon", "hatchback", "estate", "pickup", "open")
    rear = {"saloon": -0.3, "hatchback": -0.42, "estate": -0.49, "pickup": -0.08, "open": -0.1}[
        style
    ] * length
    front, rise = draw.between(0.14, 0.26) * length, draw.between(0.4, 0.65)
    if style == "open":
        shape.add("cabin", box(0.04, 0.6 * rise, 0.9 * width).turned("z", 25).moved(x=front, y=belt))
        shape.add(
            "cabin", *(box(0.5, 0.35, 0.5).moved(x, belt - 0.05, z) for x in (-0.3, 0.4) for z in (-0.4, 0.4))
        )
    else:
        slope = 0.02 if style == "estate" else draw.between(0.05, 0.16)
        roof = belt + rise
        outline = [(rear, belt), (front, belt), (front - 0.13 * length, roof), (rear + slope * length, roof)]
        shape.add("cabin", prism(outline, 0.88 * width))
    if style == "pickup":
        shape.add("body", *_sides(-0.47 * length, rear, 0.45 * width, belt, 0.25))
    wheel = draw.between(0.32, 0.5)
    shape.add("wheel", *_wheels((-0.31 * length, 0.31 * length), 0.52 * width, wheel, 0.25))
    return shape


def truck(draw: Draw) -> Assembly:
    """A cab apart from its load: a box, a tank, a tipper or a flat bed; some are articulated."""
    shape = Assembly()
    width, cab, height = draw.between(2.0, 2.6), draw.between(1.4, 2.2), draw.between(1.8, 2.8)
    load, low, gap = draw.between(3.5, 8.0), draw.between(0.6, 1.0), draw.between(0.15, 0.6)
    front = load / 2 + gap
    shape.add("cab", box(cab, height, width, draw.between(0.85, 1.0)).moved(x=front + cab / 2, y=0.7 * low))
    if draw.chance(0.4):
        bonnet = draw.between(0.7, 1.3)
        shape.add(
            "cab", box(bonnet, 0.5 * height, 0.9 * width).moved(x=front + cab + bonnet / 2, y=0.7 * low)
        )
    shape.add("chassis", box(load + gap + cab, 0.2, 0.8 * width).moved(x=cab / 2, y=0.75 * low))
    _load(draw, shape, load, width, low)
    wheel = draw.between(0.45, 0.65)
    axles = [-0.4 * load, front + 0.5 * cab, *draw.one_of([], [2.4 * wheel - 0.4 * load], [0.35 * load])]
    shape.add("wheel", *_wheels(axles, 0.47 * width, wheel, 0.4))
    return shape


def bus(draw: Draw) -> Assembly:
    """One long body with rows of windows: single, double-decker, articulated or with a nose."""
    shape = Assembly()
    length, width = draw.between(7, 12), draw.between(2.2, 2.6)
    style, low = draw.one_of("single", "double", "nose", "articulated"), draw.between(0.3, 0.6)
    height = draw.between(3.4, 4.2) if style == "double" else draw.between(2.2, 2.9)
    if style == "articulated":
        for x in (-0.28 * length, 0.28 * length):
            shape.add("body", box(0.48 * length, height, width).moved(x=x, y=low))
        shape.add("body", box(0.1 * length, 0.9 * height, 0.85 * width).moved(y=low))
    else:
        shape.add("body", box(length, height, width, draw.between(0.93, 1.0)).moved(y=low))
    if style == "nose":
        nose = draw.between(0.8, 1.5)
        shape.add("body", box(nose, 0.5 * height, 0.9 * width).moved(x=0.5 * (length + nose), y=low))
    levels = (0.28, 0.68) if style == "double" else (0.5,)
    pane = draw.between(0.8, 1.3)
    count = int(0.85 * length / pane)
    for level in levels:
        for side in (-1, 1):
            spots = [((i + 0.5) / count - 0.5) * 0.9 * length for i in range(count)]
            row = box(0.8 * pane, draw.between(0.65, 0.85), 0.06)
            shape.add("window", *(row.moved(x, low + level * height, side * 0.51 * width) for x in spots))
    if draw.chance(0.4):
        shape.add("body", box(draw.between(0.2, 0.6) * length, 0.3, 0.7 * width).moved(y=low + height))
    wheel = draw.between(0.45, 0.65)
    axles = [-0.3 * length, 0.36 * length] + ([0.12 * length] if style == "articulated" else [])
    shape.add("wheel", *_wheels(axles, 0.5 * width, wheel, 0.3))
    return shape


def bicycle(draw: Draw) -> Assembly:
    """Two wheels in line, a frame of tubes, a handlebar and a saddle."""
    shape = Assembly()
    wheel, base, tyre = draw.between(0.26, 0.36), draw.between(0.95, 1.15), draw.between(0.016, 0.04)
    rear, front = (-base / 2, wheel, 0.0), (base / 2, wheel, 0.0)
    for x, y, _ in (rear, front):
        shape.add(
            "wheel", torus(wheel, tyre).moved(x, y), cylinder(0.04, 0.1).turned("x", 90).moved(x, y, -0.05)
        )
        if draw.chance(0.5):
            shape.add("wheel", *(_spoke(x, y, wheel, angle) for angle in range(0, 180, 45)))
    crank: Point = (-0.05, 0.9 * wheel, 0.0)
    seat: Point = (-0.2, draw.between(0.75, 1.0), 0.0)
    head: Point = (0.36 * base, draw.between(0.75, 0.9), 0.0)
    lower: Point = (0.4 * base, 0.55, 0.0)
    joint = (-0.13, 0.55, 0.0) if draw.chance(0.4) else (seat[0] + 0.03, 0.9 * seat[1], 0.0)
    thick = draw.between(0.015, 0.028)
    pairs = ((crank, seat), (crank, lower), (joint, head), (rear, crank), (rear, joint), (head, front))
    shape.add("frame", *(rod(a, b, thick) for a, b in pairs))
    shape.add("saddle", box(0.26, 0.06, 0.14, 0.7).moved(seat[0], seat[1]))
    _handlebar(draw, shape, head)
    if draw.chance(0.3):
        shape.add("basket", box(0.3, 0.22, 0.32, 1.15).moved(x=head[0] + 0.3, y=head[1] - 0.1))
    return shape


def _sides(rear: float, front: float, half: float, level: float, rise: float) -> list[Surface]:
    middle, length = (rear + front) / 2, front - rear
    walls = [box(length, rise, 0.06).moved(middle, level, z) for z in (-half, half)]
    return [*walls, box(0.06, rise, 2 * half).moved(rear, level)]


def _wheels(axles: Sequence[float], half: float, radius: float, width: float) -> list[Surface]:
    wheel = cylinder(radius, width).turned("x", 90)
    return [wheel.moved(x, radius, z - width / 2) for x in axles for z in (-half, half)]


def _load(draw: Draw, shape: Assembly, length: float, width: float, low: float) -> None:
    style = draw.one_of("box", "tank", "tipper", "flat")
    if style == "box":
        shape.add("load", box(length, draw.between(1.8, 3.0), width).moved(y=low + 0.1))
    elif style == "tank":
        radius = draw.between(0.75, 1.1)
        tank = cylinder(radius, length).turned("z", 90).moved(x=length / 2)
        shape.add("load", tank.stretched(z=0.5 * width / radius).moved(y=low + 0.1 + radius))
    elif style == "tipper":
        tray = box(0.85 * length, draw.between(0.8, 1.4), 0.85 * width, 1.15)
        shape.add("load", tray.turned("z", draw.one_of(0, 0, -25)).moved(y=low + 0.2))
    else:
        shape.add("load", box(length, 0.25, width).moved(y=low + 0.1))
        count, style = draw.whole(1, 4), draw.one_of("crate", "log")
        for i in range(count):
            if style == "crate":
                piece = box(0.7 * length / count, draw.between(0.5, 1.5), 0.8 * width)
                shape.add("load", piece.moved(((i + 0.5) / count - 0.5) * length, low + 0.35))
            else:
                log = rod((-length / 2, 0, 0), (length / 2, 0, 0), 0.35, sides=10)
                shape.add("load", log.moved(y=low + 0.7 + 0.6 * (i // 3), z=0.72 * (i % 3 - 1)))


def _spoke(x: float, y: float, radius: float, angle: float) -> Surface:
    return rod((-radius, 0, 0), (radius, 0, 0), 0.006, sides=4).turned("z", angle).moved(x, y)


def _handlebar(draw: Draw, shape: Assembly, head: Point) -> None:
    reach, rise = draw.between(0.2, 0.34), draw.between(0.05, 0.2)
    x, y = head[0], head[1] + rise
    shape.add("handlebar", rod(head, (x, y, 0), 0.02), rod((x, y, -reach), (x, y, reach), 0.02))
    style = draw.one_of("flat", "racing", "swept")
    for z in (-reach, reach):
        if style == "racing":
            shape.add("handlebar", tube(arc(0.09, 90, -90, 7), 0.02).moved(x + 0.05, y - 0.09, z))
        elif style == "swept":
            shape.add("handlebar", rod((x, y, z), (x - 0.25, y, z), 0.022))


CLASSES = (
    ShapeClass("car", ("body", "cabin", "wheel"), car),
    ShapeClass("truck", ("cab", "chassis", "load", "wheel"), truck),
    ShapeClass("bus", ("body", "window", "wheel"), bus),
    ShapeClass("bicycle", ("wheel", "frame", "saddle", "handlebar", "basket"), bicycle),
)
