"""How many bytes a generator takes, how wide one may be, and what shrinking leaves of it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from cl3d.distill.synthetic import too_small
from cl3d.models.siren import siren_shapes

LEAST_WIDTH = 4
"""Below it there is hardly a shape that a network can make."""


@dataclass(frozen=True)
class GeneratorSize:
    """A network for all clouds and a code for each; see :class:`~cl3d.distill.parameterizations.sizes.Size`.

    Attributes:
        codes: of each class.
        width: of the network and the codes.
        cut_nbytes: what the parts take besides.
    """

    codes: Mapping[int, int]
    width: int
    cut_nbytes: int = 0

    @property
    def clouds(self) -> int:
        """One for each code."""
        return sum(self.codes.values())

    def shrunk(self, shares: Mapping[int, int]) -> GeneratorSize:
        """See :meth:`~cl3d.distill.GeneratedSet.shrink`."""
        allowed = sum(shares[label] for label in self.codes)
        nbytes = generator_nbytes(self.width, self.clouds) + self.cut_nbytes
        if nbytes <= allowed:
            return self
        each = nbytes / self.clouds
        counts = {label: int(shares[label] / each) for label in self.codes}
        allowed -= self.cut_nbytes  # what is left for network and codes
        while max(counts.values()) > 1 and generator_nbytes(LEAST_WIDTH, sum(counts.values())) > allowed:
            counts = {label: count - 1 for label, count in counts.items()}
        kept = {label: min(max(1, count), self.codes[label]) for label, count in counts.items()}
        width = min(largest_width(allowed, sum(kept.values())), self.width)
        if width < LEAST_WIDTH:
            raise too_small(allowed, generator_nbytes(LEAST_WIDTH, sum(kept.values())))
        return replace(self, codes=kept, width=width)


def largest_width(nbytes: int, clouds: int) -> int:
    """Of the networks that, with a code for each cloud, fit into the bytes; 0 where none does."""
    return bisect_right(range(1, nbytes), nbytes, key=partial(generator_nbytes, clouds=clouds))


def generator_nbytes(width: int, clouds: int) -> int:
    """Exactly the bytes of a network and codes; see :class:`GeneratorSize`."""
    return 4 * sum(math.prod(shape) for shape in generator_shapes(width, clouds).values())


def generator_shapes(width: int, clouds: int) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor that a set stores, by name."""
    network = {f"siren.{name}": shape for name, shape in siren_shapes(width).items()}
    return {"codes": (clouds, width)} | network
