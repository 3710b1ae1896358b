"""Things to sit on: chair, stool, armchair, sofa, bench."""

from __future__ import annotations

from cl3d.data.procedural.assembly import Assembly, ShapeClass
from cl3d.data.procedural.draw import Draw
from cl3d.data.procedural.primitives import arc, box, cylinder, rod, torus, tube
from cl3d.data.procedural.supports import legs, panels, pedestal, support, tripod
from cl3d.data.procedural.surface import Surface


def chair(draw: Draw) -> Assembly:
    """A seat with a back and no arms."""
    shape = Assembly()
    width, depth, height = draw.between(0.38, 0.56), draw.between(0.38, 0.52), draw.between(0.36, 0.55)
    thick = draw.between(0.03, 0.1)
    shape.add("seat", _plate(draw, width, depth, thick).moved(y=height))
    shape.add("leg", *support(draw, width, depth, height))
    shape.add("back", *_back(draw, width, draw.between(0.3, 0.7), height + thick, -0.45 * depth))
    return shape


def stool(draw: Draw) -> Assembly:
    """A seat on legs or a pedestal, without a back."""
    shape = Assembly()
    width, height, thick = draw.between(0.28, 0.46), draw.between(0.35, 0.8), draw.between(0.03, 0.12)
    shape.add("seat", _plate(draw, width, width * draw.between(0.8, 1.0), thick).moved(y=height))
    style = draw.one_of("legs", "tripod", "pedestal", "drum")
    if style == "legs":
        shape.add("leg", *legs(draw, 0.9 * width, 0.8 * width, height))
    elif style == "tripod":
        shape.add("leg", *tripod(draw, 0.45 * width, height))
    elif style == "pedestal":
        shape.add("leg", *pedestal(draw, width, height))
    else:
        shape.add("leg", cylinder(draw.between(0.3, 0.5) * width, height, draw.between(0.3, 0.5) * width))
    if style != "drum" and draw.chance(0.5):
        ring = torus(draw.between(0.4, 0.55) * width, 0.014).turned("x", 90)
        shape.add("ring", ring.moved(y=draw.between(0.2, 0.5) * height))
    return shape


def armchair(draw: Draw) -> Assembly:
    """A seat for one with a back and two arms: upholstered, or a chair with armrests."""
    if draw.chance(0.5):
        return _upholstered(draw, draw.between(0.5, 0.75), seats=1)
    shape = chair(draw)
    seat = shape.pieces[0][1].vertices
    half, front, level = (
        0.5 * float(seat[:, 0].max() - seat[:, 0].min()),
        float(seat[:, 2].max()),
        seat[:, 1].max(),
    )
    rise, thick = draw.between(0.16, 0.26), draw.between(0.015, 0.035)
    for x in (-half - thick, half + thick):
        shape.add("arm", rod((x, level + rise, -front), (x, level + rise, front), 1.4 * thick, sides=4))
        post = draw.between(0.3, 0.9) * front
        shape.add("arm", rod((x, level - 0.05, post), (x, level + rise, post), thick))
    return shape


def sofa(draw: Draw) -> Assembly:
    """A wide upholstered seat with arms; some have a corner."""
    width = draw.between(1.3, 2.3)
    shape = _upholstered(draw, width, seats=draw.whole(2, 3))
    if draw.chance(0.3):
        side, length, level = draw.one_of(-1, 1), draw.between(0.5, 0.9), draw.between(0.35, 0.45)
        chaise = box(0.35 * width, level, length).moved(side * 0.3 * width, 0.05, 0.35 + 0.5 * length)
        shape.add("seat", chaise)
    return shape


def bench(draw: Draw) -> Assembly:
    """A long seat, of planks or solid, with or without a back; no cushions, no arms."""
    shape = Assembly()
    width, depth, height = draw.between(1.0, 2.0), draw.between(0.3, 0.5), draw.between(0.36, 0.5)
    planks, thick = draw.one_of(1, 1, 2, 3, 4), draw.between(0.03, 0.08)
    step = depth / planks
    for i in range(planks):
        plank = box(width, thick, step * (1.0 if planks == 1 else 0.7))
        shape.add("seat", plank.moved(y=height, z=(i + 0.5) * step - depth / 2))
    shape.add("leg", *(panels if draw.chance(0.35) else legs)(draw, 0.95 * width, depth, height))
    if draw.chance(0.5):
        rise, bars, tilt = draw.between(0.25, 0.5), draw.whole(1, 3), draw.between(-20, 0)
        bar = box(width, 0.6 * rise / bars, 0.03)
        rails = [bar.moved(y=rise * (0.4 + i / bars) - 0.3 * rise / bars) for i in range(bars)]
        posts = [box(0.05, 1.2 * rise, 0.05).moved(x=x) for x in (-0.4 * width, 0.4 * width)]
        shape.add("back", *(s.turned("x", tilt).moved(y=height, z=-depth / 2) for s in (*rails, *posts)))
    return shape


