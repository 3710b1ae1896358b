"""High-water marks, of the process and of the activities of a clock."""

from __future__ import annotations

import mmap
import sys

import pytest
import torch

from cl3d.continual.clock import Clock
from cl3d.peak_memory import PeakMemory

MEBIBYTE = 1 << 20


def hold(mebibytes: int) -> None:
    """Pages of its own: an allocator may have some at hand that the process has held all along."""
    with mmap.mmap(-1, mebibytes * MEBIBYTE) as pages:
        for start in range(0, len(pages), mmap.PAGESIZE):
            pages[start] = 1


@pytest.mark.skipif(sys.platform != "linux", reason="the mark can be set back on Linux alone")
def test_the_mark_rises_and_is_set_back():
    memory = PeakMemory(torch.device("cpu"))
    memory.reset()
    before = memory.bytes()
    hold(200)
    assert memory.bytes() - before > 150 * MEBIBYTE
    memory.reset()
    assert memory.bytes() - before < 100 * MEBIBYTE


@pytest.mark.skipif(sys.platform != "linux", reason="the mark can be set back on Linux alone")
def test_an_inner_activity_does_not_count_for_the_outer():
    clock = Clock(PeakMemory(torch.device("cpu")))
    with clock("test"):
        pass
    with clock("train"):
        with clock("condense"):
            hold(300)
        hold(120)
    peaks = clock.peak_bytes()
    assert peaks["condense"] - peaks["test"] > 250 * MEBIBYTE
    assert 80 * MEBIBYTE < peaks["train"] - peaks["test"] < 200 * MEBIBYTE
    clock.reset()
    assert clock.peak_bytes() == {"condense": 0, "train": 0, "test": 0}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_cuda_it_is_the_tensors():
    memory = PeakMemory(torch.device("cuda"))
    held = torch.ones(MEBIBYTE, device="cuda")
    memory.reset()
    before = memory.bytes()
    torch.ones(25 * MEBIBYTE, device="cuda").sum()
    assert memory.bytes() - before >= 100 * MEBIBYTE
    del held
    memory.reset()
    assert memory.bytes() <= before
