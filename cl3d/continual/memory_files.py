"""The files of a memory: each set when it is made, and again whenever it has shrunk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cl3d.distill import SyntheticSet, load, save

MEMORY = "memory"
"""The folder of these files in a run's."""

PROVENANCE = (
    "dataset",
    "data_fingerprint",
    "num_points",
    "model",
    "buffer_settings",
    "budget",
    "leaks",
    "seed",
    "class_names",
)
"""Settings of a run that the files of its memory tell."""


def set_file(step: int, after: int | None = None) -> str:
    """The name of the file of the set that ``step`` (from 0) made, or of what is left ``after`` another."""
    return f"step_{step + 1:02d}" + ("" if after is None else f"_after_{after + 1:02d}") + ".safetensors"


def initial_file(folder: Path, step: int) -> Path:
    """Where a run's folder keeps what the set of ``step`` (from 0) started from, if it does."""
    return folder / "initial" / set_file(step)


class MemoryFiles:
    """Keeps a memory's sets in one folder; a file that was written is never changed.

    ``step_<i>.safetensors`` is the set that step i made, ``step_<i>_after_<j>.safetensors`` what step j left
    of it. After each step the memory is some of these files, which :meth:`write` names.

    Args:
        folder: of the files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: list[tuple[SyntheticSet, str]] = []

    def write(self, sets: Sequence[SyntheticSet], step: int, provenance: dict[str, Any]) -> list[str]:
        """Writes the sets that are new or have changed.

        Args:
            sets: the memory after ``step`` (from 0), in the order in which they were made.
            provenance: of all sets; the set's own step and classes are added.

        Returns:
            The file names that are the memory after the step, one for each set.

        Raises:
            InputError: if one cannot be written.
        """
        kept = []
        for place, synthetic in enumerate(sets):
            if place < len(self._kept) and self._kept[place][0] is synthetic:
                kept.append(self._kept[place])
                continue
            name = set_file(place, None if place == step else step)
            where = provenance | {"step": place, "classes": list(synthetic.clouds_per_class)}
            save(synthetic, self.folder / name, where)
            kept.append((synthetic, name))
        self._kept = kept
        return [name for _, name in kept]

    def read(self, names: Sequence[str]) -> list[SyntheticSet]:
        """The sets of these files.

        Raises:
            InputError: if one is missing or damaged.
        """
        self._kept = [(load(self.folder / name), name) for name in names]
        return [synthetic for synthetic, _ in self._kept]
