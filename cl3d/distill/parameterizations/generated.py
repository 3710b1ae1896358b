"""The set of a generator: one network that turns noise into points, and a code for each cloud."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from cl3d import random
from cl3d.clouds import PointClouds, normalize
from cl3d.distill.parameterizations.fitting import fit_to_clouds
from cl3d.distill.parameterizations.generator_size import GeneratorSize, generator_shapes
from cl3d.distill.parameterizations.part_cut import PartCut
from cl3d.distill.synthetic import SyntheticSet, check_drawn
from cl3d.errors import InputError, check_positive, check_range, check_whole
from cl3d.models.siren import ModulatedSiren
from cl3d.progress import Progress, silent

CLOUDS_AT_ONCE = 32
"""Clouds whose hidden layers are held together."""

LARGEST_W0 = 1e9
"""Far above it the sine's argument overflows."""

REFIT_ITERATIONS, REFIT_LR = 200, 3e-3
"""Of a network that takes over from a larger one."""


class GeneratedSet(SyntheticSet):
    """Clouds that a modulated SIREN makes of noise, one scalar from U(0, 1) for each point (DD3D).

    Args:
        siren: shared by all clouds.
        codes: (m, width) float32, one for each cloud.
        labels: (m,) int64, ascending.
        num_points: of the decoded clouds unless another number is asked for.
        noise_seed: of the noise that is decoded unless a generator is given.
        cut: what part a noise belongs to; None where clouds have no parts.

    Attributes:
        siren: the network, a submodule.
        codes: (m, width) parameter.
        cut: a submodule, or None; its ends are stored and count, 4 bytes for each part.
    """

    kind = "generator"

    def __init__(
        self,
        siren: ModulatedSiren,
        codes: Tensor,
        labels: Tensor,
        num_points: int,
        noise_seed: int,
        cut: PartCut | None = None,
    ) -> None:
        super().__init__(labels.clone())
        self.siren, self.cut = siren, cut
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
        make = partial(checkpoint, self.siren, use_reentrant=False) if torch.is_grad_enabled() else self.siren
        pairs = zip(noise.split(CLOUDS_AT_ONCE), self.codes.split(CLOUDS_AT_ONCE), strict=True)
        points = [make(*some) for some in pairs]
        parts = None if self.cut is None else self.cut.parts_at(noise, self.ranks)
        return PointClouds(normalize(torch.cat(points)), self.labels, parts)

    @property
    def ranks(self) -> Tensor:
        """The place of each cloud's class among those of the set, (m,) int64."""
        ranks: Tensor = self.labels.unique(return_inverse=True)[1]
        return ranks

    def prune(self, clouds_per_class: int) -> GeneratedSet:
        """Keeps the first codes of each class, and the network."""
        return self._codes(clouds_per_class)

    def _codes(self, clouds_per_class: int | Mapping[int, int]) -> GeneratedSet:
        kept = self.first_of_each_class(clouds_per_class)
        pruned = GeneratedSet(
            deepcopy(self.siren),
            self.codes[kept],
            self.labels[kept],
            self.num_points,
            self.noise_seed,
            deepcopy(self.cut),
        )
        pruned.info = dict(self.info)
        return pruned

    def shrink(self, shares: Mapping[int, int], seed: int = 0) -> GeneratedSet:
        """Hands the first codes' clouds to a narrower network, which is fitted to what this one decodes.

        The network takes nearly all of the bytes, so that fewer codes alone would not do. The codes that
        are kept are those whose part of the set, network included, stays within their class's share; at
        least one of each class, and no more than leave bytes for a network.

        Args:
            seed: of the new network and its fit.
        """
        cut_nbytes = 0 if self.cut is None else self.cut.nbytes
        size = GeneratorSize(self.clouds_per_class, self.siren.width, cut_nbytes)
        left = size.shrunk(shares)
        if left is size:
            return self
        kept = self._codes(left.codes)
        if left.width == self.siren.width:
            return kept
        smaller = drawn(kept.labels, left.width, self.siren.w0, self.num_points, seed, deepcopy(self.cut))
        smaller = smaller.to(self.codes.device)
        with torch.no_grad():
            clouds = kept.decode()
        smaller.fit(clouds, REFIT_ITERATIONS, REFIT_LR, seed)
        smaller.info = dict(self.info)
        return smaller

    def fit(
        self, clouds: PointClouds, updates: int, lr: float, seed: int, progress: Progress = silent
    ) -> None:
        """Brings each cloud near the given one, part by part where they have parts; see `fit_to_clouds`."""
        ranks, cut = self.ranks, self.cut

        def noise_for(rows: Tensor, kept: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor | None]:
            if cut is None or clouds.parts is None:
                return torch.rand(len(rows), len(kept), generator=draws).to(clouds.points), None
            parts = clouds.parts[rows][:, kept]
            return cut.noise_for(parts, ranks[rows], draws), parts

        fit_to_clouds(self.siren, self.codes, clouds.points, noise_for, updates, lr, seed, progress)

    def config(self) -> dict[str, Any]:
        """What the network is besides its weights, what it decodes by default, and each class's parts."""
        return {
            "width": self.siren.width,
            "w0": self.siren.w0,
            "num_points": self.num_points,
            "noise_seed": self.noise_seed,
            **({} if self.cut is None else {"parts": self.cut.parts}),
        }

    @classmethod
    def rebuild(cls, tensors: dict[str, Tensor], labels: Tensor, config: dict[str, Any]) -> GeneratedSet:
        """From a file's tensors and settings; see :class:`SyntheticSet`."""
        if set(config) - {"parts"} != {"width", "w0", "num_points", "noise_seed"}:
            raise InputError(f"a generator has width, w0, num_points and noise_seed, not {sorted(config)}")
        for name, least in (("width", 1), ("num_points", 1), ("noise_seed", 0)):
            check_whole(name, config[name], least)
        check_positive("w0", config["w0"])
        check_range("w0", config["w0"], 0, LARGEST_W0)
        check_drawn(len(labels), config["num_points"])
        cut = None
        if "parts" in config:
            tensors = dict(tensors)
            cut = PartCut.rebuild(config["parts"], tensors.pop("cut.ends", torch.zeros(0)))
            if len(cut.parts) != len(labels.unique()):
                raise InputError(f"parts of {len(cut.parts)} classes, but there are {len(labels.unique())}")
        width, clouds = config["width"], len(labels)
        # before anything of that size is made: the width is only what a header says
        if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != generator_shapes(width, clouds):
            raise InputError(f"its tensors are not a generator of width {width} with {clouds} clouds")
        if any(t.dtype != torch.float32 or not bool(torch.isfinite(t).all()) for t in tensors.values()):
            raise InputError("a generator holds finite float32 numbers")
        siren = ModulatedSiren(width, config["w0"], torch.Generator())
        rebuilt = cls(siren, tensors["codes"], labels, config["num_points"], config["noise_seed"], cut)
        rebuilt.load_state_dict(tensors, strict=cut is None)
        return rebuilt


def drawn(
    labels: Tensor, width: int, w0: float, num_points: int, seed: int, cut: PartCut | None = None
) -> GeneratedSet:
    """A set that nothing is known of yet: a code from N(0, 1) for each label, and an untrained network."""
    codes = torch.randn(len(labels), width, generator=random.generator(seed, "codes"))
    # without a positive entry a code is 0 behind the ReLU, and its cloud one point for good
    codes = torch.where((codes > 0).any(dim=1, keepdim=True), codes, -codes)
    siren = ModulatedSiren(width, w0, random.generator(seed, "siren"))
    return GeneratedSet(siren, codes, labels.cpu(), num_points, random.fold(seed, "noise"), cut)
