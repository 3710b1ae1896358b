"""Instruments a run: who reads which clouds, and which clouds networks are shown, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.continual import run_parts
from cl3d.continual.clock import Clock
from cl3d.data import Dataset
from cl3d.models import PointNet

Source = tuple[str, int]
"""A split, and the step whose classes a cloud has."""


@dataclass(frozen=True)
class Reading:
    """Clouds that were read or shown to a network.

    Attributes:
        activity: ``setup``, ``train``, ``condense`` or ``test``, the innermost one.
        step: from 0; -1 before the first.
        sources: where the clouds come from.
        by: ``data`` where the arrays were read, ``network`` where a network was given them.
    """

    activity: str
    step: int
    sources: frozenset[Source]
    by: str


@dataclass
class Log:
    """What has been read, and what is going on."""

    readings: list[Reading] = field(default_factory=list)
    activities: list[str] = field(default_factory=lambda: ["setup"])
    step: int = -1
    active: bool = False
    known: dict[bytes, Source] = field(default_factory=dict)

    def add(self, sources: Iterator[Source] | set[Source], by: str) -> None:
        """Writes a reading down."""
        if self.active and (found := frozenset(sources)):
            self.readings.append(Reading(self.activities[-1], self.step, found, by))


METADATA = {
    torch.Tensor.shape.__get__,
    torch.Tensor.ndim.__get__,
    torch.Tensor.dtype.__get__,
    torch.Tensor.device.__get__,
    torch.Tensor.requires_grad.__get__,
    torch.Tensor.is_floating_point,
    torch.Tensor.__len__,
    torch.Tensor.size,
    torch.Tensor.dim,
}


class Watched(Tensor):
    """Points of a data set: whatever torch does with them is written down, with the rows that it read.

    What comes out is a plain tensor.
    """

    log: Log
    sources: list[Source]  # of each row

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        with torch._C.DisableTorchFunctionSubclass():
            out = func(*args, **(kwargs or {}))
        if func in METADATA:
            return out
        for tensor in (a for a in _flat([*args, *(kwargs or {}).values()]) if isinstance(a, Watched)):
            rows: Sequence[int] = range(len(tensor.sources))
            if func is torch.Tensor.__getitem__:
                rows = torch.arange(len(tensor.sources))[args[1]].reshape(-1).tolist()
            tensor.log.add({tensor.sources[row] for row in rows}, "data")
        return out.as_subclass(Tensor) if isinstance(out, Watched) else out


def _flat(values) -> Iterator:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def watched(dataset: Dataset, steps: Sequence[Sequence[int]], log: Log) -> Dataset:
    """The same data set, with points that write down who reads them."""
    step_of = {label: step for step, classes in enumerate(steps) for label in classes}

    def watch(clouds: PointClouds, split: str) -> PointClouds:
        sources = [(split, step_of[label]) for label in clouds.labels.tolist()]
        for cloud, source in zip(clouds.points, sources, strict=True):
            log.known.update(dict.fromkeys(_each_point(cloud), source))
        points = clouds.points.clone().as_subclass(Watched)
        points.log, points.sources = log, sources
        return replace(clouds, points=points)

    return replace(dataset, train=watch(dataset.train, "train"), test=watch(dataset.test, "test"))


def _each_point(points: Tensor) -> list[bytes]:
    raw = points.detach().contiguous().float().numpy().tobytes()
    return [raw[i : i + 12] for i in range(0, len(raw), 12)]


class Witness(PointNet):
    """A PointNet that writes down the raw clouds that it is shown, whole or in part, by their points."""

    log: Log = Log()

    def features(self, points: Tensor) -> Tensor:
        """As always."""
        self._see(points)
        return super().features(points)

    def point_features(self, points: Tensor) -> Tensor:
        """As always."""
        self._see(points)
        return super().point_features(points)

    def _see(self, points: Tensor) -> None:
        known = self.log.known
        self.log.add({known[point] for point in _each_point(points) if point in known}, "network")


NET = partial(Witness, channels=(5, 11), head=(7,))


@contextmanager
def logging(log: Log, monkeypatch) -> Iterator[None]:
    """Writes down what a run does while the block lasts."""

    class Phases(Clock):
        def reset(self) -> None:
            log.step += 1
            super().reset()

        @contextmanager
        def __call__(self, name):
            log.activities.append(name)
            with super().__call__(name):
                yield
            log.activities.pop()

        def __init__(self, *arguments) -> None:
            super().__init__(*arguments)
            log.step = -1

    with monkeypatch.context() as patch:
        patch.setattr(run_parts, "Clock", Phases)
        patch.setattr(Witness, "log", log)
        # reads all clouds to name the data, and nothing comes of it but that name
        patch.setattr(Dataset, "fingerprint", lambda self: "the same")
        log.active = True
        try:
            yield
        finally:
            log.active = False


def leaks(log: Log, remembers: bool, cumulative: bool = False) -> list[Reading]:
    """The readings that an honest run does not have.

    At step i a condenser, and all networks it trains or looks through, see the clouds of step i. A strategy
    reads those of step i (all so far, where it is a bound that keeps everything), and its networks see these
    and what the memory has kept of earlier steps. Test clouds are for testing, and then only those of
    classes seen, and of the step that comes next: forward transfer is their accuracy before it is learnt.

    Args:
        remembers: whether there is a memory, in which raw clouds of earlier steps may have been kept.
        cumulative: whether the data of all steps so far is read.
    """
    return [reading for reading in log.readings if not _honest(reading, remembers, cumulative)]


def _honest(reading: Reading, remembers: bool, cumulative: bool) -> bool:
    if reading.activity == "setup":
        return False
    now, earlier = ("train", reading.step), {("train", step) for step in range(reading.step)}
    allowed = {now}
    if reading.activity == "train" and (cumulative or (remembers and reading.by == "network")):
        allowed |= earlier
    if reading.activity == "test":
        allowed = {("test", step) for step in range(reading.step + 2)}
        if remembers and reading.by == "network":  # nearest means of the memory
            allowed |= earlier | {now}
    return reading.sources <= allowed
