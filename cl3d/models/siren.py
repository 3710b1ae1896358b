"""A modulated SIREN: a point for each noise value, of the cloud that a code names.

V. Sitzmann, J. N. P. Martel, A. W. Bergman, D. B. Lindell, G. Wetzstein, "Implicit neural
representations with periodic activation functions", NeurIPS 2020; its modulation as in DD3D, section 4.2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

SIREN_C = 6.0
"""c in SIREN's initialization: weights from U(±sqrt(c / inputs)) keep the layers' variance."""


class ModulatedSiren(nn.Module):
    """Two sine layers shared by all clouds, each times a ReLU layer of the cloud's code, then tanh.

    With noise t and code e, the point is (DD3D, eq. 11 and 12)::

        c1 = relu(e)                      z1 = c1 * sin(w0 * (t W1 + b1))
        c2 = relu(c1 V + v)               z2 = c2 * sin(z1 W2 + b2)          tanh(z2 W + b)

    Algorithm 2 of DD3D leaves out the first ReLU, which eq. 11 has.

    Weights and biases start as in SIREN: U(±1) in the first layer, whose input is a scalar and whose
    frequency w0 stands outside, U(±sqrt(6 / width)) in the other two, whose frequency is 1. The modulator
    starts as torch's linear layers do, U(±1 / sqrt(width)).

    Args:
        width: of every layer, and length of a code.
        w0: frequency of the first layer.
        generator: draws the initial weights.
    """

    def __init__(self, width: int, w0: float, generator: torch.Generator) -> None:
        super().__init__()
        self.width, self.w0 = width, w0
        bound = math.sqrt(SIREN_C / width)
        self.first = _linear(1, width, 1.0, generator)
        self.hidden = _linear(width, width, bound, generator)
        self.last = _linear(width, 3, bound, generator)
        self.modulator = _linear(width, width, 1 / math.sqrt(width), generator)

    def forward(self, noise: Tensor, codes: Tensor) -> Tensor:
        """Points from noise: (m, p) or (1, p) for all clouds alike, with codes (m, width) → (m, p, 3)."""
        first = codes.relu()
        second = self.modulator(first).relu()
        z = (self.w0 * self.first(noise.unsqueeze(-1))).sin() * first.unsqueeze(1)
        z = self.hidden(z).sin() * second.unsqueeze(1)
        points: Tensor = self.last(z).tanh()
        return points


def siren_shapes(width: int) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of a :class:`ModulatedSiren`, by name."""
    layers = {"first": (1, width), "hidden": (width, width), "last": (width, 3), "modulator": (width, width)}
    weights = {f"{name}.weight": (outputs, inputs) for name, (inputs, outputs) in layers.items()}
    return weights | {f"{name}.bias": (outputs,) for name, (_, outputs) in layers.items()}


def _linear(inputs: int, outputs: int, bound: float, generator: torch.Generator) -> nn.Linear:
    """A linear layer with weights and biases from U(±bound); torch's global generator is not used."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return layer
