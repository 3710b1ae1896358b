"""What is said to the user: the exception for input that cannot be used, its usual checks, and notes."""

from __future__ import annotations


class Note(UserWarning):
    """Something worth knowing that stops nothing; the scripts print it as one line."""


class InputError(ValueError):
    """Wrong input: its message is one sentence saying what was given, what is allowed, what to do.

    The scripts print the message alone and exit with code 2; in Python it is a ``ValueError``.
    """


def check_whole(name: str, value: object, least: int) -> None:
    """Refuses what is not a whole number from ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name}={value}: give a whole number from {least}")


def check_positive(name: str, value: object) -> None:
    """Refuses what is not a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise InputError(f"{name}={value}: give a number above 0")


def check_range(name: str, value: object, low: float, high: float) -> None:
    """Refuses what is not a number from ``low`` to below ``high``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value < high:
        below = "" if high == float("inf") else f" to below {high:g}"
        raise InputError(f"{name}={value}: give a number from {low:g}{below}")
