"""PointConv for part segmentation: convolutions at fewer points, deconvolutions back to all.

W. Wu, Z. Qi, L. Fuxin, "PointConv: Deep convolutional networks on 3D point clouds", CVPR 2019, section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.errors import InputError, check_whole
from cl3d.models.base import SegmentationNet
from cl3d.models.grouped_layers import GroupedLayer, check_segmentation_net, check_sizes, grouped_layers
from cl3d.models.pointconv import WEIGHT_SIZES, Convolution, Stage, Terms, convolved
from cl3d.ops.grouping import in_order, take
from cl3d.ops.interpolate import interpolate

STAGES = (
    Stage(1024, 32, 0.1, (32, 32, 64)),
    Stage(256, 32, 0.2, (64, 64, 128)),
    Stage(64, 32, 0.4, (128, 128, 256)),
    Stage(36, 32, 0.8, (256, 256, 512)),
)
DECODER = ((512, 512), (256, 256), (256, 128), (128, 128, 128))


class PointConvSegmentation(SegmentationNet):
    """Convolutions at sampled centres, a deconvolution for each of them on the way back, a layer.

    Counts and channels are those of the authors' net for scenes (github.com/DylanWusee/pointconv,
    models/pointconv_weight_density_n16.py); the paper's net for parts is not public.

    Deviates: the convolutions and their bandwidths are those of :class:`cl3d.models.PointConv`; the class
    joins beside the points at the last deconvolution, of which the paper says nothing.

    Args:
        num_shapes: classes of shapes.
        num_parts: number of logits.
        in_channels: of a point, coordinates first; the first convolution is given all of them as features.
        stages: the convolutions.
        decoder: outputs of the convolution and of the layers after it, at least one, of each deconvolution;
            that from the fewest points first.
        k: neighbours in a deconvolution.
        hidden: outputs of the last layer, ``feature_dim``.
        norm: ``"batch"``, ``"group"`` or ``"none"``, as in :class:`cl3d.models.PointNet`.
        dropout: probability before the classifier.

    Raises:
        InputError: if an argument is out of range.
    """

    def __init__(
        self,
        num_shapes: int,
        num_parts: int,
        in_channels: int = 3,
        stages: Sequence[Stage] = STAGES,
        decoder: Sequence[Sequence[int]] = DECODER,
        k: int = 16,
        hidden: int = 128,
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_segmentation_net(num_shapes, num_parts, in_channels, norm, dropout)
        check_whole("k", k, 1)
        check_whole("hidden", hidden, 1)
        check_sizes("decoder", [len(sizes) for sizes in decoder])
        for sizes in decoder:
            check_sizes("decoder", sizes, least=2)
        if len(stages) != len(decoder):
            raise InputError(
                f"{len(stages)} stages and {len(decoder)} of decoder: give as many of both, at least 1"
            )
        self.num_shapes, self.num_parts, self.in_channels = num_shapes, num_parts, in_channels
        self.feature_dim = hidden
        widths = [in_channels, *(stage.channels[-1] for stage in stages)]
        self.stages = nn.ModuleList(
            [Convolution(a, stage, norm) for a, stage in zip(widths, stages, strict=False)]
        )
        before = [num_shapes + in_channels, *widths[1:-1]][::-1]
        given = [widths[-1], *(sizes[-1] for sizes in decoder)]
        self.back = nn.ModuleList()
        for own, inputs, sizes, stage in zip(before, given, decoder, reversed(stages), strict=False):
            grouping = Stage(stage.count, k, stage.bandwidth, sizes)
            self.back.append(Deconvolution(own, inputs, grouping, norm))
        self.hidden = GroupedLayer(decoder[-1][-1], hidden, norm)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, num_parts))

    def point_features(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """See :class:`~cl3d.models.SegmentationNet`."""
        points, back = in_order(points)
        classes = self.one_hot(points, shape_class).unsqueeze(1).expand(-1, points.shape[1], -1)
        places, x = points[..., :3], points
        levels = [(places, torch.cat([classes, points], dim=2))]
        for stage in self.stages:
            places, x = stage(places, x)
            levels.append((places, x))
        for deconvolution, (earlier, before) in zip(self.back, levels[-2::-1], strict=True):
            places, x = earlier, deconvolution(earlier, before, places, x)
        return take(self.hidden(x), back)


class Deconvolution(nn.Module):
    """Interpolation to more points, a convolution among these, then layers on it beside what they had."""

    def __init__(self, before: int, inputs: int, stage: Stage, norm: str) -> None:
        super().__init__()
        first, *others = stage.channels
        self.stage = stage
        self.terms = Terms(inputs, (), norm)
        self.mix = GroupedLayer(WEIGHT_SIZES[-1] * (3 + inputs), first, norm)
        self.layers = grouped_layers((first + before, *others), norm)

    def forward(self, points: Tensor, before: Tensor, sampled: Tensor, features: Tensor) -> Tensor:
        """(b, p, 3), (b, p, before), (b, q, 3), (b, q, inputs) → (b, p, outputs)."""
        handed = interpolate(features, sampled, points)
        x = self.mix(convolved(self.terms, points, handed, points, self.stage))
        result: Tensor = self.layers(torch.cat([x, before], dim=2))
        return result
