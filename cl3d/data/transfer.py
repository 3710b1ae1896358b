"""One file over HTTP, continued where an earlier transfer stopped."""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from cl3d.data.roots import room_for

Report = Callable[[int, int | None], None]
"""Told of progress: the bytes held so far, and how many there are in all where that is known."""

TRANSFER_ERRORS = (OSError, http.client.HTTPException)
"""What a transfer raises where the network or the server fails."""

_CHUNK = 1 << 18
_TIMEOUT = 30.0


class _Response(Protocol):
    """The part of a urllib response that is used here."""

    status: int
    headers: http.client.HTTPMessage

    def read(self, amount: int, /) -> bytes: ...


class ResumingDownloader:
    """A downloader for :mod:`pooch` that keeps what it has received in a ``.part`` file.

    A cut connection is opened again as long as each one brings something; what has been received
    stays for the next call, also after an error. Where the server cannot continue a file, the
    transfer starts over.

    Args:
        part: the file that collects the bytes; it becomes the output file in the end.
        report: told of progress after each piece.

    Raises:
        OSError, http.client.HTTPException: if the server cannot be reached or refuses.
        DiskFullError: if the rest of the file does not fit on the disk.
    """

    def __init__(self, part: Path, report: Report | None = None) -> None:
        self.part = part
        self.report = report

    def __call__(self, url: str, output_file: str | Path, pooch: object) -> None:
        """Brings ``url`` to ``output_file``; called by pooch, which also passes itself."""
        while True:
            held = self._held()
            try:
                self._receive(url, held)
                break
            except TRANSFER_ERRORS:
                if self._held() <= held:
                    raise
        os.replace(self.part, output_file)

    def _held(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _receive(self, url: str, held: int) -> None:
        """Opens one connection and reads it to its end."""
        request = urllib.request.Request(url, headers={"Range": f"bytes={held}-"} if held else {})
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
                start, total = _extent(response)
                if start in (0, held):
                    self._write(response, start, total)
                    return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not held:
                raise
            # nothing is left to send: all of the file is here, or what is here is of another file
            if error.headers.get("Content-Range", "") == f"bytes */{held}":
                return
        if not held:
            raise ConnectionError("the server sends a part of the file that was not asked for")
        self.part.unlink()
        self._receive(url, 0)

    def _write(self, response: _Response, start: int, total: int | None) -> None:
        rest = 0 if total is None else total - start
        with self.part.open("ab" if start else "wb") as file, room_for(self.part.parent, rest):
            received = self._copy(response, file, start, total)
        # read() ends silently where the connection is cut
        if total is not None and received < total:
            raise ConnectionError(f"the connection ended after {received:,} of {total:,} bytes")

    def _copy(self, response: _Response, file: BinaryIO, done: int, total: int | None) -> int:
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            if self.report is not None:
                self.report(done, total)
        file.flush()
        return done


def _extent(response: _Response) -> tuple[int, int | None]:
    """Where in the file the response begins, and how long the file is where that is said."""
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        sent = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", response.headers.get("Content-Range", ""))
        if sent is None:
            return -1, None
        return int(sent[1]), int(sent[2]) + 1 if sent[3] == "*" else int(sent[3])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None
