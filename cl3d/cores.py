"""Cores that other programs keep busy: there, threads that wait for each other take many times as long."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_STAT = Path("/proc/stat")
_IDLE = (3, 4)
"""Of the times that a line of it has after its name, those in which a core has nothing to do."""
_OWN = 8
"""How many of these there are before times that are in others, too."""


@dataclass(frozen=True)
class Busy:
    """What the cores that this process may use have done, up to a moment.

    Attributes:
        cores: how many there are.
        seconds: in which they were busy, all together.
        own: seconds of this process.
        moment: seconds on a clock that never goes back.
    """

    cores: int
    seconds: float
    own: float
    moment: float

    @classmethod
    def now(cls) -> Self | None:
        """Up to now; None where the system does not tell, as outside Linux."""
        try:
            mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
            lines = [line.split() for line in _STAT.read_text().splitlines()]
            times = [[int(value) for value in line[1 : 1 + _OWN]] for line in lines if line[0] in mine]
        except (AttributeError, OSError, ValueError, IndexError):
            return None
        ticks = sum(sum(each) - sum(each[place] for place in _IDLE) for each in times)
        seconds = ticks / os.sysconf("SC_CLK_TCK")
        return cls(len(times), seconds, time.process_time(), time.monotonic())

    def of_others(self, since: Busy) -> float:
        """How many cores other programs have kept busy since then, on average."""
        passed = self.moment - since.moment
        others = (self.seconds - since.seconds) - (self.own - since.own)
        return max(0.0, others / passed) if passed > 0 else 0.0


_begun: Busy | None = None


def begin() -> None:
    """Starts to watch; what :func:`crowded` tells is from here on."""
    global _begun
    _begun = Busy.now()


def crowded(threads: int) -> str | None:
    """What to do where other programs leave too few cores to so many threads; None where there is nothing.

    Each operation waits for the thread that comes last, and so all of them for a core that is shared.
    """
    now = Busy.now()
    if _begun is None or now is None or threads < 2:
        return None
    others = now.of_others(_begun)
    free = int(now.cores - others + 0.5)
    if threads <= free:
        return None
    return (
        f"other programs keep about {others:.1f} of {now.cores} busy, and {threads} threads that wait for "
        f"each other can take many times as long: OMP_NUM_THREADS={max(1, free)} before the command"
    )
