"""What is said of cores that other programs keep busy."""

from __future__ import annotations

import os
import sys

import pytest
import torch

from cl3d import cores
from cl3d.report.device import device_rows

TICKS = os.sysconf("SC_CLK_TCK")


class Machine:
    """A machine of four cores, of which this process may use some."""

    def __init__(self, folder, monkeypatch, mine=(0, 2)):
        self.stat, self.busy, self.own, self.moment = folder / "stat", [0.0] * 4, 0.0, 100.0
        monkeypatch.setattr(cores, "_STAT", self.stat)
        monkeypatch.setattr(cores, "_begun", None)
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(mine), raising=False)
        monkeypatch.setattr(cores.time, "process_time", lambda: self.own)
        monkeypatch.setattr(cores.time, "monotonic", lambda: self.moment)
        self.write()

    def write(self):
        lines = ["cpu  1 2 3 4 5 6 7 8 9 10"]
        for core, seconds in enumerate(self.busy):
            whole = round(seconds * TICKS)
            user, stolen = whole // 3, whole - whole // 3
            # user, nice, system, idle, iowait, irq, softirq, steal, guest (in user, too), guest_nice
            lines.append(f"cpu{core} {user} 0 0 {round(self.moment * TICKS)} 17 0 0 {stolen} {user} 0")
        self.stat.write_text("\n".join([*lines, "intr 5", ""]))

    def passes(self, seconds, busy, own=0.0):
        self.moment += seconds
        self.busy = [before + seconds * share for before, share in zip(self.busy, busy, strict=True)]
        self.own += own
        self.write()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_what_others_take_of_the_own_cores_is_told(machine):
    cores.begin()
    machine.passes(10, busy=[1.0, 1.0, 0.6, 0.0], own=6.0)  # of 16 seconds on cores 0 and 2
    told = cores.crowded(2)
    assert told is not None
    assert "about 1.0 of 2 busy" in told
    assert "OMP_NUM_THREADS=1 before the command" in told


@pytest.mark.parametrize(("threads", "busy", "own"), [(2, 1.0, 19.0), (1, 1.0, 0.0), (2, 0.0, 0.0)])
def test_nothing_is_said_where_there_is_nothing_to_do(machine, threads, busy, own):
    """The process is busy itself; it has one thread; the cores are free."""
    cores.begin()
    machine.passes(10, busy=[busy] * 4, own=own)
    assert cores.crowded(threads) is None


def test_some_cores_that_are_left_are_used(tmp_path, monkeypatch):
    machine = Machine(tmp_path, monkeypatch, mine=(0, 1, 2, 3))
    cores.begin()
    machine.passes(8, busy=[1.0, 0.2, 0.0, 0.1])
    told = cores.crowded(4)
    assert told is not None
    assert "about 1.3 of 4 busy" in told
    assert "OMP_NUM_THREADS=3" in told
    assert cores.crowded(3) is None


def test_before_it_has_begun_and_where_the_system_does_not_tell_nothing_is_said(machine):
    assert cores.crowded(2) is None
    cores.begin()
    machine.stat.unlink()
    machine.passes = None
    assert cores.crowded(2) is None


def test_the_header_says_so_on_a_cpu_alone(machine, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    cores.begin()
    machine.passes(10, busy=[1.0] * 4)
    assert [name for name, _ in device_rows(torch.device("cpu"))] == ["device", "cores"]
    assert device_rows(torch.device("cuda")) == [("device", "cuda")]


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_this_system_tells():
    now = cores.Busy.now()
    assert now is not None
    assert now.cores == len(os.sched_getaffinity(0))
    assert now.seconds > 0
