"""Class orders as files: the same stream years later, whatever draws it by then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cl3d.errors import InputError

FORMAT_VERSION = 1


def read_order(path: str | Path, class_names: tuple[str, ...], seed: int) -> list[int]:
    """One of the class orders in a file, as labels.

    The file is JSON: ``format_version``, ``name`` and ``orders``, a list of permutations of the class names.

    Args:
        class_names: of the data set, in label order.
        seed: which order, from 0.

    Raises:
        InputError: if the file is missing, of a newer format, has no such order, or the order is not one
            of these classes.
    """
    content = _read(Path(path))
    orders = content["orders"]
    if not 0 <= seed < len(orders):
        raise InputError(
            f"{path} has {len(orders)} class orders, for seeds 0 to {len(orders) - 1}, not for {seed}: "
            "give one of these by order_seed=, or leave class_order out"
        )
    names = [str(name) for name in orders[seed]]
    differing = sorted(set(names) ^ set(class_names)) or [n for n in set(names) if names.count(n) > 1]
    if differing:
        raise InputError(
            f"order {seed} of {path} is not one of the data set's {len(class_names)} classes (see "
            f"{', '.join(differing[:3])}): give the orders of this data set"
        )
    labels = {name: label for label, name in enumerate(class_names)}
    return [labels[name] for name in names]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, orders = content["format_version"], content["orders"]
    except FileNotFoundError as error:
        raise InputError(
            f"there is no file {path}: give one with class orders, or leave class_order out"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is no file of class orders ({error!r}): see docs/streams.md") from error
    if (
        version != FORMAT_VERSION
        or not isinstance(orders, list)
        or not all(isinstance(o, list) for o in orders)
    ):
        raise InputError(f"{path} is no file of class orders of format {FORMAT_VERSION}: see docs/streams.md")
    return dict(content)
