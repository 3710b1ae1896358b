"""NearestMean: a synthetic set classifies clouds by the mean feature of each class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.distill.features import Features, extract_features, pooled_features
from cl3d.errors import InputError
from cl3d.models import SegmentationNet
from cl3d.ops.nearest_mean import class_means, nearest_mean_scores


class NearestMean:
    """The nearest-mean-of-exemplars classifier (iCaRL, Rebuffi et al., CVPR 2017, arXiv 1611.07725, eq. 2).

    A cloud belongs to the class whose exemplars' mean feature is nearest, all features being scaled to
    length 1. The means come from the exemplars alone and belong to the network's weights as they are now:
    make another one when these have changed.

    Args:
        net: a :class:`~cl3d.models.Backbone`, or any network if ``features`` are given.
        exemplars: normalised clouds, one set for each number of points.
        num_classes: how many scores a cloud gets; None: up to the largest class of the exemplars.
        features: what the network sees in clouds.

    Attributes:
        means: (num_classes, d) on the network's device; NaN for classes without exemplars.

    Raises:
        InputError: if the network shows no features or segments, there are no exemplars, or one has another
            class.
    """

    def __init__(
        self,
        net: nn.Module,
        exemplars: Sequence[PointClouds],
        num_classes: int | None = None,
        features: Features = pooled_features,
    ) -> None:
        if isinstance(net, SegmentationNet):
            raise InputError(
                f"{type(net).__name__} is told the classes of clouds: give a network that classifies"
            )
        labels = [group.labels for group in exemplars]
        if not labels:
            raise InputError("there are no exemplars to take means of: fill the memory first")
        largest = int(torch.cat(labels).max())
        num_classes = largest + 1 if num_classes is None else num_classes
        if largest >= num_classes:
            raise InputError(f"exemplars of class {largest}, but num_classes={num_classes}: give more")
        self.net, self.features = net, features
        seen = torch.cat([extract_features(net, group, features=features) for group in exemplars])
        self.means = class_means(seen, torch.cat(labels).to(seen.device), num_classes)

    def __call__(self, points: Tensor) -> Tensor:
        """Minus the distance to each mean: (b, p, 3) on the network's device → (b, num_classes).

        The network is looked at in eval mode, without a graph. Classes without exemplars get minus infinity.
        """
        clouds = PointClouds(points, torch.zeros(len(points), dtype=torch.int64, device=points.device))
        return nearest_mean_scores(extract_features(self.net, clouds, features=self.features), self.means)
