"""Text files that list names or other files, a line each."""

from __future__ import annotations

from pathlib import Path

from cl3d.errors import InputError


def read_lines(path: Path) -> list[str]:
    """The lines of a list file, stripped, without blank ones.

    Raises:
        InputError: naming the file, if it cannot be read, is no UTF-8 text, has no lines, or characters
            that no name has.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read ({error}): complete the release, or remove its folder to download it"
        ) from error
    kept = [line.strip() for line in lines if line.strip()]
    # tabs stand between the columns of some lists
    unprintable = next((line for line in kept if not line.replace("\t", " ").isprintable()), None)
    if unprintable is not None:
        raise InputError(f"{path} has the line {unprintable[:40]!r}, which is no name: get it again")
    if not kept:
        raise InputError(f"{path} is empty: complete the release, or remove its folder to download it")
    return kept
