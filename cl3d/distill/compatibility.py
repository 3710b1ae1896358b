"""Which parts of a condenser go together, and with which networks."""

from __future__ import annotations

from typing import Any

from cl3d.distill.objectives import Objective, SortedFeatureMatching
from cl3d.distill.parameterizations.base import Parameterization
from cl3d.distill.surrogates import Surrogates
from cl3d.errors import InputError
from cl3d.models import Net, SegmentationNet
from cl3d.ops.uniformity import LEAST_POINTS


def check_composition(
    name: str,
    objective: Objective | None,
    parameterization: Parameterization,
    surrogates: Surrogates,
    iterations: int,
) -> None:
    """Refuses parts that make no sense together.

    Args:
        name: of the condenser.

    Raises:
        InputError: saying what is missing.
    """
    if objective is None:
        if not parameterization.starts_from_picks:
            raise InputError(
                f"{name}: without an objective {type(parameterization).__name__} would be left as it was "
                "drawn: give an objective, or fit_iterations to start from real clouds"
            )
        return
    if iterations < 1:
        raise InputError(f"{name} has an objective but iterations={iterations}: give at least 1")
    if objective.needs_target and not surrogates.gives_target:
        raise InputError(
            f"{name}: {type(objective).__name__} compares with where experts went, which "
            f"{type(surrogates).__name__} does not know: give surrogates=experts"
        )


def check_resolution(
    name: str,
    objective: Objective | None,
    parameterization: Parameterization,
    num_points: int,
    real_points: int | None,
) -> None:
    """Refuses numbers of points that the parts cannot work with.

    Args:
        name: of the condenser.
        num_points: of the real clouds.
        real_points: of these that the objective is shown; None: all.

    Raises:
        InputError: if there are fewer than that, or sorted feature maps would be finer than the real ones
            or too coarse to have a uniformity.
    """
    if real_points is not None and real_points > num_points:
        raise InputError(f"real_points={real_points}, but the clouds have {num_points}: give that or less")
    if not isinstance(objective, SortedFeatureMatching):
        return
    shown, stored = real_points or num_points, parameterization.decoded_points(num_points)
    if stored > shown:
        raise InputError(
            f"{name}: clouds of {stored} points, which {type(objective).__name__} compares with real ones of "
            f"{shown}: give clouds as fine as these or coarser"
        )
    if stored < min(shown, LEAST_POINTS):
        raise InputError(
            f"{name}: clouds of {stored} points, which {type(objective).__name__} compares with parts of "
            f"real ones of {shown}: give clouds of at least {LEAST_POINTS} points"
        )


def check_together(
    name: str, net: Net, objective: Objective | None, parameterization: Any, surrogates: Any
) -> None:
    """Refuses a network that not all of a condenser's parts can work with.

    Args:
        name: of the condenser.

    Raises:
        InputError: if the objective differentiates gradients of a network that does not allow it, or the
            network segments and a part does not say ``takes_parts``.
    """
    if isinstance(net, SegmentationNet):
        parts = {"objective": objective, "parameterization": parameterization, "surrogates": surrogates}
        for kind, part in parts.items():
            if part is not None and not getattr(part, "takes_parts", False):
                raise InputError(
                    f"{name}: {type(part).__name__} knows nothing of parts, only of classes: give another "
                    f"{kind} for part segmentation"
                )
    elif objective is not None and objective.second_order and not net.twice_differentiable:
        raise InputError(
            f"{type(objective).__name__} differentiates gradients of a network, which "
            f"{type(net).__name__} says it does not allow (twice_differentiable): give another model, or "
            "an objective on features, as distribution matching"
        )
