"""The transform networks of PointNet: a matrix for each cloud, predicted from it and applied to it.

C. R. Qi, H. Su, K. Mo, L. J. Guibas, "PointNet: Deep learning on point sets for 3D classification and
segmentation", CVPR 2017, section 4.2 and appendix C.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.models.layers import classifier, pooled_layers, shared_layers

CHANNELS, HEAD = (64, 128, 1024), (512, 256)


class TransformNet(nn.Module):
    """A small PointNet that predicts a k × k matrix from a cloud and applies it to the first k channels.

    Its last layer starts with zero weights and the identity as bias.

    Args:
        k: channels that are transformed.
        inputs: channels that the matrix is predicted from, at least k.
        norm, fused: see :class:`cl3d.models.layers.SharedLayer`.
        channels: outputs of the shared layers.
        head: sizes of the hidden layers behind their max.
    """

    def __init__(
        self,
        k: int,
        inputs: int,
        norm: str,
        fused: bool = True,
        channels: Sequence[int] = CHANNELS,
        head: Sequence[int] = HEAD,
    ) -> None:
        super().__init__()
        self.k = k
        self.layers = shared_layers((inputs, *channels), norm, fused)
        self.classifier = classifier((channels[-1], *head), k * k, norm)
        start_as_identity(self.classifier[-1], k)

    def forward(self, x: Tensor) -> Tensor:
        """Each point times its cloud's matrix: (b, n, inputs) → the same shape."""
        return transformed(x, self.classifier(pooled_layers(self.layers, x)), self.k)


@torch.no_grad()
def start_as_identity(last: nn.Module, k: int) -> None:
    """Lets a linear layer of k² outputs give the identity, whatever its input."""
    assert isinstance(last, nn.Linear)
    last.weight.zero_()
    last.bias.copy_(torch.eye(k).flatten())


def transformed(x: Tensor, matrices: Tensor, k: int) -> Tensor:
    """The first k channels times a matrix of each cloud, the others as they are.

    Args:
        x: (b, n, d), d at least k.
        matrices: (b, k²).
    """
    turned = torch.bmm(x[..., :k], matrices.unflatten(1, (k, k)))
    return turned if x.shape[2] == k else torch.cat([turned, x[..., k:]], dim=2)
