"""A generator: a set stored as one network that turns noise into points, and a code for each cloud."""

from __future__ import annotations

import math
from bisect import bisect_right
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from cl3d import random
from cl3d.clouds import PointClouds, normalize
from cl3d.distill.budget import cloud_nbytes
from cl3d.distill.parameterizations.fitting import fit_to_clouds
from cl3d.distill.synthetic import SyntheticSet
from cl3d.errors import InputError, check_positive, check_whole
from cl3d.models.siren import ModulatedSiren, siren_shapes

CLOUDS_AT_ONCE = 32
"""Clouds whose hidden layers are held together."""

LEAST_WIDTH = 4
"""Below it there is hardly a shape that a network can make."""


class GeneratedSet(SyntheticSet):
    """Clouds that a modulated SIREN makes of noise, one scalar from U(0, 1) for each point (DD3D).

    Args:
        siren: shared by all clouds.
        codes: (m, width) float32, one for each cloud.
        labels: (m,) int64, ascending.
        num_points: of the decoded clouds unless another number is asked for.
        noise_seed: of the noise that is decoded unless a generator is given.

    Attributes:
        siren: the network, a submodule.
        codes: (m, width) parameter.
    """

    kind = "generator"

    def __init__(
        self, siren: ModulatedSiren, codes: Tensor, labels: Tensor, num_points: int, noise_seed: int
    ) -> None:
        super().__init__(labels.clone())
        self.siren = siren
        self.codes = nn.Parameter(codes.detach().clone())
        self.num_points, self.noise_seed = num_points, noise_seed

    def decode(self, generator: torch.Generator | None = None, num_points: int | None = None) -> PointClouds:
        """The clouds, centred and scaled into the unit sphere; see :class:`SyntheticSet`.

        Args:
            generator: a CPU generator draws each cloud's own noise; None takes the set's fixed noise,
                the same for all clouds, so that a cloud does not depend on which others are stored.
            num_points: any number; there are as many points as noises.

        Raises:
            InputError: if ``num_points`` is not a whole number from 1.
        """
        wanted = self.num_points if num_points is None else num_points
        check_whole("num_points", wanted, 1)
        if generator is None:
            noise = torch.rand(1, wanted, generator=random.generator(self.noise_seed, "noise"))
        else:
            noise = torch.rand(len(self), wanted, generator=generator)
        noise = noise.to(self.codes).expand(len(self), -1)
        # a few clouds at a time, and in the backward pass anew: a hidden layer of all clouds may be gigabytes
        points = [
            checkpoint(self.siren, *some, use_reentrant=False)
            for some in zip(noise.split(CLOUDS_AT_ONCE), self.codes.split(CLOUDS_AT_ONCE), strict=True)
        ]
        return PointClouds(normalize(torch.cat(points)), self.labels)

    def prune(self, clouds_per_class: int) -> GeneratedSet:
        """Keeps the first codes of each class, and the network."""
        kept = self.first_of_each_class(clouds_per_class)
        pruned = GeneratedSet(
            deepcopy(self.siren), self.codes[kept], self.labels[kept], self.num_points, self.noise_seed
        )
        pruned.info = dict(self.info)
        return pruned

    def config(self) -> dict[str, Any]:
        """What the network is besides its weights, and what it decodes by default."""
        return {
            "width": self.siren.width,
            "w0": self.siren.w0,
            "num_points": self.num_points,
            "noise_seed": self.noise_seed,
        }

    @classmethod
    def rebuild(cls, tensors: dict[str, Tensor], labels: Tensor, config: dict[str, Any]) -> GeneratedSet:
        """From a file's tensors and settings; see :class:`SyntheticSet`."""
        if set(config) != {"width", "w0", "num_points", "noise_seed"}:
            raise InputError(f"a generator has width, w0, num_points and noise_seed, not {sorted(config)}")
        for name, least in (("width", 1), ("num_points", 1), ("noise_seed", 0)):
            check_whole(name, config[name], least)
        check_positive("w0", config["w0"])
        width, clouds = config["width"], len(labels)
        # before anything of that size is made: the width is only what a header says
        if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != _shapes(width, clouds):
            raise InputError(f"its tensors are not a generator of width {width} with {clouds} clouds")
        if any(t.dtype != torch.float32 or not bool(torch.isfinite(t).all()) for t in tensors.values()):
            raise InputError("a generator holds finite float32 numbers")
        siren = ModulatedSiren(width, config["w0"], torch.Generator())
        rebuilt = cls(siren, tensors["codes"], labels, config["num_points"], config["noise_seed"])
        rebuilt.load_state_dict(tensors)
        return rebuilt


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

    Raises:
        InputError: if a number is out of range.
    """

    width: int | None = None
    codes_per_class: int | None = None
    w0: float = 100.0
    num_points: int | None = None
    fit_iterations: int = 0
    fit_lr: float = 1e-3

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

    @property
    def decoded_per_pick(self) -> float:
        """One."""
        return 1.0

    def check(self, picks: int, nbytes: int, num_points: int) -> None:
        """Refuses bytes that do not pay for the width, or for any."""
        self._width_within(nbytes, picks)

    def clouds_within(self, nbytes: int, num_points: int) -> int:
        """As many codes as whole raw clouds would fit, or as were asked for where one of these fits."""
        fitting = nbytes // cloud_nbytes(num_points)
        return self.codes_per_class if self.codes_per_class is not None and fitting else fitting

    def start(self, picked: PointClouds, shares: dict[int, int], seed: int) -> GeneratedSet:
        """A code for each picked cloud, drawn from N(0, 1), and a network, fitted to them if asked for."""
        clouds = len(picked)
        width = self._width_within(sum(shares.values()), clouds)
        codes = torch.randn(clouds, width, generator=random.generator(seed, "codes"))
        # without a positive entry a code is 0 behind the ReLU, and its cloud one point for good
        codes = torch.where((codes > 0).any(dim=1, keepdim=True), codes, -codes)
        synthetic = GeneratedSet(
            ModulatedSiren(width, self.w0, random.generator(seed, "siren")),
            codes,
            picked.labels.cpu(),
            self.num_points or picked.num_points,
            random.fold(seed, "noise"),
        ).to(picked.points.device)
        real = normalize(picked.points.float())
        fit_to_clouds(synthetic.siren, synthetic.codes, real, self.fit_iterations, self.fit_lr, seed)
        return synthetic

    def _width_within(self, nbytes: int, clouds: int) -> int:
        largest = bisect_right(range(1, nbytes), nbytes, key=partial(generator_nbytes, clouds=clouds))
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


def generator_nbytes(width: int, clouds: int) -> int:
    """Exactly the bytes of a :class:`GeneratedSet`."""
    return 4 * sum(math.prod(shape) for shape in _shapes(width, clouds).values())


def _shapes(width: int, clouds: int) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor that a set stores, by name."""
    network = {f"siren.{name}": shape for name, shape in siren_shapes(width).items()}
    return {"codes": (clouds, width)} | network
