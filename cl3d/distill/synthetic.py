"""SyntheticSet: what a condenser returns, a value that autograd can reach."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.errors import InputError

MOST_POINTS = 1 << 26
"""That a file may ask to draw: 0.8 GB of coordinates."""


class SyntheticSet(nn.Module, ABC):
    """A small set of labelled clouds in whatever form it is stored.

    The stored tensors are the module's parameters and the buffers named by :meth:`stored`;
    :meth:`decode` turns them into clouds, differentiably.

    Hard labels cost no bytes: clouds are kept in class order, so a set's labels are the counts per
    class, which stand in a file's header like the shapes of its tensors. In the same way parts cost none
    where points are kept in the order of their parts, so that their numbers say it all. Everything else that
    is needed to decode counts.

    Attributes:
        kind: what a file says to find this class again.
        labels: (m,) int64, the class of each decoded cloud, ascending.
        info: what to know of how it came about (loss, distance moved); saved with it.
        initial: the clouds that it started from, to look at them beside each other; neither stored nor
            counted, and None where they are not known, as of a set that was read from a file.
    """

    kind: ClassVar[str]
    draws: ClassVar[bool] = False
    """Whether clouds are drawn from what is stored, so that their number says nothing of its size."""
    labels: Tensor

    def __init__(self, labels: Tensor) -> None:
        super().__init__()
        self.register_buffer("labels", labels, persistent=False)
        self.info: dict[str, Any] = {}
        self.initial: PointClouds | None = None

    @abstractmethod
    def decode(self, generator: torch.Generator | None = None, num_points: int | None = None) -> PointClouds:
        """The clouds, on the set's device, with a gradient path to the stored tensors.

        Args:
            generator: for sets that draw when decoding (fresh noise, a choice of points); None
                decodes the same clouds each time.
            num_points: points per cloud; None is the set's own resolution.
        """

    @abstractmethod
    def prune(self, clouds_per_class: int) -> SyntheticSet:
        """A set with at most that many clouds of each class, the most important kept."""

    def shrink(self, shares: Mapping[int, int], seed: int = 0) -> SyntheticSet:
        """A set within the sum of ``shares``, made of this one alone; itself where it fits already.

        No real cloud is at hand any more when a memory shrinks. This one prunes to as many clouds of each
        class as fit.

        Args:
            shares: bytes of each of its classes.
            seed: for sets that draw while they shrink.

        Raises:
            InputError: if not one cloud of each class fits.
        """
        allowed = sum(shares[label] for label in self.clouds_per_class)
        if self.nbytes <= allowed:
            return self
        counts = range(1, max(self.clouds_per_class.values()))
        most = bisect_right(counts, allowed, key=lambda count: self.prune(count).nbytes)
        if most == 0:
            raise too_small(allowed, self.prune(1).nbytes)
        return self.prune(most)

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """What must be known besides the tensors to rebuild the set; JSON values only."""

    @classmethod
    @abstractmethod
    def rebuild(cls, tensors: dict[str, Tensor], labels: Tensor, config: dict[str, Any]) -> SyntheticSet:
        """The inverse of :meth:`stored` and :meth:`config`.

        Raises:
            InputError: if a tensor is missing or its shape or dtype does not fit.
        """

    def stored(self) -> dict[str, Tensor]:
        """The tensors that must be kept to decode, by name."""
        return {name: tensor.detach() for name, tensor in self.state_dict().items()}

    def as_stored(self) -> SyntheticSet:
        """The set as it comes back from its file: rounded where its storage rounds."""
        again = self.rebuild(self.stored(), self.labels.clone(), self.config())
        again.info = dict(self.info)
        return again

    @property
    def nbytes(self) -> int:
        """Exactly the bytes of :meth:`stored`."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.stored().values())

    @property
    def stored_clouds(self) -> int:
        """How many clouds are stored, as points or codes; those that follow from others do not count."""
        return len(self)

    @property
    def clouds_per_class(self) -> dict[int, int]:
        """Decoded clouds of each class."""
        values, counts = self.labels.unique(return_counts=True)
        return {int(v): int(c) for v, c in zip(values, counts, strict=True)}

    def _at(
        self, clouds: PointClouds, generator: torch.Generator | None, num_points: int | None
    ) -> PointClouds:
        """Decoded clouds with that many of their points; without a generator always the same."""
        if num_points is None or num_points == clouds.num_points:
            return clouds
        return clouds.resample(num_points, generator or torch.Generator().manual_seed(0))

    def first_of_each_class(self, clouds_per_class: int | Mapping[int, int]) -> Tensor:
        """Positions of at most that many clouds of each class, the first ones; int64 on the CPU."""
        return first_of_each(self.labels.cpu(), clouds_per_class)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The parameters as a torch optimiser takes them; a group may have its own learning rate."""
        return [{"params": list(self.parameters())}]

    def __len__(self) -> int:
        return len(self.labels)

    def _repr_html_(self) -> str:
        """Its clouds, to be turned, in a notebook; see :func:`cl3d.distill.show`."""
        from cl3d.distill.show import show  # it knows of all kinds of sets

        return show(self)._repr_html_()


def first_of_each(labels: Tensor, count: int | Mapping[int, int]) -> Tensor:
    """Positions of the first ``count`` of each label, int64; none of none."""
    counts = dict.fromkeys(labels.tolist(), count) if isinstance(count, int) else count
    found = [(labels == label).nonzero().squeeze(1)[: counts[int(label)]] for label in labels.unique()]
    return torch.cat([labels.new_zeros(0), *found])


def check_drawn(clouds: int, num_points: int) -> None:
    """Refuses to draw more points than any set needs, which a file may ask for in a few bytes.

    Raises:
        InputError: saying how many.
    """
    if clouds * num_points > MOST_POINTS:
        raise InputError(f"it draws {clouds} clouds of {num_points} points, above {MOST_POINTS} in all")


def too_small(allowed: int, least: int) -> InputError:
    """What to say where a set cannot shrink as far as is asked for."""
    return InputError(
        f"{allowed} bytes are too few for what is left of a set, which takes at least {least}: "
        "give a larger total"
    )
