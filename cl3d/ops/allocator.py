"""The C allocator: keeps large tensors' memory in the process instead of asking for it anew."""

from __future__ import annotations

import ctypes
import os
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Option numbers of glibc's malloc.h."""

SWITCH = "CL3D_MALLOC"
"""Environment variable; 0 leaves the allocator as it is."""


def tune_allocator() -> bool:
    """Lets glibc's malloc reuse blocks of up to 1 GiB, and give nothing back below 2 GiB.

    By default glibc maps each large tensor afresh, and the kernel then hands over its pages one fault
    at a time: half the time of a condensation step on the CPU. The price is that freed memory stays
    with the process. It acts on the whole process, so scripts call it, importing never does.

    Returns:
        Whether both settings took; False without glibc, or where ``CL3D_MALLOC=0`` is set.
    """
    if os.environ.get(SWITCH) == "0" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # before 2.35 glibc refuses more than 32 MiB here
    mapped_later = any(mallopt(M_MMAP_THRESHOLD, size) == 1 for size in (1 << 30, 1 << 25))
    kept_longer = mallopt(M_TRIM_THRESHOLD, 2**31 - 1) == 1
    return mapped_later and kept_longer
