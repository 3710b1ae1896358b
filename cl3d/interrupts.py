"""Interrupts that wait: what must be whole is written before a process ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HELD = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM wait for the end of the block, where they are heard as they would have been.

    A run that loses a process gets SIGTERM by torchrun while it still writes how far it is. In other threads
    than the main one, which hear no signals, this is nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, frame: came.append(number)) for number in HELD}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
