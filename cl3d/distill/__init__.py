"""Data set distillation of point clouds, standing alone: nothing here imports Avalanche.

The front door: ``from cl3d.distill import distill, evaluate, load, presets``.
"""

from cl3d.distill import presets, protocols
from cl3d.distill.augment import Augmentation
from cl3d.distill.budget import Budget
from cl3d.distill.condenser import Condenser
from cl3d.distill.distill import distill
from cl3d.distill.evaluate import evaluate
from cl3d.distill.evaluation import Evaluation
from cl3d.distill.experts import Experts
from cl3d.distill.files import load, save
from cl3d.distill.initializers import Herding, Initializer, KCenter, Random
from cl3d.distill.loop import Diverged
from cl3d.distill.mixup import PointMixup
from cl3d.distill.nearest_mean import NearestMean
from cl3d.distill.networks import Networks, resolve_device
from cl3d.distill.objectives import (
    DistributionMatching,
    GradientMatching,
    Objective,
    PartGradientMatching,
    SortedFeatureMatching,
    TrajectoryMatching,
    WholeGradientMatching,
)
from cl3d.distill.optimizers import SGD, Adam
from cl3d.distill.parameterizations.anchor_set import AnchorSet
from cl3d.distill.parameterizations.anchors import Anchors
from cl3d.distill.parameterizations.angles import TurnedPoints
from cl3d.distill.parameterizations.base import Parameterization
from cl3d.distill.parameterizations.generated import GeneratedSet
from cl3d.distill.parameterizations.generator import Generator
from cl3d.distill.parameterizations.points import Points, PointSet
from cl3d.distill.parameterizations.shape_model import ShapeModel, ShapeSet
from cl3d.distill.part_evaluation import PartEvaluation
from cl3d.distill.reservoir import Reservoir
from cl3d.distill.resolution import at_resolution
from cl3d.distill.show import show
from cl3d.distill.soft_labels import SoftLabelSet, with_soft_labels
from cl3d.distill.spectral import Spectral
from cl3d.distill.surrogates import Fresh, Surrogates, Trained
from cl3d.distill.synthetic import SyntheticSet
from cl3d.distill.training import Training, fit

__all__ = [
    "SGD",
    "Adam",
    "AnchorSet",
    "Anchors",
    "Augmentation",
    "Budget",
    "Condenser",
    "DistributionMatching",
    "Diverged",
    "Evaluation",
    "Experts",
    "Fresh",
    "GeneratedSet",
    "Generator",
    "GradientMatching",
    "Herding",
    "Initializer",
    "KCenter",
    "NearestMean",
    "Networks",
    "Objective",
    "Parameterization",
    "PartEvaluation",
    "PartGradientMatching",
    "PointMixup",
    "PointSet",
    "Points",
    "Random",
    "Reservoir",
    "ShapeModel",
    "ShapeSet",
    "SoftLabelSet",
    "SortedFeatureMatching",
    "Spectral",
    "Surrogates",
    "SyntheticSet",
    "Trained",
    "Training",
    "TrajectoryMatching",
    "TurnedPoints",
    "WholeGradientMatching",
    "at_resolution",
    "distill",
    "evaluate",
    "fit",
    "load",
    "presets",
    "protocols",
    "resolve_device",
    "save",
    "show",
    "with_soft_labels",
]
