"""Herding and k-center against plain loops and hand-computed cases."""

from __future__ import annotations

import pytest
import torch

from cl3d.distill.initializers import herd, k_center
from cl3d.random import generator


def naive_herd(features, count):
    """Algorithm 1 of the PCC paper, word by word."""
    mean, picked = features.mean(dim=0), []
    for k in range(1, count + 1):
        candidates = [i for i in range(len(features)) if i not in picked]
        distances = [
            (mean - (features[i] + sum((features[j] for j in picked), torch.zeros_like(mean))) / k).norm()
            for i in candidates
        ]
        picked.append(candidates[int(torch.stack(distances).argmin())])
    return picked


def naive_k_center(features, count):
    picked = [int((features - features.mean(dim=0)).norm(dim=1).argmin())]
    while len(picked) < count:
        nearest = torch.stack([(features - features[j]).norm(dim=1) for j in picked]).amin(dim=0)
        nearest[picked] = -1
        picked.append(int(nearest.argmax()))
    return picked


@pytest.mark.parametrize("count", [1, 5, 13])
@pytest.mark.parametrize(("rule", "twin"), [(herd, naive_herd), (k_center, naive_k_center)])
def test_as_the_plain_loop(rule, twin, count):
    features = torch.randn(13, 7, generator=generator(0), dtype=torch.float64)
    picked = rule(features, count).tolist()
    assert picked == twin(features, count)
    assert len(set(picked)) == count


def test_herding_by_hand():
    # mean 3: first 3 itself; then 2 keeps the running mean at 2.5, 4.5 at 3.75, 0 at 1.5, 5.5 at 4.25
    features = torch.tensor([[0.0], [2.0], [3.0], [4.5], [5.5]])
    assert herd(features, 2).tolist() == [2, 1]


def test_k_center_by_hand():
    features = torch.tensor([[0.0], [2.0], [3.0], [4.5], [5.5]])
    assert k_center(features, 3).tolist() == [2, 0, 4]


@pytest.mark.parametrize("rule", [herd, k_center])
def test_equal_features_are_still_picked_once_each(rule):
    assert sorted(rule(torch.ones(5, 3), 5).tolist()) == [0, 1, 2, 3, 4]
