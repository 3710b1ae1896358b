"""The one exception that means "what you gave cannot be used"."""

from __future__ import annotations


class InputError(ValueError):
    """Wrong input: its message is one sentence saying what was given, what is allowed, what to do.

    The scripts print the message alone and exit with code 2; in Python it is a ``ValueError``.
    """