def _plate(draw: Draw, width: float, depth: float, thick: float) -> Surface:
    if draw.chance(0.35):
        return cylinder(0.5, thick, draw.between(0.42, 0.55)).stretched(width, 1, depth)
    return box(width, thick, depth, draw.between(0.85, 1.0))


def _back(draw: Draw, width: float, rise: float, level: float, z: float) -> list[Surface]:
    style = draw.one_of("panel", "slats", "ladder", "hoop", "rest")
    half, thick = 0.45 * width, draw.between(0.015, 0.028)
    posts = [rod((x, 0, 0), (x, rise, 0), thick) for x in (-half, half)]
    if style == "panel":
        made = [box(width * draw.between(0.75, 1.0), rise, draw.between(0.03, 0.09))]
    elif style == "slats":
        count = draw.whole(2, 6)
        spots = [half * (2 * (i + 1) / (count + 1) - 1) for i in range(count)]
        made = [*posts, box(width, 0.18 * rise, 0.04).moved(y=0.85 * rise)]
        made += [rod((x, 0, 0), (x, rise, 0), 0.6 * thick) for x in spots]
    elif style == "ladder":
        count = draw.whole(2, 4)
        made = posts + [
            box(2 * half, 0.4 * rise / count, 0.03).moved(y=(i + 0.5) * rise / count) for i in range(count)
        ]
    elif style == "hoop":
        made = [tube(arc(half, 0, 180) * (1, rise / half, 1), 1.3 * thick)]
        made += [rod((x, 0, 0), (x, 0.85 * rise, 0), 0.6 * thick) for x in (-0.4 * half, 0, 0.4 * half)]
    else:
        made = [
            rod((0, 0, 0), (0, 0.6 * rise, 0), 2 * thick),
            box(0.9 * width, 0.45 * rise, 0.06).moved(y=0.55 * rise),
        ]
    tilt = draw.between(-20, 0)
    return [surface.turned("x", tilt).moved(y=level, z=z) for surface in made]


def _upholstered(draw: Draw, width: float, seats: int) -> Assembly:
    shape = Assembly()
    depth, level, foot = draw.between(0.6, 0.85), draw.between(0.28, 0.45), draw.between(0.0, 0.15)
    inner, thick = width / seats, draw.between(0.1, 0.16)
    shape.add("seat", box(width, 0.6 * level, depth).moved(y=foot))
    for i in range(seats):
        cushion = box(0.96 * inner, 0.4 * level, 0.9 * depth, 0.95)
        shape.add("seat", cushion.moved(x=(i + 0.5) * inner - width / 2, y=foot + 0.6 * level))
    rise, tilt = draw.between(0.3, 0.6), draw.between(-15, 0)
    shape.add("back", box(width, level + rise, thick, 0.9).turned("x", tilt).moved(y=foot, z=-depth / 2))
    arm, arm_height = draw.between(0.08, 0.2), level + draw.between(0.08, 0.25)
    round_arms = draw.chance(0.4)
    for x in (-0.5 * (width + arm), 0.5 * (width + arm)):
        shape.add("arm", box(arm, arm_height, depth).moved(x=x, y=foot))
        if round_arms:
            top = foot + arm_height
            shape.add("arm", rod((x, top, -depth / 2), (x, top, depth / 2), 0.65 * arm, sides=12))
    if foot > 0.04:
        stubs = [(sx * 0.48 * width, sz * 0.42 * depth) for sx in (-1, 1) for sz in (-1, 1)]
        shape.add("leg", *(cylinder(0.025, foot).moved(x=x, z=z) for x, z in stubs))
    return shape


CLASSES = (
    ShapeClass("chair", ("seat", "leg", "back"), chair),
    ShapeClass("stool", ("seat", "leg", "ring"), stool),
    ShapeClass("armchair", ("seat", "leg", "back", "arm"), armchair),
    ShapeClass("sofa", ("seat", "leg", "back", "arm"), sofa),
    ShapeClass("bench", ("seat", "leg", "back"), bench),
)
