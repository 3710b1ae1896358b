"""Objectives: what a synthetic set is asked to have in common with the real clouds."""

from cl3d.distill.objectives.base import (
    Alternates,
    Begins,
    LearningObjective,
    MatchesMeans,
    MatchesTogether,
    Objective,
)
from cl3d.distill.objectives.distribution import DistributionMatching
from cl3d.distill.objectives.gradient import GradientMatching, PartGradientMatching, WholeGradientMatching
from cl3d.distill.objectives.sorted_features import SortedFeatureMatching
from cl3d.distill.objectives.trajectory import TrajectoryMatching

__all__ = [
    "Alternates",
    "Begins",
    "DistributionMatching",
    "GradientMatching",
    "LearningObjective",
    "MatchesMeans",
    "MatchesTogether",
    "Objective",
    "PartGradientMatching",
    "SortedFeatureMatching",
    "TrajectoryMatching",
    "WholeGradientMatching",
]
