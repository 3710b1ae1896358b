from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from cl3d.ops.allocator import tune_allocator


def test_the_switch_leaves_the_allocator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CL3D_MALLOC", "0")
    monkeypatch.setattr("ctypes.CDLL", None)  # a call would raise
    assert tune_allocator() is False


def test_importing_the_library_leaves_the_allocator_alone() -> None:
    """In a process of its own; what needs Avalanche is left out, whose import takes long."""
    program = (
        "from importlib import import_module\n"
        "from cl3d.ops import allocator\n"
        "def called(): raise AssertionError('the allocator is touched')\n"
        "allocator.tune_allocator = called\n"
        "for name in ('distill', 'models', 'data', 'settings', 'cli'): import_module(f'cl3d.{name}')\n"
        "assert import_module('cl3d.cli').tune_allocator is called\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_elsewhere_than_glibc_nothing_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CL3D_MALLOC", raising=False)
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    monkeypatch.setattr("ctypes.CDLL", None)
    assert tune_allocator() is False


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="not glibc")
def test_glibc_takes_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CL3D_MALLOC", raising=False)
    assert tune_allocator() is True
