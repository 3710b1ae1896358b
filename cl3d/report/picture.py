"""Figures of matplotlib as files."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cl3d.atomic import write_bytes
from cl3d.errors import InputError

ENDINGS = (".png", ".pdf", ".svg")
UNDATED = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
"""Without the date the same picture is the same file."""


def check_ending(path: Path) -> None:
    """Refuses what is no picture, before it is drawn.

    Raises:
        InputError: if the ending is not .png, .pdf or .svg.
    """
    if path.suffix not in ENDINGS:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}: give .png, .pdf or .svg")


def write_picture(path: Path, figure: Figure, dpi: int) -> None:
    """Writes a figure; the file appears whole or not at all.

    Raises:
        InputError: if the ending is not .png, .pdf or .svg, or the file cannot be written.
    """
    check_ending(path)
    FigureCanvasAgg(figure)
    picture = io.BytesIO()
    kind = path.suffix.removeprefix(".")
    figure.savefig(picture, dpi=dpi, format=kind, metadata=UNDATED.get(path.suffix))
    write_bytes(path, picture.getvalue())
