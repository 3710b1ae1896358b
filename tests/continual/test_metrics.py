"""Metrics by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from cl3d.clouds import PointClouds
from cl3d.continual.metrics import (
    backward_transfer,
    forgetting_first_minus_last,
    forgetting_max_minus_last,
    forward_transfer,
)
from cl3d.continual.recorder import AccuracyRecorder, accuracy_in_task

MATRIX = [
    [0.9, None, None],
    [0.95, 0.8, None],
    [0.5, 0.7, 0.6],
]


def test_forgetting_from_the_best_and_from_the_first():
    assert forgetting_max_minus_last(MATRIX) == pytest.approx(((0.95 - 0.5) + (0.8 - 0.7)) / 2)
    assert forgetting_first_minus_last(MATRIX) == pytest.approx(((0.9 - 0.5) + (0.8 - 0.7)) / 2)


def test_one_step_forgets_nothing():
    assert forgetting_max_minus_last([[0.3]]) == forgetting_first_minus_last([[0.3]]) == 0


def test_getting_better_is_negative_forgetting():
    assert forgetting_max_minus_last([[0.5, None], [0.75, 0.9]]) == pytest.approx(-0.25)


def test_backward_transfer_is_negative_where_something_is_forgotten():
    assert backward_transfer(MATRIX) == pytest.approx(((0.5 - 0.9) + (0.7 - 0.8)) / 2)
    assert backward_transfer([[0.5, None], [0.75, 0.9]]) == pytest.approx(0.25)


def test_forward_transfer_is_what_came_before_minus_nothing_learnt():
    ahead, untrained = [0.6, 0.2, None], [0.9, 0.5, 0.3]
    assert forward_transfer(ahead, untrained) == pytest.approx(((0.6 - 0.5) + (0.2 - 0.3)) / 2)
    assert forward_transfer([None], [0.5]) is None
    assert forward_transfer([0.6], [0.9]) is None, "the next step has not been tested untrained yet"


def test_accuracy_in_task_chooses_among_the_classes_given():
    class Fixed(torch.nn.Module):
        """Logits by the cloud's first coordinate: class 3 always leads, then 1, then 2."""

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor([0.0, 2.0, 1.0, 9.0]))

        def forward(self, points):
            return self.weight * points[:, 0, :1]

    points = torch.ones(4, 5, 3)
    points[3] = -1.0  # turns the order round
    clouds = PointClouds(points, torch.tensor([1, 1, 2, 2]))
    assert accuracy_in_task(Fixed(), clouds, [2, 1]) == 3 / 4


def test_a_told_step_leaves_its_classes_to_choose_from():
    """Two steps, classes 2 and 0, then 1: the second and the third cloud fall for another step's class."""
    recorder = AccuracyRecorder([[2, 0], [1]])
    recorder.before_eval(None)
    output = torch.tensor([[3.0, 0.0, 1.0], [1.0, 9.0, 2.0], [4.0, 2.0, 0.0], [1.0, 9.0, 2.0]])
    recorder.after_eval_iteration(SimpleNamespace(mb_y=torch.tensor([0, 2, 1, 0]), mb_output=output))
    assert recorder.accuracy == 1 / 4
    assert recorder.accuracy_in_task == 3 / 4
    assert recorder.row([[2, 0], [1]]) == [1 / 3, 0.0]


def test_a_class_that_cannot_be_chosen_is_never_right():
    recorder = AccuracyRecorder([[2, 0], [1]])
    never = -torch.inf
    scores = torch.tensor([[never, 0.3, never], [never, 0.3, never], [never, 0.3, never]])
    recorder.before_eval(None)
    recorder.after_eval_iteration(SimpleNamespace(mb_y=torch.tensor([0, 2, 1]), mb_output=scores))
    assert recorder.correct_in_task.tolist() == [0, 1, 0]  # not the first of several that are equally far
    assert recorder.accuracy_in_task == pytest.approx(1 / 3)
    recorder.before_eval(None)
    recorder.after_eval_iteration(SimpleNamespace(mb_y=torch.tensor([0, 2]), mb_output=scores[:2]))
    assert (recorder.accuracy, recorder.accuracy_in_task) == (0, None)
