"""What a synthetic set is worth: fresh networks trained on it, tested once on real clouds."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from cl3d.clouds import PointClouds, check_clouds, normalize
from cl3d.distill.networks import BuildModel, Networks, resolve_device
from cl3d.distill.protocols import default
from cl3d.distill.synthetic import SyntheticSet
from cl3d.distill.training import Training, batches, fit
from cl3d.distributed import shared_out
from cl3d.errors import InputError
from cl3d.models import Backbone, PointNet
from cl3d.progress import Progress, silent
from cl3d.random import fold, generator

Shown = PointClouds | Callable[[int], PointClouds]
"""What a network is trained on: the same clouds in all epochs, or those of each."""


@dataclass(frozen=True)
class Evaluation:
    """Test accuracies in [0, 1] of networks trained on one set, each after its last epoch.

    Attributes:
        accuracies: one per network.
        per_class: mean accuracy of each class that has test clouds.
        best_epoch: the best accuracy after any epoch, one per network, where asked for: it is selected
            on the test set, an optimistic figure for comparison with tables that give it.
    """

    accuracies: tuple[float, ...]
    per_class: dict[int, float]
    best_epoch: tuple[float, ...] = ()

    @property
    def mean(self) -> float:
        """Mean over networks."""
        return statistics.fmean(self.accuracies)

    @property
    def std(self) -> float:
        """Sample standard deviation over networks; 0 for one."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else 0.0

    def __str__(self) -> str:
        networks = len(self.accuracies)
        shown = f"{100 * self.mean:.1f} ± {100 * self.std:.1f} % (last epoch, {networks} networks)"
        if self.best_epoch:
            best = 100 * statistics.fmean(self.best_epoch)
            shown += f"; {best:.1f} % (best epoch, selected on the test set)"
        return shown


def evaluate(
    synthetic: SyntheticSet | PointClouds,
    test: PointClouds,
    *,
    model: BuildModel = PointNet,
    training: Training | None = None,
    runs: int = 3,
    seed: int = 0,
    device: str | torch.device = "auto",
    progress: Progress = silent,
    num_points: int | None = None,
    fresh_decoding: bool = False,
    best_epoch: bool = False,
) -> Evaluation:
    """Trains ``runs`` fresh networks on a set and tests each after its last epoch.

    Both are normalised. The test clouds are looked at once per network, after training. Processes share out
    the networks.

    Args:
        synthetic: the set, or real clouds (the whole data, as an upper bound).
        test: real clouds with labels in the same numbering.
        training: one of ``cl3d.distill.protocols``; None is its default.
        num_points: points per cloud to decode a set to; None is its own number. The test clouds may have any.
        fresh_decoding: decode the set anew in each epoch; a generator then draws other noise, which acts
            as augmentation (DD3D, section 5.1).
        best_epoch: also test after every epoch, which costs as much as much training.

    Raises:
        InputError: if clouds are not finite or ``runs`` is below 1.
    """
    if runs < 1:
        raise InputError(f"runs={runs}: give at least 1 network to train")
    training = default() if training is None else training
    clouds = _decoded(synthetic, None, num_points)
    check_clouds(clouds, "the set to evaluate")
    check_clouds(test, "the test clouds")
    test = test.with_points(normalize(test.points))
    classes = 1 + max(int(clouds.labels.max()), int(test.labels.max()))
    total = torch.bincount(test.labels.cpu(), minlength=classes)
    networks = Networks(model, classes, resolve_device(str(device)), fold(seed, "evaluation"))

    def shown(run: int) -> Shown:
        return partial(_redecoded, synthetic, num_points, seed, run) if fresh_decoding else clouds

    trial = partial(_tested, networks, shown, test, training, seed, best_epoch, progress)
    counts, best = [], []
    with progress("evaluation networks", runs) as advance:
        for found in shared_out(runs, trial):
            counts.append(found[-1])
            best += [max(float(c.sum() / total.sum()) for c in found)] if best_epoch else []
            advance()
    accuracies = tuple(float(c.sum() / total.sum()) for c in counts)
    mean = torch.stack(counts).double().mean(dim=0) / total
    per_class = {c: float(mean[c]) for c in range(classes) if total[c] > 0}
    return Evaluation(accuracies, per_class, tuple(best))


def _tested(
    networks: Networks,
    shown: Callable[[int], Shown],
    test: PointClouds,
    training: Training,
    seed: int,
    best_epoch: bool,
    progress: Progress,
    run: int,
) -> list[Tensor]:
    """Correct clouds of each class by one network, after its last epoch or, where asked for, after each."""
    net, found = networks.draw(run), list[Tensor]()

    def test_now(epoch: int) -> None:
        if best_epoch:
            found.append(count_correct(net, test, networks.num_classes))

    fit(net, shown(run), training, fold(seed, "evaluation", run), progress, after_epoch=test_now)
    return found or [count_correct(net, test, networks.num_classes)]


def _decoded(
    synthetic: SyntheticSet | PointClouds, draws: torch.Generator | None, num_points: int | None
) -> PointClouds:
    """The clouds that networks are trained on: normalised, without a graph."""
    with torch.no_grad():
        clouds = synthetic.decode(draws, num_points) if isinstance(synthetic, SyntheticSet) else synthetic
    return clouds.with_points(normalize(clouds.points.detach()))


def _redecoded(
    synthetic: SyntheticSet | PointClouds, num_points: int | None, seed: int, run: int, epoch: int
) -> PointClouds:
    return _decoded(synthetic, generator(seed, "decode", run, epoch), num_points)


def count_correct(net: Backbone, clouds: PointClouds, num_classes: int, batch_size: int = 64) -> Tensor:
    """Correctly classified clouds of each class, in eval mode.

    Returns:
        (num_classes,) int64 on the CPU.
    """
    device = next(net.parameters()).device
    net.eval()
    right = torch.zeros(num_classes, dtype=torch.int64)
    with torch.no_grad():
        for batch in batches([clouds], batch_size, None):
            hits = net(batch.points.to(device)).argmax(dim=1).cpu() == batch.labels.cpu()
            right += torch.bincount(batch.labels.cpu()[hits], minlength=num_classes)
    return right
