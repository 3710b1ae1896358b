"""A release of two small files and a server for it, which can be told to misbehave."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cl3d.data.download import Release

FILES = {"train_files.txt": b"ply_data_train0.h5\n", "ply_data_train0.h5": bytes(range(256)) * 4000}


def zipped(files: dict[str, bytes] = FILES) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(f"clouds/{name}", content)
    return buffer.getvalue()


@dataclass
class Server:
    """What the server sends, and what it was asked."""

    content: bytes = field(default_factory=zipped)
    url: str = ""
    status: int = 200
    ranges: bool = True
    shift: int = 0
    """How far off the ranges are that it sends."""
    piece: int = 1 << 30
    """The most bytes that it sends as one range."""
    unasked: bool = False
    """Whether it sends a range to those who asked for none."""
    length: bool = True
    """Whether it announces the length."""
    cut: list[int] = field(default_factory=list)
    """How many bytes it sends before it closes each of the next connections."""
    asked: list[str | None] = field(default_factory=list)
    """The range of each request."""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.asked.append(asked)
        total = len(self.content)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.ranges else 0
        if self.status != 200:
            handler.send_error(self.status)
            return
        if start >= total:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{total}")
            handler.end_headers()
            return
        partial = self.unasked or bool(asked and self.ranges)
        body = self.content[start : start + self.piece] if partial else self.content[start:]
        handler.send_response(206 if partial else 200)
        if partial:
            end = start + len(body) - 1
            handler.send_header("Content-Range", f"bytes {start + self.shift}-{end}/{total}")
        if self.length:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: self.cut.pop(0)] if self.cut else body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.url = f"http://127.0.0.1:{running.server_port}/clouds.zip"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        running.shutdown()
        thread.join()


@pytest.fixture
def release(server: Server) -> Release:
    return Release(
        title="Clouds",
        folder="clouds",
        url=server.url,
        page="https://clouds.example.org",
        files={
            "train_files.txt": None,
            "ply_data_train0.h5": hashlib.md5(FILES["ply_data_train0.h5"]).hexdigest(),
        },
        max_bytes=2_000_000,
    )


def is_whole(folder: Path) -> bool:
    return {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def left_in(root: Path) -> set[str]:
    """What is in the data root beside the lock."""
    return {path.name for path in root.iterdir()} - {"clouds.lock"}
