"""Interrupts: SIGTERM is one as Ctrl-C is; what must be whole is written before they are heard."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HELD = (signal.SIGINT, signal.SIGTERM)

_heard: list[int] = []


def listen() -> None:
    """Has SIGTERM raise ``KeyboardInterrupt``, as Ctrl-C does; :func:`heard` tells of both from here on."""
    _heard.clear()
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell's background jobs ignore it
        signal.signal(signal.SIGINT, _interrupt)


def heard() -> bool:
    """Whether an interrupt came. Imports of libraries may turn it into another exception."""
    return bool(_heard)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _heard.append(number)
    signal.default_int_handler(number, frame)


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
