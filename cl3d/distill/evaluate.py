"""What a synthetic set is worth: fresh networks trained on it, tested once on real clouds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch

from cl3d.cloud_checks import check_clouds
from cl3d.clouds import PointClouds, normalize
from cl3d.distill.chunks import Chunks
from cl3d.distill.evaluation import ClassTest, Evaluation, Test
from cl3d.distill.networks import BuildModel, Networks, resolve_device, trial
from cl3d.distill.part_evaluation import PartTest, check_class_parts, check_parts, parts_found
from cl3d.distill.protocols import default
from cl3d.distill.stacked import fit_stacked
from cl3d.distill.synthetic import SyntheticSet
from cl3d.distill.training import Training, fit
from cl3d.distill.views import for_net
from cl3d.distributed import rank, shared_out, world
from cl3d.errors import check_whole
from cl3d.models import Backbone, Net, PointNet, SegmentationNet
from cl3d.ops.part_iou import ClassParts
from cl3d.progress import Progress, silent
from cl3d.random import fold, generator

Shown = PointClouds | Callable[[int], PointClouds]
"""What a network is trained on: the same clouds in all epochs, or those of each."""


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
    class_parts: ClassParts | None = None,
) -> Evaluation:
    """Trains ``runs`` fresh networks on a set and tests each after its last epoch.

    Both are normalised. The test clouds are looked at once per network, after training. Processes share out
    the networks; on CUDA each trains its own at once (:mod:`cl3d.distill.stacked`), unless every epoch is
    tested or ``vmap`` does not run through them.

    Args:
        synthetic: the set, or real clouds (the whole data, as an upper bound).
        test: real clouds with labels in the same numbering.
        model: builds the networks. Those that segment are told the classes of clouds and tell the parts of
            points; what comes back is then a :class:`~cl3d.distill.part_evaluation.PartEvaluation`.
        training: one of ``cl3d.distill.protocols``; None is its default.
        num_points: points per cloud to decode a set to; None is its own number. The test clouds may have any.
        fresh_decoding: decode the set anew in each epoch; a generator then draws other noise, which acts
            as augmentation (DD3D, section 5.1).
        best_epoch: also test after every epoch, which costs as much as much training.
        class_parts: the parts of each class, e.g. ``Dataset.class_parts``; None takes those that occur in
            its clouds, of the set and of the test.

    Raises:
        InputError: if clouds are not finite, have no parts where these are learnt, ``class_parts`` does not
            fit these or the networks, or ``runs`` is no count.
    """
    check_whole("runs", runs, 1)
    training = default() if training is None else training
    clouds, looked_at = _decoded(synthetic, None, num_points), trial(model)
    check_clouds(clouds, "the set to evaluate")
    check_clouds(test, "the test clouds")
    clouds = for_net(looked_at, clouds, "the set to evaluate")
    test = for_net(looked_at, test.with_points(normalize(test.points.float())), "the test clouds")
    classes = 1 + max(int(clouds.labels.max()), int(test.labels.max()))
    networks = Networks(model, classes, resolve_device(str(device)), fold(seed, "evaluation"))
    measure = _test_of(looked_at, clouds, test.to(networks.device), classes, class_parts)

    def shown(run: int) -> Shown:
        return partial(_redecoded, synthetic, num_points, seed, run) if fresh_decoding else clouds

    runs_of = _Runs(networks, shown, training, seed, progress)
    together = _together(looked_at, networks.device) and not best_epoch
    trained = runs_of.together(range(rank(), runs, world())) if together else {}

    def tested(run: int) -> list[Any]:
        return [measure(trained.pop(run))] if together else runs_of.alone(run, measure, best_epoch)

    return _summed_up(measure, tested, runs, best_epoch, progress)


def _summed_up(
    measure: Test[Any], tested: Callable[[int], list[Any]], runs: int, best_epoch: bool, progress: Progress
) -> Evaluation:
    """The scores of all networks, as they come in."""
    scores, best = [], []
    with progress("evaluation networks", runs, each="network") as advance:
        for found in shared_out(runs, tested):
            scores.append(found[-1])
            best += [max(map(measure.figure, found))] if best_epoch else []
            one = measure.evaluation(found[-1:], ())
            advance("", **{one.figure.lower().replace(" ", "_"): one.mean})
    return measure.evaluation(scores, tuple(best))


def _together(net: Net, device: torch.device) -> bool:
    """Whether networks are trained at once: where starting an operation costs more than doing it."""
    return device.type == "cuda" and isinstance(net, Backbone) and net.batchable


def _test_of(
    net: Net, clouds: PointClouds, test: PointClouds, num_classes: int, class_parts: ClassParts | None
) -> Test[Any]:
    if isinstance(net, SegmentationNet):
        own = parts_found(clouds, test) if class_parts is None else class_parts
        check_class_parts(own, net.num_parts)
        check_parts(clouds.of_classes(test.classes), own, "the clouds to learn from")
        return PartTest(test, own)
    return ClassTest(test, num_classes)


@dataclass(frozen=True)
class _Runs:
    """The trainings of the networks."""

    networks: Networks
    shown: Callable[[int], Shown]
    training: Training
    seed: int
    progress: Progress

    def alone(self, run: int, measure: Test[Any], best_epoch: bool) -> list[Any]:
        """The scores of one network: after its last epoch or, where asked for, after each."""
        net, found = self.networks.draw(run), list[Any]()

        def test_now(epoch: int) -> None:
            if best_epoch:
                found.append(measure(net))

        fit(net, self.shown(run), self.training, self._seed(run), self.progress, after_epoch=test_now)
        return found or [measure(net)]

    def together(self, runs: Sequence[int]) -> dict[int, Net]:
        """Networks trained at once, as many as the device's memory holds."""
        trained: dict[int, Net] = {}

        def train(some: Sequence[int]) -> None:
            nets = [cast(Backbone, self.networks.draw(run)) for run in some]
            shown, seeds = [self.shown(run) for run in some], [self._seed(run) for run in some]
            fit_stacked(nets, shown, self.training, seeds, self.progress)
            trained.update(zip(some, nets, strict=True))

        Chunks("networks").work(runs, train)
        return trained

    def _seed(self, run: int) -> int:
        return fold(self.seed, "evaluation", run)


def _decoded(
    synthetic: SyntheticSet | PointClouds, draws: torch.Generator | None, num_points: int | None
) -> PointClouds:
    """The clouds that networks are trained on: normalised, without a graph."""
    with torch.no_grad():
        clouds = synthetic.decode(draws, num_points) if isinstance(synthetic, SyntheticSet) else synthetic
    return clouds.with_points(normalize(clouds.points.detach().float()))


def _redecoded(
    synthetic: SyntheticSet | PointClouds, num_points: int | None, seed: int, run: int, epoch: int
) -> PointClouds:
    return _decoded(synthetic, generator(seed, "decode", run, epoch), num_points)
