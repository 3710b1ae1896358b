"""Seconds and bytes as a person says them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Seconds as a person says them: 8 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 1:
        return "1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(nbytes: int) -> str:
    """Bytes with thousands apart, and in KiB or MiB where that is shorter: 614,400 bytes (600.0 KiB)."""
    text = f"{nbytes:,} bytes"
    if nbytes >= 1 << 20:
        return f"{text} ({nbytes / (1 << 20):.1f} MiB)"
    return f"{text} ({nbytes / (1 << 10):.1f} KiB)" if nbytes >= 1 << 10 else text
