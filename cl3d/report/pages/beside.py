"""Which other runs may stand beside one in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cl3d.errors import InputError
from cl3d.report.curves import read_results
from cl3d.report.groups import PROTOCOLS, Run, group_by_seed, steps_of

MOST = 40
"""Runs that are looked at in a folder, the newest."""


def neighbours(run: Run, others: Sequence[Path] = ()) -> list[Run]:
    """Finished runs of the same data, class order and steps, whose accuracies may be compared.

    Args:
        others: folders that are looked at besides those that lie beside the run's own.
    """
    own = Path(run["folder"]).resolve()
    beside = sorted(own.parent.glob("*/results.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    found: list[Run] = []
    for folder in dict.fromkeys([*(o.resolve() for o in others), *(path.parent for path in beside[:MOST])]):
        if folder == own:
            continue
        try:
            other = read_results(folder)
            if _same(run, other):
                group_by_seed([run, other])  # refuses what must not stand side by side
                group_by_seed([*found, other])  # and what is there twice
                found.append(other)
        except InputError:
            continue  # unfinished, damaged, or of another kind: no matter of this run
    return found


def _same(run: Run, other: Run) -> bool:
    """Whether both learn the same classes in the same steps; what learns them all at once always does."""
    bound = other["settings"]["strategy"] not in PROTOCOLS
    return steps_of(other) == steps_of(run) or (bound and steps_of(other) == 1)
