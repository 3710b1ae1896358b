"""PCT for part segmentation.

M.-H. Guo, J.-X. Cai, Z.-N. Liu, T.-J. Mu, R. R. Martin, S.-M. Hu, "PCT: Point cloud transformer",
Computational Visual Media 2021.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.errors import InputError, check_whole
from cl3d.models.base import SegmentationNet
from cl3d.models.context import ContextLayers
from cl3d.models.grouped_layers import GroupedLayer, check_segmentation_net, check_sizes, grouped_layers
from cl3d.models.layers import hidden_layers
from cl3d.models.pct import NARROWING, SLOPE, OffsetAttention


class PCTSegmentation(SegmentationNet):
    """Two layers on points, attention among all of them, an embedding, its max and mean and the class beside.

    Sizes are those of the authors' code (github.com/MenghaoGuo/PCT, networks/seg/pct_partseg.py), which
    samples and groups no points. Memory grows with the square of their number.

    Deviates: the paper's figure 2 has neighbour embedding before the attention, the code has not.

    Args:
        num_shapes: classes of shapes.
        num_parts: number of logits.
        in_channels: of a point, coordinates first.
        width: of the layers on points and of the attention.
        attentions: number of attention layers.
        embedding: channels before the max and the mean over points.
        label: length of the layer on the class.
        hidden: outputs of the layers on a point's embedding beside its cloud's feature; the last is
            ``feature_dim``.
        norm: ``"batch"``, ``"group"`` or ``"none"``, as in :class:`cl3d.models.PointNet`.
        dropout: probability after each layer of ``hidden`` but the last.

    Raises:
        InputError: if an argument is out of range.
    """

    def __init__(
        self,
        num_shapes: int,
        num_parts: int,
        in_channels: int = 3,
        width: int = 128,
        attentions: int = 4,
        embedding: int = 1024,
        label: int = 64,
        hidden: Sequence[int] = (512, 256),
        norm: str = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_segmentation_net(num_shapes, num_parts, in_channels, norm, dropout)
        for name, value in (("attentions", attentions), ("embedding", embedding), ("label", label)):
            check_whole(name, value, 1)
        check_sizes("hidden", hidden)
        if width < NARROWING:
            raise InputError(f"width={width} leaves attention without a channel: give at least {NARROWING}")
        self.num_shapes, self.num_parts, self.in_channels = num_shapes, num_parts, in_channels
        self.feature_dim = hidden[-1]
        self.layers = grouped_layers((in_channels, width, width), norm)
        self.attentions = nn.ModuleList([OffsetAttention(width, norm) for _ in range(attentions)])
        self.embedding = GroupedLayer(attentions * width, embedding, norm, SLOPE)
        self.label = nn.Sequential(*hidden_layers((num_shapes, label), norm, slope=SLOPE))
        self.hidden = ContextLayers(embedding, 2 * embedding + label, hidden, norm, dropout)
        self.classifier = nn.Linear(hidden[-1], num_parts)

    def point_features(self, points: Tensor, shape_class: Tensor) -> Tensor:
        """See :class:`~cl3d.models.SegmentationNet`."""
        outputs = [self.layers(points)]
        for attention in self.attentions:
            outputs.append(attention(outputs[-1]))
        x = self.embedding(torch.cat(outputs[1:], dim=2))
        label = self.label(self.one_hot(points, shape_class))
        result: Tensor = self.hidden(x, torch.cat([x.max(dim=1).values, x.mean(dim=1), label], dim=1))
        return result
