"""Shape models: of each class the mean shape and its principal modes, from which clouds are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds, normalize
from cl3d.distill.budget import cloud_nbytes
from cl3d.distill.parameterizations.sizes import Units
from cl3d.distill.synthetic import SyntheticSet, check_drawn
from cl3d.distill.timing import fastest
from cl3d.errors import InputError, check_whole
from cl3d.ops.assignment import align
from cl3d.ops.fps import farthest_points
from cl3d.ops.modes import mean_and_modes
from cl3d.progress import Progress, silent
from cl3d.random import fold
from cl3d.random import generator as keyed_generator


class ShapeSet(SyntheticSet):
    """Clouds drawn from a Gaussian shape model of each class (MIRACLE3D).

    A class with mean shape m and modes u_1 ... u_K, each as long as the data spreads along it, decodes to::

        m + sum_k z_k u_k        z_k ~ N(0, 1)

    Its K + 1 shapes are all that is stored. A class without modes decodes to its mean, once.

    Args:
        shapes: (sum of K + 1, q, 3): class by class the mean, then the modes, that of the largest variance
            first.
        modes: K of each class.
        labels: (m,) int64 ascending, of the decoded clouds; each class with a mode has any number of them.
        seed: of the z that are drawn unless a generator is given.

    Attributes:
        shapes: parameter.
    """

    kind, draws = "shape_model", True

    def __init__(self, shapes: Tensor, modes: Sequence[int], labels: Tensor, seed: int) -> None:
        super().__init__(labels.clone())
        self.modes, self.seed = tuple(modes), seed
        self.shapes = nn.Parameter(shapes.detach().to(torch.float32, copy=True))

    def decode(self, generator: torch.Generator | None = None, num_points: int | None = None) -> PointClouds:
        """Draws of each class's model; see :class:`SyntheticSet`.

        Args:
            generator: draws each cloud's own z; None takes those of the set's seed, always the same.
        """
        clouds = [
            shapes[0] + torch.einsum("nk,kqc->nqc", z.to(shapes), shapes[1:])
            for z, shapes in zip(self.draw(generator), self._of_each_class(), strict=True)
        ]
        return self._at(PointClouds(torch.cat(clouds), self.labels), generator, num_points)

    def draw(self, generator: torch.Generator | None = None) -> list[Tensor]:
        """The z of each class's clouds, (clouds, K)."""
        return [
            torch.randn(count, modes, generator=generator or keyed_generator(self.seed, "modes", label))
            for (label, count), modes in zip(self.clouds_per_class.items(), self.modes, strict=True)
        ]

    @property
    def stored_clouds(self) -> int:
        """Means and modes."""
        return len(self.shapes)

    def prune(self, clouds_per_class: int) -> ShapeSet:
        """Draws fewer clouds of each class; what is stored stays."""
        kept = self.first_of_each_class(clouds_per_class)
        return self._with(self.shapes.detach(), self.modes, self.labels[kept])

    def shrink(self, shares: Mapping[int, int], seed: int = 0) -> ShapeSet:
        """Leaves out the modes of each class that its share does not pay for, of the least variance first."""
        stored = zip(self.clouds_per_class, self.modes, strict=True)
        size = Units({label: modes + 1 for label, modes in stored}, cloud_nbytes(self.shapes.shape[1]))
        left = size.shrunk(shares)
        if left is size:
            return self
        pairs = zip(self._of_each_class(), left.held.values(), strict=True)
        kept = [shapes[:count].detach() for shapes, count in pairs]
        counts = [
            count if len(shapes) > 1 else 1
            for count, shapes in zip(self.clouds_per_class.values(), kept, strict=True)
        ]
        classes = torch.tensor(list(self.clouds_per_class), device=self.labels.device)
        labels = classes.repeat_interleave(torch.tensor(counts, device=classes.device))
        return self._with(torch.cat(kept), [len(shapes) - 1 for shapes in kept], labels)

    def config(self) -> dict[str, Any]:
        """How many modes each class has, and the seed."""
        return {"modes": list(self.modes), "seed": self.seed}

    @classmethod
    def rebuild(cls, tensors: dict[str, Tensor], labels: Tensor, config: dict[str, Any]) -> ShapeSet:
        """From a file's tensors and settings; see :class:`SyntheticSet`."""
        if set(tensors) != {"shapes"} or set(config) != {"modes", "seed"}:
            raise InputError(f"a shape model holds 'shapes', not {sorted(tensors)} and {sorted(config)}")
        shapes, modes = tensors["shapes"], config["modes"]
        check_whole("seed", config["seed"], 0)
        if not isinstance(modes, list | tuple) or len(modes) != len(labels.unique()):
            raise InputError(f"modes={modes} is not a number for each of {len(labels.unique())} classes")
        for count in modes:
            check_whole("modes", count, 0)
        if shapes.ndim != 3 or shapes.shape[2] != 3 or len(shapes) != sum(modes) + len(modes):
            raise InputError(f"shapes are {tuple(shapes.shape)}, which {modes} modes do not fit")
        if shapes.dtype != torch.float32 or not bool(torch.isfinite(shapes).all()):
            raise InputError("a shape model holds finite float32 numbers")
        check_drawn(len(labels), shapes.shape[1])
        return cls(shapes, modes, labels, config["seed"])

    def _of_each_class(self) -> Sequence[Tensor]:
        shapes: Sequence[Tensor] = self.shapes.split([count + 1 for count in self.modes])
        return shapes

    def _with(self, shapes: Tensor, modes: Sequence[int], labels: Tensor) -> ShapeSet:
        changed = ShapeSet(shapes, modes, labels, self.seed)
        changed.info = dict(self.info)
        return changed


