"""What a viewer shows of each kind of set: the clouds, and what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch

import numpy as np
import torch
from torch import Tensor

from cl3d.clouds import PointClouds, normalize
from cl3d.distill.parameterizations.anchor_set import AnchorSet
from cl3d.distill.parameterizations.generated import GeneratedSet
from cl3d.distill.parameterizations.shape_model import ShapeSet
from cl3d.distill.parameterizations.storage import straight_through
from cl3d.distill.soft_labels import SoftLabelSet
from cl3d.distill.synthetic import SyntheticSet
from cl3d.html.exhibit import Cloud, Exhibit, Floats

WORTH_TELLING = 0.05
"""Least probability of a soft label that is told."""


def exhibit(
    synthetic: SyntheticSet, initial: PointClouds | None = None, most_points: int | None = None
) -> Exhibit:
    """A set as a viewer shows it.

    Args:
        initial: the clouds that it started from, in class order; ``synthetic.initial`` if not given.
        most_points: per cloud, of sets that decode to any number.
    """
    with torch.no_grad():
        shown = _with_parts(exhibited(synthetic, most_points), synthetic)
    initial = synthetic.initial if initial is None else initial
    if initial is None:
        return shown
    return replace(shown, clouds=_with_initial(shown, initial, moved="moved_mean" in synthetic.info))


def own_resolution(synthetic: SyntheticSet) -> int | None:
    """Points per cloud of a set that decodes to any number; None of others."""
    if isinstance(synthetic, SoftLabelSet):
        return own_resolution(synthetic.clouds)
    return synthetic.num_points if isinstance(synthetic, GeneratedSet) else None


@singledispatch
def exhibited(synthetic: SyntheticSet, most_points: int | None = None) -> Exhibit:
    """A set of any kind: its decoded clouds. Register your own function for a kind that has more to tell."""
    del most_points
    clouds = synthetic.decode()
    titles = _numbered(clouds.labels, "cloud")
    shown = [
        Cloud(label, title, ((row, 1.0),))
        for row, (label, title) in enumerate(zip(clouds.labels.tolist(), titles, strict=True))
    ]
    return Exhibit(_shapes(normalize(clouds.points)), shown, clouds.num_points)


@exhibited.register
def _(synthetic: GeneratedSet, most_points: int | None = None) -> Exhibit:
    """As many points as are asked for: the first of them are what it decodes to at fewer."""
    finest = max(most_points or 0, synthetic.num_points)
    clouds = synthetic.decode(num_points=finest)
    titles = _numbered(clouds.labels, "code")
    shown = [
        Cloud(label, title, ((row, 1.0),))
        for row, (label, title) in enumerate(zip(clouds.labels.tolist(), titles, strict=True))
    ]
    return Exhibit(_shapes(clouds.points), shown, synthetic.num_points, any_resolution=True)


@exhibited.register
def _(synthetic: AnchorSet, most_points: int | None = None) -> Exhibit:
    """Anchors are shapes; a blend is made of those of its group."""
    del most_points
    weights, count = synthetic.weights(), synthetic.anchors.shape[1]
    labels = synthetic.labels[:: count + weights.shape[1]].tolist()
    clouds = []
    for group, label in enumerate(labels):
        of_class = f"group {labels[:group].count(label) + 1}, " if labels.count(label) > 1 else ""
        first = group * count
        for number in range(count):
            clouds.append(Cloud(label, f"{of_class}anchor {number + 1}", ((first + number, 1.0),), "anchor"))
        for number, mine in enumerate(weights[group].tolist(), 1):
            of = tuple((first + place, weight) for place, weight in enumerate(mine))
            note = "weights of its anchors: " + ", ".join(f"{weight:.2f}" for weight in mine)
            clouds.append(Cloud(label, f"{of_class}blend {number}", of, "blend", note))
    anchors = straight_through(synthetic.anchors, synthetic.storage).flatten(0, 1)
    return Exhibit(_shapes(anchors), clouds, anchors.shape[1])


@exhibited.register
def _(synthetic: ShapeSet, most_points: int | None = None) -> Exhibit:
    """Mean and modes are shapes; a cloud is the mean and as much of each mode as was drawn."""
    del most_points
    clouds, first = [], 0
    for (label, _), modes, z in zip(
        synthetic.clouds_per_class.items(), synthetic.modes, synthetic.draw(), strict=True
    ):
        for number, drawn in enumerate(z.tolist(), 1):
            of = ((first, 1.0), *((first + mode, weight) for mode, weight in enumerate(drawn, 1)))
            title = f"draw {number}" if modes else "mean shape"
            clouds.append(Cloud(label, title, of))
        first += modes + 1
    return Exhibit(_shapes(synthetic.shapes), clouds, synthetic.shapes.shape[1])


@exhibited.register
def _(synthetic: SoftLabelSet, most_points: int | None = None) -> Exhibit:
    """The other set's, each with the probabilities of its classes."""
    inner = exhibited(synthetic.clouds, most_points)
    told = [
        ", ".join(
            f"class {label} {value:.2f}"
            for label, value in zip(synthetic.classes, row.tolist(), strict=True)
            if value >= WORTH_TELLING
        )
        for row in synthetic.probabilities.float()
    ]
    clouds = [
        replace(cloud, note="; ".join(filter(None, (cloud.note, f"soft label: {text}"))))
        for cloud, text in zip(inner.clouds, told, strict=True)
    ]
    return replace(inner, clouds=clouds)


def _with_parts(shown: Exhibit, synthetic: SyntheticSet) -> Exhibit:
    """The clouds with the parts of their points, where the set keeps them."""
    finest = len(shown.shapes[0]) if shown.any_resolution else None
    decoded = synthetic.decode(num_points=finest)
    if decoded.parts is None:
        return shown
    parts = [_ranked(decoded.parts, decoded.labels, row) for row in range(len(decoded))]
    return replace(
        shown,
        clouds=[replace(cloud, parts=mine) for cloud, mine in zip(shown.clouds, parts, strict=True)],
    )


def _with_initial(shown: Exhibit, initial: PointClouds, moved: bool) -> list[Cloud]:
    """The clouds with what they started from: the first of each class with the first.

    Blends go without: they follow from anchors that show it.
    """
    counts: dict[int, int] = {}
    rows = {label: (initial.labels == label).nonzero().squeeze(1).tolist() for label in initial.classes}
    points, clouds = initial.points.float().cpu().numpy(), []
    for cloud in shown.clouds:
        place = counts[cloud.label] = counts.get(cloud.label, -1) + 1
        mine = rows.get(cloud.label, [])
        if place >= len(mine) or cloud.kind == "blend" or initial.num_points != shown.num_points:
            clouds.append(cloud)
            continue
        row, parts = mine[place], cloud.parts
        if parts is None and initial.parts is not None:
            parts = _ranked(initial.parts, initial.labels, row)
        clouds.append(replace(cloud, initial=points[row] if moved else None, parts=parts))
    return clouds


def _ranked(parts: Tensor, labels: Tensor, row: int) -> np.ndarray:
    """A cloud's parts counted within its class, so that few colours serve many parts."""
    lowest = parts[labels == labels[row]].min()
    return (parts[row] - lowest).cpu().numpy()


def _numbered(labels: Tensor, what: str) -> Sequence[str]:
    """What to call each cloud within its class."""
    counts: dict[int, int] = {}
    titles = []
    for label in labels.tolist():
        counts[label] = counts.get(label, 0) + 1
        titles.append(f"{what} {counts[label]}")
    return titles


def _shapes(points: Tensor) -> list[Floats]:
    return list(points.detach().float().cpu().numpy())
