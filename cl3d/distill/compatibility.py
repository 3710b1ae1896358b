"""Which networks the parts of a condenser can work with."""

from __future__ import annotations

from typing import Any

from cl3d.distill.objectives import Objective
from cl3d.errors import InputError
from cl3d.models import Net, SegmentationNet


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