@dataclass(frozen=True)
class ShapeModel:
    """Stores each class as its mean shape and as many principal modes as the bytes hold (MIRACLE3D).

    The clouds x_i of a class are put in correspondence, point by point; with their mean m and the singular
    value decomposition of what is left, ``[x_i - m]_i = U S V'``, mode k is ``U_k S_k / sqrt(n - 1)``
    (Resani and Nasihatkon, 2024; see :func:`cl3d.ops.modes.mean_and_modes`). New clouds are draws; see
    :class:`ShapeSet`. The scale of a mode is folded into it, so that a mode costs as much as a cloud.

    What the paper adds to training, gradient mode regularization and distillation of the network, is no
    matter of the memory and not here. Correspondence is by exact assignment to the running mean, which is
    this library's choice.

    Attributes:
        num_points: per shape, chosen farthest from each other; None keeps all.
        clouds: of each class, whose mean and modes are taken. Aligning one costs the cube of the points.
        samples: clouds that a class decodes to.
        rounds: how often all are aligned to the mean of the round before; first to one of them.

    Raises:
        InputError: if a number is out of range.
    """

    num_points: int | None = None
    clouds: int = 64
    samples: int = 16
    rounds: int = 2

    def __post_init__(self) -> None:
        for name in ("clouds", "samples", "rounds"):
            check_whole(name, getattr(self, name), 1)
        if self.num_points is not None:
            check_whole("num_points", self.num_points, 1)

    @property
    def starts_from_picks(self) -> bool:
        """Yes."""
        return True

    def size(
        self, picks: Mapping[int, int], shares: Mapping[int, int], num_points: int, parts: bool = False
    ) -> Units:
        """A mean, and as many modes as fit and the n clouds span: n - 1 at most."""
        size = self.decoded_points(num_points)
        each = cloud_nbytes(size)
        spanned = {label: min(share // each, picks[label], 3 * size + 1) for label, share in shares.items()}
        return Units(spanned, each, self._decoded)

    def _decoded(self, shapes: int) -> int:
        return self.samples if shapes > 1 else 1

    def decoded_points(self, num_points: int) -> int:
        """As many as a shape has."""
        return num_points if self.num_points is None else self.num_points

    def seconds_to_start(self, picks: int, nbytes: int, num_points: int) -> float:
        """The time in which one cloud is aligned, for all clouds and rounds."""
        size = self.decoded_points(num_points)
        one, other = torch.randn(2, size, 3, generator=keyed_generator(0, "estimate"))
        return picks * self.rounds * fastest(lambda: align(one, other))

    def check(self, picks: int, nbytes: int, num_points: int) -> None:
        """Refuses shapes finer than the real clouds."""
        if self.num_points is not None and self.num_points > num_points:
            raise InputError(
                f"num_points={self.num_points} per shape, but the clouds have {num_points}: give that or less"
            )

    def clouds_within(self, nbytes: int, num_points: int) -> int:
        """All that the statistics are taken of, where a mean fits."""
        return self.clouds if nbytes >= cloud_nbytes(self.decoded_points(num_points)) else 0

    def start(
        self, picked: PointClouds, shares: dict[int, int], seed: int, progress: Progress = silent
    ) -> ShapeSet:
        """Mean and modes of the picked clouds, normalised; there are no more modes than clouds span."""
        size = self.decoded_points(picked.num_points)
        coarse = picked.points.float()
        if size < picked.num_points:
            chosen = farthest_points(coarse, size).unsqueeze(-1).expand(-1, -1, 3)
            coarse = coarse.gather(1, chosen)
        coarse = normalize(coarse)
        shapes, counts = [], []
        with progress("aligning", len(shares)) as advance:
            for label, share in shares.items():
                room = share // cloud_nbytes(size)
                shapes.append(mean_and_modes(coarse[picked.labels == label], room - 1, self.rounds))
                counts.append(self._decoded(len(shapes[-1])))
                advance()
        labels = torch.tensor(list(shares)).repeat_interleave(torch.tensor(counts))
        modes = [len(own) - 1 for own in shapes]
        return ShapeSet(torch.cat(shapes), modes, labels, fold(seed, "samples")).to(coarse.device)
