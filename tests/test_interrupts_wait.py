"""Signals that come while something is written are heard when it is whole."""

from __future__ import annotations

import signal
import threading

import pytest

from cl3d.interrupts import HELD, interrupts_wait


def written(done: list[str], *signals: int, error: str = "") -> None:
    """Appends to ``done`` after the signals have come."""
    with interrupts_wait():
        for number in signals:
            signal.raise_signal(number)
        if error:
            raise ValueError(error)
        done.append("whole")


@pytest.fixture(autouse=True)
def heard_as_interrupts():
    """As the scripts hear them; a shell's background jobs begin with Ctrl-C ignored."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in HELD}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_for_the_end_of_the_block(number):
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        written(done, number, number)
    assert done == ["whole"]
    with pytest.raises(KeyboardInterrupt):  # heard at once again
        signal.raise_signal(number)


def test_an_error_of_the_block_stays_in_sight():
    with pytest.raises(KeyboardInterrupt) as raised:
        written([], signal.SIGINT, error="disk full")
    assert isinstance(raised.value.__context__, ValueError)


def test_other_threads_hear_no_signals():
    done: list[str] = []
    thread = threading.Thread(target=written, args=(done,))
    thread.start()
    thread.join()
    assert done == ["whole"]
