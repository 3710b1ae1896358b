"""Files with several named arrays, .npz and HDF5, read without ever unpickling."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias

import h5py
import numpy as np

from cl3d.data.hdf5_texts import read_texts
from cl3d.errors import InputError

Array: TypeAlias = np.ndarray[Any, Any]

MOST = 1100
"""Bytes that one stored byte becomes at most, a little above what deflate can do."""


class Arrays(Protocol):
    """The arrays of a file, each read when asked for.

    Attributes:
        path: of the file.
        keys: the arrays' names.
    """

    path: Path
    keys: Sequence[str]

    def array(self, key: str) -> Array:
        """One of the arrays; texts have a dtype of kind U.

        Raises:
            InputError: naming the file, if the array is damaged, holds objects, or promises more than
                the file can hold.
        """


def open_arrays(path: Path) -> Arrays:
    """The arrays of a file that ends in .npz, otherwise of an HDF5 file.

    Raises:
        InputError: naming the file, if it is none.
    """
    return Npz(path) if path.suffix.lower() == ".npz" else Hdf5(path)


def described(array: Array) -> str:
    """The dtype and shape of an array, for messages."""
    return f"{str(array.dtype)[:40]} of shape {str(array.shape)[:60]}"


class Npz:
    """The arrays of a .npz file.

    Args:
        path: of the file.

    Raises:
        InputError: naming the file, if it is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise InputError(
                f"{path} is truncated or corrupt ({_reason(error)}): get or save it again"
            ) from error
        self.keys: Sequence[str] = [name.removesuffix(".npy") for name in names]

    def array(self, key: str) -> Array:
        """One of the arrays."""
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{key}.npy") as member:
                shape, fortran, dtype = _npy_header(member)
                if dtype.hasobject:
                    raise _with_objects(self.path, key)
                return _texts(_npy_values(member, shape, fortran, dtype))
        except InputError:
            raise
        # damaged archives, headers and texts are each told of by errors of their own
        except Exception as error:
            raise _unreadable(self.path, key, error) from error


class Hdf5:
    """The arrays at the root of an HDF5 file.

    Args:
        path: of the file.

    Raises:
        InputError: naming the file, if it is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with h5py.File(path, "r") as file:
                # names that are no UTF-8 come as bytes, and are none that is looked for
                names = [name for name in file if isinstance(name, str)]
                self.keys: Sequence[str] = [
                    name for name in names if isinstance(file.get(name), h5py.Dataset)
                ]
        # h5py has no error of its own: what HDF5 reports surfaces as any of these
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise InputError(
                f"{path} is truncated or corrupt ({_reason(error)}): get or save it again"
            ) from error

    def shape(self, key: str) -> tuple[int, ...]:
        """The shape of one of the arrays, which is not read."""
        try:
            with h5py.File(self.path, "r") as file:
                return tuple(file[key].shape or ())
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise _unreadable(self.path, key, error) from error

    def array(self, key: str) -> Array:
        """One of the arrays."""
        try:
            with h5py.File(self.path, "r") as file:
                stored = file[key]
                if stored.file.filename != file.filename or stored.external or stored.is_virtual:
                    raise ValueError("its values lie in another file, which is not read")
                if stored.nbytes > MOST * stored.id.get_storage_size():
                    raise ValueError(f"{stored.nbytes} bytes are promised, far more than are stored")
                texts = h5py.check_string_dtype(stored.dtype)
                if texts is None and stored.dtype.hasobject:
                    raise _with_objects(self.path, key)
                if texts is None:
                    return np.asarray(stored[()])
                if texts.length is not None:
                    return np.array(stored.asstr("utf-8")[()], dtype=str)
            return read_texts(self.path, key)
        except InputError:
            raise
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise _unreadable(self.path, key, error) from error


def _npy_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """The shape of an array, whether its columns come one after the other, and its type."""
    version = np.lib.format.read_magic(member)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of the format")
    return readers[version](member)


def _npy_values(member: IO[bytes], shape: tuple[int, ...], fortran: bool, dtype: np.dtype[Any]) -> Array:
    content = member.read()  # as much as there is, whatever the header promises
    if len(content) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(content)} bytes are no array of {dtype} of shape {shape}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _texts(array: Array) -> Array:
    return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array


def _with_objects(path: Path, key: str) -> InputError:
    return InputError(
        f"{path}: {key!r} holds Python objects or lists of different lengths, which are never read: "
        "save it as numbers or texts of one shape"
    )


def _unreadable(path: Path, key: str, error: Exception) -> InputError:
    return InputError(
        f"{path} is truncated or corrupt: {key!r} cannot be read ({_reason(error)}): get or save it again"
    )


def _reason(error: Exception) -> str:
    """The message on one line, cut where a damaged header has made it long."""
    return " ".join(str(error).split())[:200]
