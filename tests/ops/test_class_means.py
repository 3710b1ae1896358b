"""Nearest mean of exemplars against its twin, and what must hold of it."""

from __future__ import annotations

import torch
from torch.autograd import gradcheck

from cl3d.ops import naive
from cl3d.ops.nearest_mean import class_means, nearest_mean_scores
from cl3d.random import generator

CLASSES = 5
LABELS = torch.tensor([0, 3, 1, 1, 0, 3, 3])  # none of classes 2 and 4


def features(n: int = 7, d: int = 11, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=generator(seed, "features"), dtype=torch.float64)


def test_values_and_gradients_are_the_twins():
    found = []
    for module in (None, naive):
        means_of, scores_of = (
            (class_means, nearest_mean_scores)
            if module is None
            else (naive.class_means, naive.nearest_mean_scores)
        )
        exemplars, asked = features().requires_grad_(), features(3, seed=1).requires_grad_()
        means = means_of(exemplars, LABELS, CLASSES)
        scores = scores_of(asked, means)
        weights = torch.arange(1.0, 4.0, dtype=torch.float64)
        loss = (scores[:, [0, 1, 3]].square() * weights).sum()
        found.append([means.nan_to_num(7.0), scores, *torch.autograd.grad(loss, [exemplars, asked])])
    for own, twins in zip(*found, strict=True):
        assert torch.allclose(own, twins)


def test_derivatives_are_right():
    known = torch.tensor([0, 1, 1, 0, 2, 2, 0])
    assert gradcheck(lambda x: class_means(x, known, 3), features().requires_grad_())
    means = class_means(features(), known, 3)
    assert gradcheck(lambda x: nearest_mean_scores(x, means), features(3, seed=1).requires_grad_())


def test_the_length_of_a_feature_does_not_matter():
    lengths = torch.rand(7, 1, generator=generator(2, "lengths"), dtype=torch.float64) + 0.1
    means = class_means(features(), LABELS, CLASSES)
    assert torch.allclose(means, class_means(lengths * features(), LABELS, CLASSES), equal_nan=True)
    scores = nearest_mean_scores(features(), means)
    assert torch.allclose(scores, nearest_mean_scores(lengths * features(), means))
    assert torch.allclose(means[[0, 1, 3]].norm(dim=1), torch.ones(3, dtype=torch.float64))


def test_classes_without_exemplars_are_never_chosen():
    means = class_means(features(), LABELS, CLASSES)
    scores = nearest_mean_scores(features(13, seed=3), means)
    assert bool((scores[:, [2, 4]] == -torch.inf).all())
    assert bool(torch.isfinite(scores[:, [0, 1, 3]]).all())
    assert set(scores.argmax(dim=1).tolist()) <= {0, 1, 3}


def test_a_mean_is_nearest_to_itself():
    means = class_means(features(), LABELS, CLASSES)
    scores = nearest_mean_scores(3.7 * means[[0, 1, 3]], means)
    assert scores.argmax(dim=1).tolist() == [0, 1, 3]
    assert torch.allclose(scores.max(dim=1).values, torch.zeros(3, dtype=torch.float64), atol=1e-7)
