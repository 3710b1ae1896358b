"""What a run computes on, as lines of a header."""

from __future__ import annotations

import torch

from cl3d.cores import crowded
from cl3d.numerics import computed_on


def device_rows(device: torch.device) -> list[tuple[str, str]]:
    """The device; and on a CPU whose cores other programs keep busy, what is to be done about it."""
    told = crowded(torch.get_num_threads()) if device.type == "cpu" else None
    return [("device", computed_on(device)), *([] if told is None else [("cores", told)])]
