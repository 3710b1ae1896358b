"""The methods with defaults that work on the data here, on a laptop."""

from __future__ import annotations

from cl3d.distill.condenser import Condenser
from cl3d.distill.experts import Experts
from cl3d.distill.initializers import Herding, KCenter, Random
from cl3d.distill.objectives import (
    DistributionMatching,
    GradientMatching,
    SortedFeatureMatching,
    TrajectoryMatching,
)
from cl3d.distill.optimizers import SGD, Adam
from cl3d.distill.parameterizations.anchors import Anchors
from cl3d.distill.parameterizations.angles import TurnedPoints
from cl3d.distill.parameterizations.generator import Generator
from cl3d.distill.parameterizations.points import Points
from cl3d.distill.surrogates import Fresh, Trained
from cl3d.distill.training import Training

_ON_THE_SET = Trained(inner=10, training=Training(epochs=1, batch_size=256, optimizer=SGD(lr=0.01)))

_FIRST_EPOCH = Experts(experts=16, span=1, training=Training(epochs=1, batch_size=32, optimizer=SGD(lr=0.01)))


def random() -> Condenser:
    """Clouds drawn at random."""
    return Condenser(name="random", initializer=Random())


def herding() -> Condenser:
    """Herding in the features of a network trained on the data (PCC, algorithm 1)."""
    return Condenser(name="herding", initializer=Herding())


def k_center() -> Condenser:
    """Greedy k-center in the same features (Sener and Savarese, ICLR 2018)."""
    return Condenser(name="k_center", initializer=KCenter())


def dc(iterations: int = 200) -> Condenser:
    """Gradient matching from random clouds (Zhao, Mopuri and Bilen, ICLR 2021)."""
    return Condenser(
        name="dc",
        initializer=Random(),
        objective=GradientMatching("row_cosine"),
        surrogates=_ON_THE_SET,
        optimizer=Adam(lr=3e-3),
        iterations=iterations,
        real_batch=16,
    )


def pcc(iterations: int = 100) -> Condenser:
    """Gradient matching from herded clouds (the PCC paper, section 4, algorithm 2).

    Many real clouds and small steps: matching follows noise before it follows the data, and herded clouds
    have more to lose than random ones (docs/results.md).
    """
    return Condenser(
        name="pcc",
        initializer=Herding(),
        objective=GradientMatching("layer_cosine"),
        surrogates=Fresh(every=1),
        optimizer=SGD(lr=0.03, momentum=0.9),
        schedule="cosine",
        iterations=iterations,
        real_batch=64,
    )


def dm(iterations: int = 200) -> Condenser:
    """Mean-feature matching from random clouds (Zhao and Bilen, WACV 2023)."""
    return Condenser(
        name="dm",
        initializer=Random(),
        objective=DistributionMatching(),
        surrogates=Fresh(every=1),
        optimizer=Adam(lr=3e-3),
        iterations=iterations,
        real_batch=16,
    )


def mtt(iterations: int = 120) -> Condenser:
    """Trajectory matching from random clouds (Cazenavette et al., CVPR 2022).

    Its many experts are followed through their first epoch alone: further on, few clouds cannot follow, and
    larger steps of the set or the student harm it (docs/results.md).
    """
    return Condenser(
        name="mtt",
        initializer=Random(),
        objective=TrajectoryMatching(),
        surrogates=_FIRST_EPOCH,
        optimizer=Adam(lr=3e-3),
        iterations=iterations,
        real_batch=8,
    )


def sadm(iterations: int = 100) -> Condenser:
    """Sorted feature maps from random clouds that may turn (SADM, Yim et al., 2025)."""
    return Condenser(
        name="sadm",
        initializer=Random(),
        parameterization=TurnedPoints(),
        objective=SortedFeatureMatching(),
        surrogates=Fresh(every=1),
        optimizer=SGD(lr=1.0, momentum=0.5),
        iterations=iterations,
        real_batch=8,
    )


def dd3d(iterations: int = 200) -> Condenser:
    """A generator (the DD3D paper, section 4, algorithm 1) by mean-feature matching.

    It starts fitted to random clouds, which the paper names as a wish: from scratch, as in ``dd3d_paper``,
    its clouds stay tangles of curves for many hundred iterations. The paper's gradient matching gains less on
    that start (docs/results.md).
    """
    return Condenser(
        name="dd3d",
        initializer=Random(),
        parameterization=Generator(fit_iterations=600),
        objective=DistributionMatching(),
        surrogates=Fresh(every=1),
        optimizer=Adam(lr=3e-4, weight_decay=5e-4),
        schedule="half",
        iterations=iterations,
        real_batch=16,
    )


def morphing(iterations: int = 100) -> Condenser:
    """Sorted feature maps of coarse anchors and their blends (the morphing paper, section 3, algorithm 1)."""
    return Condenser(
        name="morphing",
        initializer=Random(),
        parameterization=Anchors(anchors=4, blends=16),
        objective=SortedFeatureMatching(beta=0.0, absolute=True),
        surrogates=Fresh(every=1),
        optimizer=SGD(lr=10.0, momentum=0.5),
        iterations=iterations,
        real_batch=8,
    )


def random_coarse(num_points: int = 64) -> Condenser:
    """Random clouds of few points: as many as the same bytes hold."""
    return Condenser(
        name="random_coarse", initializer=Random(), parameterization=Points(num_points=num_points)
    )


def herding_coarse(num_points: int = 64) -> Condenser:
    """Herded clouds of few points: as many as the same bytes hold."""
    return Condenser(
        name="herding_coarse", initializer=Herding(), parameterization=Points(num_points=num_points)
    )


def coarse(iterations: int = 200) -> Condenser:
    """Many clouds of 64 points stored as bytes, their mean features matched: this library's own method.

    At equal bytes, more and coarser clouds beat finer ones, and distilling them beats picking them
    (docs/results.md).
    """
    return Condenser(
        name="coarse",
        initializer=Random(),
        parameterization=Points(num_points=64, storage="uint8"),
        objective=DistributionMatching(),
        surrogates=Fresh(every=1),
        optimizer=Adam(lr=3e-3),
        iterations=iterations,
        real_batch=64,
        real_points=64,
    )
