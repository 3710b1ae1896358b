"""Soft labels: a set whose clouds carry the probability of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds, normalize
from cl3d.distill.parameterizations.anchor_set import AnchorSet
from cl3d.distill.parameterizations.generated import GeneratedSet
from cl3d.distill.parameterizations.points import PointSet
from cl3d.distill.parameterizations.shape_model import ShapeSet
from cl3d.distill.synthetic import SyntheticSet
from cl3d.distill.training import batches
from cl3d.errors import InputError, check_positive
from cl3d.models import Backbone, SegmentationNet

LABELLED: tuple[type[SyntheticSet], ...] = (PointSet, AnchorSet, GeneratedSet, ShapeSet)
"""The sets that soft labels can be stored with."""


class SoftLabelSet(SyntheticSet):
    """Another set's clouds with the probability of each of some classes.

    The probabilities are stored and count like all else: 2 bytes for each cloud and class.
    ``labels`` stay those of the other set: the class that each cloud was condensed from.

    Args:
        clouds: one of :data:`LABELLED`.
        probabilities: (m, c), of each cloud; each row sums up to 1.
        classes: the c classes that they are of.

    Attributes:
        probabilities: (m, c) float16 buffer.

    Raises:
        InputError: if these do not fit together.
    """

    kind = "soft_labels"
    probabilities: Tensor

    def __init__(self, clouds: SyntheticSet, probabilities: Tensor, classes: Sequence[int]) -> None:
        super().__init__(clouds.labels.clone())
        self.clouds, self.classes = clouds, [int(label) for label in classes]
        if not isinstance(clouds, LABELLED):
            known = ", ".join(kind.__name__ for kind in LABELLED)
            raise InputError(f"soft labels of a {type(clouds).__name__}: give one of {known}")
        if sorted(set(self.classes)) != self.classes or not set(clouds.clouds_per_class) <= set(self.classes):
            raise InputError(f"soft labels of classes {self.classes}: give all of the set's, ascending")
        sums = probabilities.float().sum(dim=-1)
        if (
            tuple(probabilities.shape) != (len(clouds), len(self.classes))
            or not bool((probabilities >= 0).all())
            or not bool(((sums - 1).abs() < 1e-2).all())
        ):
            raise InputError(
                f"soft labels are no probabilities of shape ({len(clouds)}, {len(self.classes)}): give rows "
                "of numbers from 0 that sum up to 1"
            )
        self.register_buffer("probabilities", probabilities.detach().to(torch.float16, copy=True))

    def decode(self, generator: torch.Generator | None = None, num_points: int | None = None) -> PointClouds:
        """The other set's clouds, with soft labels; see :class:`SyntheticSet`."""
        clouds = self.clouds.decode(generator, num_points)
        among = self.probabilities.to(clouds.points.dtype)
        soft = among.new_zeros(len(self), 1 + self.classes[-1])
        soft[:, self.classes] = among / among.sum(dim=1, keepdim=True)  # what rounding has taken
        return replace(clouds, soft_labels=soft)

    def stored(self) -> dict[str, Tensor]:
        """The probabilities, and what the other set stores."""
        return {"probabilities": self.probabilities} | {
            f"clouds.{name}": tensor for name, tensor in self.clouds.stored().items()
        }

    def prune(self, clouds_per_class: int) -> SoftLabelSet:
        """Prunes the other set, of which each class keeps its first clouds."""
        pruned = self.clouds.prune(clouds_per_class)
        kept = [
            row
            for label, count in pruned.clouds_per_class.items()
            for row in (self.labels == label).nonzero().squeeze(1)[:count].tolist()
        ]
        again = SoftLabelSet(pruned, self.probabilities[kept], self.classes)
        again.info = dict(self.info)
        return again

    @property
    def stored_clouds(self) -> int:
        """The other set's."""
        return self.clouds.stored_clouds

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The other set's."""
        return self.clouds.parameter_groups()

    def config(self) -> dict[str, Any]:
        """The classes, and what the other set is."""
        return {"classes": self.classes, "kind": self.clouds.kind, "config": self.clouds.config()}

    @classmethod
    def rebuild(cls, tensors: dict[str, Tensor], labels: Tensor, config: dict[str, Any]) -> SoftLabelSet:
        """From a file's tensors and settings; see :class:`SyntheticSet`."""
        known = {kind.kind: kind for kind in LABELLED}
        classes, inner = config.get("classes"), config.get("config")
        if (
            set(config) != {"classes", "kind", "config"}
            or config["kind"] not in known
            or not isinstance(inner, dict)
            or not isinstance(classes, list)
            or not all(isinstance(label, int) and 0 <= label < 2**31 for label in classes)
        ):
            raise InputError(f"soft labels have classes, kind and config of their clouds, not {config}")
        own = {name.removeprefix("clouds."): t for name, t in tensors.items() if name.startswith("clouds.")}
        if "probabilities" not in tensors or len(own) != len(tensors) - 1:
            raise InputError(f"soft labels hold 'probabilities' and 'clouds.…', not {sorted(tensors)}")
        clouds = known[config["kind"]].rebuild(own, labels, inner)
        return cls(clouds, tensors["probabilities"], classes)


def with_soft_labels(
    synthetic: SyntheticSet, net: Backbone, classes: Sequence[int] | None = None, temperature: float = 1.0
) -> SoftLabelSet:
    """A set whose labels are what a network makes of its clouds (Hinton et al., arXiv 1503.02531).

    In a stream, a network that has been trained on the step's data, or on the stream so far, keeps the
    labels honest.

    Args:
        net: takes normalised clouds on its own device; looked at in eval mode and left as it was.
        classes: those that may have a probability, numbers of the network's outputs; None: the set's own.
        temperature: of the softmax; above 1 it softens.

    Raises:
        InputError: if the network segments or has too few outputs, or the temperature is not above 0.
    """
    if isinstance(net, SegmentationNet):
        raise InputError(
            f"{type(net).__name__} is told the classes of clouds: give a network that classifies"
        )
    check_positive("temperature", temperature)
    among = sorted(synthetic.clouds_per_class if classes is None else set(classes))
    clouds = synthetic.decode()
    clouds = clouds.with_points(normalize(clouds.points.detach()))
    device, was_training = next(net.parameters()).device, net.training
    net.eval()
    with torch.no_grad():
        logits = torch.cat([net(batch.points.to(device)) for batch in batches([clouds], 64, None)])
    net.train(was_training)
    if among[-1] >= logits.shape[1]:
        raise InputError(f"the network has {logits.shape[1]} outputs, the set class {among[-1]}: give more")
    soft = nn.functional.softmax(logits[:, among].float() / temperature, dim=1)
    labelled = SoftLabelSet(synthetic, soft.to(synthetic.labels.device), among)
    labelled.info = dict(synthetic.info)
    return labelled
