"""Arrays that grow batch by batch, in memory or in a file, without ever being held twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Rows(Protocol):
    """An array that is written in batches of rows."""

    def append(self, batch: Tensor) -> None:
        """Adds rows (n, ...); all batches have one dtype and agree in the other dimensions."""

    def finish(self) -> Tensor:
        """The whole array, which may be changed in place; nothing is added any more."""


class MemoryRows:
    """Keeps the array in memory.

    Args:
        shape: of one row.
        dtype: of the array.
    """

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self._empty = torch.empty(0, *shape, dtype=dtype)
        self._batches: list[Tensor] = []

    def append(self, batch: Tensor) -> None:
        """Adds rows."""
        self._batches.append(batch.clone())  # not a view that keeps a larger array alive

    def finish(self) -> Tensor:
        """The array; each batch is let go as soon as it is copied."""
        whole = self._empty.new_empty(sum(map(len, self._batches)), *self._empty.shape[1:])
        end = len(whole)
        while self._batches:
            batch = self._batches.pop()
            whole[end - len(batch) : end] = batch
            end -= len(batch)
        return whole


class FileRows:
    """Writes the array to a ``.npy`` file.

    Args:
        path: of the file, which must not be there yet.
        shape: of one row.
        dtype: of the array.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self._path, self._shape = path, shape
        self._dtype = torch.empty(0, dtype=dtype).numpy().dtype
        self._length = 0
        self._file = path.open("xb")
        self._write_header()

    def append(self, batch: Tensor) -> None:
        """Adds rows."""
        self._file.write(batch.contiguous().numpy().tobytes())
        self._length += len(batch)

    def finish(self) -> Tensor:
        """The array, mapped: what is changed in it changes the file, see :func:`write_through`."""
        end = self._file.tell()
        self._file.seek(0)
        self._write_header()
        assert self._file.tell() == end - self._length * self._dtype.itemsize * int(np.prod(self._shape))
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()
        if self._length == 0:  # nothing to map
            return torch.from_numpy(np.load(self._path))
        return torch.from_numpy(np.load(self._path, mmap_mode="r+"))

    def close(self) -> None:
        """Lets go of the file, also of one that is not finished."""
        self._file.close()

    def _write_header(self) -> None:
        # numpy leaves room for the first dimension to grow, so the header can be written over
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self._length, *self._shape),
            },
        )


def write_through(path: Path) -> None:
    """Waits until what was changed through a mapping of the file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
