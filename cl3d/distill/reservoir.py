"""Reservoirs: memories that decide cloud by cloud, as a stream goes by, and never look back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from cl3d.cloud_checks import check_clouds
from cl3d.clouds import PointClouds, concatenate
from cl3d.distill.budget import Budget
from cl3d.distill.condenser import Condenser
from cl3d.distill.initializers import Random
from cl3d.distill.networks import BuildModel
from cl3d.distill.parameterizations.points import Points, PointSet
from cl3d.errors import InputError
from cl3d.models import Net, PointNet, SegmentationNet
from cl3d.progress import Progress, silent
from cl3d.random import fold, generator


@dataclass
class Tally:
    """What a reservoir knows of the stream besides the clouds that it holds.

    Attributes:
        seen: clouds of each class that have come.
        full: classes that are, or once were, largest in a reservoir without room.
    """

    seen: Counter[int] = field(default_factory=Counter)
    full: set[int] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        """JSON values, which :meth:`from_json` reads."""
        return {"seen": sorted(self.seen.items()), "full": sorted(self.full)}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Tally:
        """The inverse of :meth:`as_json`, also after a file has made lists of pairs."""
        return cls(Counter({int(label): int(n) for label, n in facts["seen"]}), set(facts["full"]))


def algorithm_r(held: int, arriving: int, seen: int, capacity: int, draws: torch.Generator) -> list[int]:
    """Vitter's algorithm R (ACM TOMS 11, 1985): every cloud of the stream is held with equal probability.

    While there is room a cloud is added; the t-th of the stream then takes a slot drawn from 1 to t, if there
    is one of that number.

    Args:
        held: clouds in the reservoir, in slots 0 to ``held`` - 1.
        arriving: new clouds, in the order in which they come.
        seen: clouds that came before them.

    Returns:
        For each slot what lies in it afterwards: one of the held, or ``held`` + the position of a new cloud.
    """
    slots = list(range(held))
    for cloud in range(held, held + arriving):
        seen += 1
        if len(slots) < capacity:
            slots.append(cloud)
        elif (slot := _draw(seen, draws)) < capacity:
            slots[slot] = cloud
    return slots


def class_balancing(
    held: Sequence[int], arriving: Sequence[int], tally: Tally, capacity: int, draws: torch.Generator
) -> list[int]:
    """Class-balancing reservoir sampling (CBRS, Chrysakis and Moens, ICML 2020, algorithm 1).

    While there is room a cloud is added. Then one of a class that is not full takes the place of a random
    cloud of the largest classes; one of a full class c takes the place of a random cloud of c with
    probability m_c / n_c, m_c of c's n_c clouds so far being held.

    Args:
        held: label of each slot.
        arriving: labels of the new clouds, in the order in which they come.
        tally: of the stream before them; brought up to date.

    Returns:
        As :func:`algorithm_r`.
    """
    labels, slots = list(held), list(range(len(held)))
    for cloud, label in enumerate(arriving, len(held)):
        tally.seen[label] += 1
        if len(slots) < capacity:
            slots.append(cloud)
            labels.append(label)
            continue
        counts = Counter(labels)
        largest = {c for c, count in counts.items() if count == max(counts.values())}
        tally.full |= largest
        if label in tally.full:
            if _draw(tally.seen[label], draws) >= counts[label]:
                continue
            replaced = {label}
        else:
            replaced = largest
        candidates = [slot for slot, own in enumerate(labels) if own in replaced]
        slot = candidates[_draw(len(candidates), draws)]
        slots[slot], labels[slot] = cloud, label
    return slots


def _draw(below: int, draws: torch.Generator) -> int:
    return int(torch.randint(below, (1,), generator=draws))


@dataclass(frozen=True)
class Reservoir(Condenser):
    """Holds real clouds of a stream as it goes by, in one fixed number of slots.

    Along the steps of a stream, :meth:`update` goes on with one reservoir for all; the classes may have
    different numbers of clouds, and without balancing some may have none. Called on a data set alone, it
    takes that as a stream in drawn order.

    Attributes:
        balanced: by class, with :func:`class_balancing`; otherwise :func:`algorithm_r`.
        parameterization: how a cloud is stored; :class:`Points` alone.

    Raises:
        InputError: if another part than the parameterization is swapped, which would do nothing.
    """

    balanced: bool = False
    name: str = "reservoir"

    def check_net(self, net: Net) -> None:
        """Refuses networks that segment."""
        if isinstance(net, SegmentationNet):
            raise InputError(
                f"{self.name} holds clouds without their parts: give another condenser, e.g. random"
            )

    def __post_init__(self) -> None:
        if self.initializer != Random() or self.objective is not None:
            raise InputError(
                f"{self.name} draws its clouds itself and leaves them as they are: "
                "give initializer=random and objective=null"
            )
        if not isinstance(self.parameterization, Points):
            raise InputError(f"{self.name} replaces single clouds: give parameterization=points")
        super().__post_init__()

    def __call__(
        self,
        clouds: PointClouds,
        *,
        budget: Budget,
        model: BuildModel = PointNet,
        seed: int = 0,
        device: str | torch.device = "cpu",
        progress: Progress = silent,
        checkpoint: Path | None = None,
    ) -> PointSet:
        """The reservoir after a stream of ``clouds`` in drawn order; see :class:`Condenser`."""
        self.check_model(model)
        shares, _ = self.plan(clouds.clouds_of_each_class(), clouds.num_points, budget)
        synthetic = self.update(None, clouds, sum(shares), seed)
        synthetic.info["budget_nbytes"] = sum(shares)
        return synthetic

    @property
    def _stored(self) -> Points:
        assert isinstance(self.parameterization, Points)
        return self.parameterization

    def slots(self, nbytes: int, num_points: int) -> int:
        """How many clouds it has room for, of real ones of ``num_points`` points."""
        return self._stored.clouds_within(nbytes, num_points)

    def update(self, held: PointSet | None, clouds: PointClouds, nbytes: int, seed: int) -> PointSet:
        """The reservoir after further clouds, which come in drawn order.

        Args:
            held: what this method gave before; None at the start.
            clouds: those that come.
            nbytes: of the reservoir; the same at each call.
            seed: of the draws.
        """
        check_clouds(clouds, "the data to hold")
        stored = self._stored
        order = torch.randperm(len(clouds), generator=generator(seed, "order"))
        cpu = clouds.with_points(clouds.points.float()).to("cpu")[order]
        coarse = stored.coarsen(PointClouds(cpu.points, cpu.labels), fold(seed, "parameterization"))
        capacity = self.slots(nbytes, clouds.num_points)
        before = coarse[:0] if held is None else PointClouds(held.decode().points.detach(), held.labels)
        tally = Tally() if held is None else Tally.from_json(held.info["tally"])
        draws = generator(seed, "slots")
        if self.balanced:
            slots = class_balancing(before.labels.tolist(), coarse.labels.tolist(), tally, capacity, draws)
        else:
            slots = algorithm_r(len(before), len(coarse), tally.seen.total(), capacity, draws)
            tally.seen.update(coarse.labels.tolist())
        kept = concatenate([before, coarse])[torch.tensor(slots)]
        reservoir = PointSet(kept[kept.labels.argsort(stable=True)], stored.storage)
        reservoir.info = {"budget_nbytes": nbytes, "tally": tally.as_json()}
        return reservoir
