"""How much memory a piece of work takes at its highest."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import torch

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_HIGH_WATER = "5"
"""What Linux takes to set the high-water mark of a process's resident memory to what it holds now."""


class PeakMemory:
    """The high-water mark of memory since the last :meth:`reset`.

    On a CUDA device that of torch's tensors there. Elsewhere that of the process's resident memory, network,
    data and libraries included; where the system cannot set it back, as outside Linux, since the process
    began.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def reset(self) -> None:
        """Begins anew from what is held now."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
            return
        try:
            _CLEAR.write_text(_RESET_HIGH_WATER)
        except OSError:
            return  # not Linux, or not allowed: the mark stays where it is

    def bytes(self) -> int:
        """The highest since then."""
        if self.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self.device))
        if _STATUS.exists():
            line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
            return int(line.split()[1]) * 1024
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
