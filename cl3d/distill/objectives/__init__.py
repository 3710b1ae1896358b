"""Objectives: what a synthetic set is asked to have in common with the real clouds."""

from cl3d.distill.objectives.base import Begins, LearningObjective, MatchesMeans, Objective
from cl3d.distill.objectives.distribution import DistributionMatching
from cl3d.distill.objectives.gradient import GradientMatching
from cl3d.distill.objectives.sorted_features import SortedFeatureMatching
from cl3d.distill.objectives.trajectory import TrajectoryMatching

__all__ = [
    "Begins",
    "DistributionMatching",
    "GradientMatching",
    "LearningObjective",
    "MatchesMeans",
    "Objective",
    "SortedFeatureMatching",
    "TrajectoryMatching",
]
