"""A generator as a parameterization: how wide it is, and what it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch

from cl3d.clouds import PointClouds, normalize
from cl3d.distill.budget import cloud_nbytes
from cl3d.distill.parameterizations.fitting import CLOUDS_PER_UPDATE
from cl3d.distill.parameterizations.generated import GeneratedSet, drawn
from cl3d.distill.parameterizations.generator_size import (
    LEAST_WIDTH,
    GeneratorSize,
    generator_nbytes,
    largest_width,
)
from cl3d.distill.parameterizations.part_cut import PartCut
from cl3d.distill.timing import fastest
from cl3d.errors import InputError, check_positive, check_whole
from cl3d.progress import Progress, silent
from cl3d.random import generator


@dataclass(frozen=True)
class Generator:
    """Stores a set as a :class:`GeneratedSet`: one network for all clouds and one code for each (DD3D).

    Attributes:
        width: of the network and the codes; None is the largest that the budget pays for.
        codes_per_class: None is as many as whole raw clouds would fit. DD3D counts codes and not the
            network's bytes: its settings take one code per class and far more bytes than one raw cloud.
        w0: frequency of the first layer; DD3D's code has 100 for CAD models, 50 for scans, 400 for parts.
        num_points: points per cloud while distilling; None is that of the real clouds.
        fit_iterations: updates that fit the untrained network to the picked clouds before it is
            distilled; 0 starts from scratch, as DD3D does.
        fit_lr: Adam's learning rate for these.
        cut: the parts of noises, for clouds that have parts; :meth:`for_parts` takes it from real clouds.

    Raises:
        InputError: if a number is out of range.
    """

    width: int | None = None
    codes_per_class: int | None = None
    w0: float = 100.0
    num_points: int | None = None
    fit_iterations: int = 0
    fit_lr: float = 1e-3
    cut: PartCut | None = field(default=None, repr=False, compare=False)
    takes_parts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.width is not None:
            check_whole("width", self.width, LEAST_WIDTH)
        for name in ("codes_per_class", "num_points"):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name), 1)
        check_whole("fit_iterations", self.fit_iterations, 0)
        check_positive("w0", self.w0)
        check_positive("fit_lr", self.fit_lr)

    @property
    def starts_from_picks(self) -> bool:
        """Where it is fitted to them."""
        return self.fit_iterations > 0

    def size(
        self, picks: Mapping[int, int], shares: Mapping[int, int], num_points: int, parts: bool = False
    ) -> GeneratorSize:
        """A code for each picked cloud; the few bytes of parts are left out, being known when clouds are."""
        return GeneratorSize(picks, self._width_within(sum(shares.values()), sum(picks.values())))

    def decoded_points(self, num_points: int) -> int:
        """As many as are asked for while distilling."""
        return num_points if self.num_points is None else self.num_points

    def seconds_to_start(self, picks: int, nbytes: int, num_points: int) -> float:
        """The time of one update that fits the network, as often as there are updates."""
        if not self.fit_iterations:
            return 0.0
        clouds = torch.randn(min(picks, CLOUDS_PER_UPDATE), num_points, 3, generator=generator(0, "estimate"))
        labels = torch.zeros(len(clouds), dtype=torch.int64)
        synthetic = drawn(labels, self._width_within(nbytes, picks), self.w0, num_points, 0)
        real = PointClouds(normalize(clouds), labels)
        return self.fit_iterations * fastest(lambda: synthetic.fit(real, 1, self.fit_lr, 0))

    def check(self, picks: int, nbytes: int, num_points: int) -> None:
        """Refuses bytes that do not pay for the width, or for any."""
        self._width_within(nbytes, picks)

    def clouds_within(self, nbytes: int, num_points: int) -> int:
        """As many codes as whole raw clouds would fit, or as were asked for where one of these fits."""
        fitting = nbytes // cloud_nbytes(num_points)
        return self.codes_per_class if self.codes_per_class is not None and fitting else fitting

    def start(
        self, picked: PointClouds, shares: dict[int, int], seed: int, progress: Progress = silent
    ) -> GeneratedSet:
        """A code for each picked cloud, drawn from N(0, 1), and a network, fitted to them if asked for."""
        nbytes = sum(shares.values()) - (0 if self.cut is None else self.cut.nbytes)
        width = self._width_within(nbytes, len(picked))
        points = self.decoded_points(picked.num_points)
        synthetic = drawn(picked.labels, width, self.w0, points, seed, deepcopy(self.cut))
        synthetic = synthetic.to(picked.points.device)
        real = picked.with_points(normalize(picked.points.float()))
        synthetic.fit(real, self.fit_iterations, self.fit_lr, seed, progress)
        return synthetic

    def for_parts(self, real: PointClouds) -> Generator:
        """See :class:`~cl3d.distill.parameterizations.base.CutByParts`."""
        return replace(self, cut=PartCut.estimated(real))

    def _width_within(self, nbytes: int, clouds: int) -> int:
        largest = largest_width(nbytes, clouds)
        if largest < LEAST_WIDTH:
            raise InputError(
                f"{nbytes} bytes are too few for a generator of {clouds} clouds: "
                f"give at least {generator_nbytes(LEAST_WIDTH, clouds)}, or store points"
            )
        if self.width is not None and self.width > largest:
            raise InputError(
                f"a generator of width {self.width} with {clouds} clouds takes "
                f"{generator_nbytes(self.width, clouds)} bytes of {nbytes}: give a width up to {largest}"
            )
        return self.width or largest
