"""Resolution: how many points a stored cloud has, as the other side of a budget in bytes."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from cl3d.distill.condenser import Condenser
from cl3d.errors import InputError


def at_resolution(condenser: Condenser, num_points: int) -> Condenser:
    """The same condenser with clouds of that many points: for the same bytes, more of them or fewer.

    5 clouds of 1,024 points take as many bytes as 20 of 256. Real clouds that a coarse set is compared with
    (``real_points``) follow, where a condenser has them.

    Raises:
        InputError: if the points of what it stores follow from something else, or the number is no whole
            number from 1.
    """
    stored: Any = condenser.parameterization
    if not is_dataclass(stored) or "num_points" not in {field.name for field in fields(stored)}:
        raise InputError(
            f"resolution={num_points}: the points of {type(stored).__name__} follow from its other settings: "
            "leave the resolution out, or store points; of several condensers, set "
            "condenser.parameterization.num_points for those that have it"
        )
    changes: dict[str, Any] = {"parameterization": replace(stored, num_points=num_points)}  # type: ignore[type-var]
    if condenser.real_points is not None:
        changes["real_points"] = num_points
    return replace(condenser, **changes)
