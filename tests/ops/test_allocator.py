from __future__ import annotations

import platform

import pytest

from cl3d.ops.allocator import tune_allocator


def test_the_switch_leaves_the_allocator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CL3D_MALLOC", "0")
    monkeypatch.setattr("ctypes.CDLL", None)  # a call would raise
    assert tune_allocator() is False


def test_elsewhere_than_glibc_nothing_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CL3D_MALLOC", raising=False)
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    monkeypatch.setattr("ctypes.CDLL", None)
    assert tune_allocator() is False


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="not glibc")
def test_glibc_takes_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CL3D_MALLOC", raising=False)
    assert tune_allocator() is True
