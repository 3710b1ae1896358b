"""The parts of a user's own clouds: which part each point has, beside the points in the same file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cl3d.data.array_files import Arrays, described
from cl3d.data.part_hdf5 import check_owners
from cl3d.errors import InputError

PARTS = ("parts", "pid")
NAMES = "part_names"


@dataclass(frozen=True)
class OwnParts:
    """What a file says of all its parts.

    Attributes:
        names: ``<class>/<part>``, in the order of the part numbers.
        owners: (parts,) int64, the class that each belongs to.
    """

    names: tuple[str, ...]
    owners: Tensor

    def read(
        self, arrays: Arrays, key: str, shape: tuple[int, int], rows: Sequence[int], labels: Tensor
    ) -> Tensor:
        """The parts of some clouds, (n, p) int64.

        Args:
            shape: clouds in the file, and points of each.
            rows: positions of the clouds in the file.
            labels: (n,) int64, their classes.

        Raises:
            InputError: naming the file, if the array has another shape or dtype, or a point a part that is
                none of its class's.
        """
        stored = arrays.array(key)
        if stored.dtype.kind not in "iu" or stored.shape != shape:
            raise InputError(
                f"{arrays.path}: {key!r} is {described(stored)}; give integers of shape {shape}, a part for "
                "each point"
            )
        parts = torch.from_numpy(stored[np.asarray(rows)].astype(np.int64))
        check_owners(arrays.path, parts, labels, self.owners, rows)
        return parts


def own_parts(arrays: Arrays, class_names: Sequence[str]) -> OwnParts | None:
    """The parts that a file names; None where it has no ``part_names``.

    Raises:
        InputError: naming the file, if the names are no texts, not all different, or not each of one class.
    """
    if NAMES not in arrays.keys:
        return None
    stored = arrays.array(NAMES)
    if stored.dtype.kind != "U" or stored.ndim != 1:
        raise InputError(f"{arrays.path}: {NAMES!r} is {described(stored)}; give texts of shape (parts,)")
    names = [str(name) for name in stored]
    owners = []
    for name in names:
        of_classes = [label for label, owner in enumerate(class_names) if name.startswith(f"{owner}/")]
        if len(of_classes) != 1 or names.count(name) > 1 or name.endswith("/"):
            raise InputError(
                f"{arrays.path}: the part name {name[:40]!r} is not <class>/<part> of one class, or stands "
                "there twice: give each part a name of its own behind that of its class"
            )
        owners += of_classes
    return OwnParts(tuple(names), torch.tensor(owners, dtype=torch.int64))
