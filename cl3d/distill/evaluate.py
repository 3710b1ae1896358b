"""What a synthetic set is worth: fresh networks trained on it, tested once on real clouds."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import torch
from torch import Tensor

from cl3d.clouds import PointClouds, check_clouds, normalize
from cl3d.distill.augment import Augmentation
from cl3d.distill.networks import BuildModel, Networks, resolve_device
from cl3d.distill.optimizers import Adam
from cl3d.distill.synthetic import SyntheticSet
from cl3d.distill.training import Training, batches, fit
from cl3d.errors import InputError
from cl3d.models import Backbone, PointNet
from cl3d.progress import Progress, silent
from cl3d.random import fold

DEFAULT_TRAINING = Training(
    epochs=100, batch_size=32, optimizer=Adam(lr=1e-3), schedule="cosine", augmentation=Augmentation()
)


@dataclass(frozen=True)
class Evaluation:
    """Test accuracies in [0, 1] of networks trained on one set, each after its last epoch.

    Attributes:
        accuracies: one per network.
        per_class: mean accuracy of each class that has test clouds.
    """

    accuracies: tuple[float, ...]
    per_class: dict[int, float]

    @property
    def mean(self) -> float:
        """Mean over networks."""
        return statistics.fmean(self.accuracies)

    @property
    def std(self) -> float:
        """Sample standard deviation over networks; 0 for one."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else 0.0

    def __str__(self) -> str:
        return f"{100 * self.mean:.1f} ± {100 * self.std:.1f} % (last epoch, {len(self.accuracies)} networks)"


def evaluate(
    synthetic: SyntheticSet | PointClouds,
    test: PointClouds,
    *,
    model: BuildModel = PointNet,
    training: Training = DEFAULT_TRAINING,
    runs: int = 3,
    seed: int = 0,
    device: str | torch.device = "auto",
    progress: Progress = silent,
) -> Evaluation:
    """Trains ``runs`` fresh networks on a set and tests each after its last epoch.

    Both are normalised. The test clouds are looked at once per network, after training.

    Args:
        synthetic: the set, or real clouds (the whole data, as an upper bound).
        test: real clouds with labels in the same numbering.

    Raises:
        InputError: if clouds are not finite or ``runs`` is below 1.
    """
    if runs < 1:
        raise InputError(f"runs={runs}: give at least 1 network to train")
    with torch.no_grad():
        clouds = synthetic.decode() if isinstance(synthetic, SyntheticSet) else synthetic
    clouds = clouds.with_points(normalize(clouds.points.detach()))
    check_clouds(clouds, "the set to evaluate")
    check_clouds(test, "the test clouds")
    test = test.with_points(normalize(test.points))
    classes = 1 + max(int(clouds.labels.max()), int(test.labels.max()))
    where = resolve_device(str(device))
    networks = Networks(model, classes, where, fold(seed, "evaluation"))
    counts = []
    with progress("evaluation networks", runs) as advance:
        for run in range(runs):
            net = networks.draw(run)
            fit(net, clouds, training, fold(seed, "evaluation", run), progress)
            counts.append(count_correct(net, test, classes))
            advance()
    total = torch.bincount(test.labels.cpu(), minlength=classes)
    accuracies = tuple(float(c.sum() / total.sum()) for c in counts)
    mean = torch.stack(counts).double().mean(dim=0) / total
    return Evaluation(accuracies, {c: float(mean[c]) for c in range(classes) if total[c] > 0})


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
