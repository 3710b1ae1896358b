"""LZF: decompression of what LibLZF writes, as in compressed PCD files."""

from __future__ import annotations

MOST = 88
"""How many bytes one compressed byte may become at most: three stand for up to 264."""


def decompress(data: memoryview, size: int) -> bytearray | None:
    """Decompresses one block.

    A byte below 32 announces one more than as many bytes that are copied as they are; any other
    repeats bytes from before: three bits for how many, further ones for how far back.

    Args:
        data: the whole block.
        size: the number of bytes that it becomes.

    Returns:
        ``size`` bytes; None if the block is damaged or becomes another number of bytes.
    """
    out = bytearray()
    at, end = 0, len(data)
    # never more than the size and one run, whatever the block says
    while at < end and len(out) <= size:
        control = data[at]
        at += 1
        if control < 32:
            out += data[at : at + control + 1]
            at += control + 1
            continue
        length = control >> 5
        if length == 7 and at < end:
            length += data[at]
            at += 1
        if at >= end:
            return None
        back = ((control & 31) << 8) + data[at] + 1
        at += 1
        if back > len(out):
            return None
        _repeat(out, back, length + 2)
    return out if at == end and len(out) == size else None


def _repeat(out: bytearray, back: int, length: int) -> None:
    """Appends ``length`` bytes from ``back`` before the end, which may run into what is appended."""
    start = len(out) - back
    if length <= back:
        out += out[start : start + length]
    else:
        period = out[start:]
        out += (period * (length // back + 1))[:length]
