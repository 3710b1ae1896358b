"""Condensers and evaluation on data whose classes and parts are not as in any data set here."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from cl3d.clouds import PointClouds
from cl3d.distill import Anchors, Budget, Condenser, Points, Training, evaluate, load, presets, save
from cl3d.models import PointNetSegmentation
from cl3d.random import generator
from cl3d.testing.condensers import small

pytestmark = pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")

LEARNT = {7: [6, 7], 2: [5], 0: [0, 1, 2]}
"""The parts of training shapes by class: class 7 lacks one of its parts, class 2 has a single one."""

OWN = LEARNT | {7: [6, 7, 8]}
SMALL = partial(
    PointNetSegmentation, num_parts=9, channels=(5, 11), hidden=(7,), transforms=False, dropout=0.0
)


def shapes(points: int, counts: dict[int, int], parts: dict[int, list[int]], seed: int) -> PointClouds:
    """Clouds of these classes, mixed; the part of each point is drawn."""
    draws, labels, rows = generator(seed), [], []
    for label, count in counts.items():
        labels += count * [label]
        drawn = torch.randint(len(parts[label]), (count, points), generator=draws)
        rows.append(torch.tensor(parts[label])[drawn])
    clouds = torch.randn(len(labels), points, 3, generator=draws)
    order = torch.randperm(len(labels), generator=draws)
    return PointClouds(clouds, torch.tensor(labels), torch.cat(rows))[order]


@pytest.fixture(scope="module")
def train():
    return shapes(31, {7: 4, 2: 3, 0: 1}, LEARNT, seed=0)


@pytest.fixture(scope="module")
def unseen():
    return shapes(29, {0: 2, 2: 2, 7: 2}, OWN, seed=1)


@pytest.mark.parametrize("name", ["random", "herding", "dc", "dd3d", "morphing", "dm"])
def test_condensers_take_any_classes_and_parts(train, unseen, tmp_path, name):
    synthetic = small(getattr(presets, name)())(train, budget=Budget(ppc=2), model=SMALL)
    save(synthetic, tmp_path / "set.safetensors")
    again = load(tmp_path / "set.safetensors")
    decoded = again.decode()
    assert decoded.classes == [0, 2, 7]
    assert torch.equal(decoded.parts, synthetic.decode().parts)
    for label in decoded.classes:
        found = decoded.of_class(label).parts.unique().tolist()
        assert set(found) <= set(LEARNT[label])
        assert len(found) == len(LEARNT[label]), "none is lost that has as many points as others"
    value = evaluate(
        again,
        unseen,
        model=SMALL,
        training=Training(epochs=1),
        runs=1,
        device="cpu",
        class_parts=[OWN.get(label, []) for label in range(8)],
    )
    assert value.per_class[2] == 1, "its one part cannot be missed"
    assert value.per_class[7] < 1, "a part that was never seen is"


@pytest.mark.parametrize("storage", ["float16", "uint8"])
@pytest.mark.parametrize("kind", [Points, partial(Points, num_points=11), Anchors])
def test_parts_stay_with_their_points_in_coarse_precision(train, kind, storage):
    synthetic = Condenser(parameterization=kind(storage=storage))(train, budget=Budget(ppc=1), model=SMALL)
    kept = synthetic.as_stored()
    assert torch.equal(kept.decode().parts, synthetic.decode().parts)
    assert kept.nbytes == synthetic.nbytes
    assert torch.equal(kept.as_stored().decode().points, kept.decode().points)
