"""IoU of parts by the convention of ShapeNetPart: by hand, against its twin, and what it must keep."""

from __future__ import annotations

import torch

from cl3d.ops import naive
from cl3d.ops.part_iou import predicted_parts, shape_ious
from cl3d.random import generator

CLASS_PARTS = ((0, 1), (2, 3, 4), (7,))


def test_by_hand():
    truth = torch.tensor([[0, 0, 1, 1], [2, 2, 2, 3], [2, 2, 2, 2]])
    predicted = torch.tensor([[0, 1, 1, 1], [2, 2, 3, 3], [2, 2, 2, 4]])
    labels = torch.tensor([0, 1, 1])
    # shape 1 neither has part 4 nor is said to have it, which counts 1; so is part 3 of shape 2, but its
    # part 4 is said to be there and is not
    expected = [(1 / 2 + 2 / 3) / 2, (2 / 3 + 1 / 2 + 1) / 3, (3 / 4 + 1 + 0) / 3]
    found = shape_ious(predicted, truth, labels, CLASS_PARTS)
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64))


def test_it_is_its_twin():
    draws = generator(0, "ious")
    labels = torch.randint(3, (11,), generator=draws)
    offsets = torch.tensor([0, 2, 7])[labels].unsqueeze(1)
    counts = torch.tensor([2, 3, 1])[labels].unsqueeze(1)
    truth, predicted = (offsets + torch.randint(60, (11, 13), generator=draws) % counts for _ in range(2))
    predicted[3] = truth[3]
    found = shape_ious(predicted, truth, labels, CLASS_PARTS)
    assert torch.equal(found, naive.shape_ious(predicted, truth, labels, CLASS_PARTS))
    assert float(found[3]) == 1
    order = torch.randperm(13, generator=draws)
    assert torch.equal(found, shape_ious(predicted[:, order], truth[:, order], labels, CLASS_PARTS))


def test_only_the_parts_of_a_shapes_own_class_are_told():
    logits = torch.zeros(2, 3, 8)
    logits[:, :, 7] = 5.0
    logits[0, 1, 1] = 1.0
    logits[1, :, 4] = 2.0
    found = predicted_parts(logits, torch.tensor([0, 1]), CLASS_PARTS)
    assert found.tolist() == [[0, 1, 0], [4, 4, 4]]
