"""Texts of any length from HDF5 files, read by a process of its own.

They lie in heaps within the file, and libhdf5 walks through a damaged heap without end or asks for
memory without bound. What Python cannot stop in its own process it can in another. Texts of a fixed
length, and numbers, have no such heap.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

SECONDS = 20.0
"""What reading the names of classes may take; a good file takes well under one."""

_READER = """
import json, sys
import h5py
try:
    import resource
    held = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (held + int(sys.argv[3]),) * 2)
except (ImportError, OSError):
    pass  # elsewhere than on Linux memory is not bounded
try:
    with h5py.File(sys.argv[1], "r") as file:
        texts = file[sys.argv[2]].asstr("utf-8")[()]
        print(json.dumps(texts if isinstance(texts, str) else texts.tolist()))
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""

_MARGIN = 1 << 27


def read_texts(path: Path, key: str) -> np.ndarray[Any, Any]:
    """The texts of one dataset, in its shape, with a dtype of kind U.

    Memory is bounded by the file's size and some 100 MB, on Linux.

    Raises:
        ValueError: if they cannot be read, or not in :data:`SECONDS`.
    """
    most = str(_MARGIN + 16 * path.stat().st_size)
    command = [sys.executable, "-c", _READER, str(path), key, most]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"its texts could not be read in {SECONDS:g} seconds") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").split("\n")
        raise ValueError(next((line for line in reversed(lines) if line), "its texts are damaged"))
    return np.array(json.loads(done.stdout), dtype=str)
