"""The rotator of DD3D: turns clouds into a canonical orientation before a network sees them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds
from cl3d.errors import check_positive, check_whole
from cl3d.ops.orientation import orient

CLOUDS_AT_ONCE = 64
"""Clouds of a data set that are turned together."""


class Rotator(nn.Module):
    """Canonical orientation by principal axes, with signs of sines (DD3D, section 4.1).

    The sign of an axis is that of Σ d · mean over points of sin(w0 · e · x), x being the coordinate along it
    and e and d the weights of an encoder and a decoder without biases, which make it odd. By default there
    is one unit of weights 1, sin(w0 · x), as in the paper's public code; with ``width`` there are that many,
    drawn as in SIREN (DD3D, algorithm 2). They are buffers: a sign passes no gradient on, so in the paper's
    algorithm, too, they stay what they were drawn as.

    See :func:`cl3d.ops.orientation.orient` for what is exact and what is differentiable.

    Args:
        w0: frequency of the sine; the public code has 1, and 10 for segmentation.
        width: units of a random encoder, drawn from torch's global generator; None for the plain sine.

    Raises:
        InputError: if an argument is out of range.
    """

    encoder: Tensor
    decoder: Tensor

    def __init__(self, w0: float = 1.0, width: int | None = None) -> None:
        super().__init__()
        check_positive("w0", w0)
        self.w0 = w0
        encoder, decoder = torch.ones(1), torch.ones(1)
        if width is not None:
            check_whole("width", width, 1)
            encoder = nn.init.uniform_(torch.empty(width), -1, 1)
            decoder = nn.init.uniform_(torch.empty(width), -math.sqrt(6 / width), math.sqrt(6 / width))
        self.register_buffer("encoder", encoder)
        self.register_buffer("decoder", decoder)

    def forward(self, points: Tensor) -> Tensor:
        """The clouds in canonical orientation, centred."""
        return orient(points, self.odd)

    def odd(self, coordinates: Tensor) -> Tensor:
        """The value whose sign each axis is given: (n, p, 3) → (n, 3)."""
        encoder, decoder = self.encoder.to(coordinates), self.decoder.to(coordinates)
        encoded = (self.w0 * coordinates.unsqueeze(-1) * encoder).sin().mean(dim=1)
        return encoded @ decoder


def canonical(clouds: PointClouds, rotator: Rotator) -> PointClouds:
    """A whole data set in canonical orientation; labels and parts stay."""
    with torch.no_grad():
        turned = [rotator(points) for points in clouds.points.split(CLOUDS_AT_ONCE)]
    return clouds.with_points(torch.cat(turned))
