"""Text files that grow by whole lines."""

from __future__ import annotations

from pathlib import Path


class Lines:
    """A text file that grows by whole lines, each of which is there once it was written.

    A process that is killed, or a disk that is full, may leave half a line: it is cut off when the file is
    opened again. What a line says is handed to the system at once, so that a kill loses none.

    Attributes:
        there: the lines that the file had when it was opened.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = path.read_bytes() if path.exists() else b""
        whole = held[: held.rfind(b"\n") + 1]
        self.there = whole.decode(errors="replace").splitlines()
        self._file = path.open("ab", buffering=0)
        if len(whole) < len(held):
            self._file.truncate(len(whole))

    def append(self, line: str) -> None:
        """Adds a line.

        Raises:
            OSError: if it cannot be written.
        """
        data = f"{line}\n".encode()
        if self._file.write(data) != len(data):
            raise OSError("the disk is full")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
