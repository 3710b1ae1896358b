"""PointMamba: patches in the order of two Hilbert curves, read as a sequence by Mamba blocks.

D. Liang, X. Zhou, W. Xu, X. Zhu, Z. Zou, X. Ye, X. Tan, X. Bai, "PointMamba: A simple state space model for
point cloud analysis", NeurIPS 2024.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from cl3d.errors import check_range, check_whole
from cl3d.models.base import Backbone
from cl3d.models.grouped_layers import check_network, check_sizes, dropped_classifier
from cl3d.models.mamba import mamba_blocks
from cl3d.models.tokens import Tokens


class PointMamba(Backbone):
    """Tokens of patches, twice: along the Hilbert curve and its transposed; Mamba blocks; a mean.

    A token is a small PointNet's feature of the nearest points around a sampled centre, shifted and scaled
    for its curve (the order indicator), plus an embedding of the centre. The feature map is that of all
    tokens of both curves.

    Deviates: it is not pre-trained, and keeps the initial weights of Mamba; the curve's lattice begins at
    the least coordinates of each cloud, not at multiples of its cells, and has the same number of cells for
    all (in the authors' code the longest cloud of a batch turns the curve of the others); points in one cell
    follow one another by their coordinates; sampling begins with the point farthest from the mean; clouds of
    fewer points than centres or neighbours use all of them.

    Args:
        num_classes: number of logits.
        in_channels: of a point, coordinates first.
        width: channels of a token, ``feature_dim``.
        depth: Mamba blocks.
        count: centres.
        k: points of each patch.
        head: sizes of the classifier's hidden layers.
        norm: ``"batch"``, ``"instance"``, ``"group"`` or ``"none"``, as in
            :class:`cl3d.models.PointNet`, of patches and head; the blocks have LayerNorm.
        dropout: probability after each hidden layer of the classifier.
        drop_path: probability that a cloud skips the last block in training; it grows from 0 in the first.

    Raises:
        InputError: if an argument is out of range.
    """

    batchable = True

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        width: int = 384,
        depth: int = 12,
        count: int = 64,
        k: int = 32,
        head: Sequence[int] = (256, 256),
        norm: str = "batch",
        dropout: float = 0.5,
        drop_path: float = 0.3,
    ) -> None:
        super().__init__()
        check_network(num_classes, norm, dropout, in_channels)
        for name, value in (("width", width), ("depth", depth), ("count", count), ("k", k)):
            check_whole(name, value, 1)
        check_sizes("head", head, least=0)
        check_range("drop_path", drop_path, 0, 1)
        self.num_classes, self.in_channels, self.feature_dim = num_classes, in_channels, width
        self.tokens = Tokens(in_channels, width, count, k, norm)
        self.blocks = mamba_blocks(width, depth, drop_path)
        self.norm = nn.LayerNorm(width)
        self.classifier = dropped_classifier((width, *head), num_classes, norm, dropout)

    def point_features(self, points: Tensor) -> Tensor:
        """Every token after the blocks: (b, p, in_channels) → (b, 2q, width)."""
        x, _, _ = self.tokens(points)
        for block in self.blocks:
            x = block(x)
        result: Tensor = self.norm(x)
        return result

    def pool(self, f: Tensor) -> Tensor:
        """The mean over tokens: (b, 2q, width) → (b, width)."""
        return f.mean(dim=1)
