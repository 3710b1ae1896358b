"""What is said to the user: the exception for input that cannot be used, and notes."""

from __future__ import annotations


class Note(UserWarning):
    """Something worth knowing that stops nothing; the scripts print it as one line."""


class InputError(ValueError):
    """Wrong input: its message is one sentence saying what was given, what is allowed, what to do.

    The scripts print the message alone and exit with code 2; in Python it is a ``ValueError``.
    """
