"""The blocks of the documents, and how tests run them."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import cl3d.data

ROOT = Path(__file__).parents[1]


def blocks(document: Path, language: str = "python") -> list[str]:
    """The fenced blocks in that language."""
    return re.findall(rf"```{language}\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)


def execute(document: Path, found: list[str], namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    """Runs blocks one after the other, in the folder the test is in; what they have named."""
    names: dict[str, Any] = {} if namespace is None else namespace
    for block in found:
        exec(compile(block, document.name, "exec"), names)
    return names


def shrink_shapes40(monkeypatch: pytest.MonkeyPatch) -> None:
    """``shapes40(num_points=256)``, as documents ask for it, is five classes of few coarse clouds."""
    full = partial(cl3d.data.shapes40)

    def small(num_points: int) -> cl3d.data.Dataset:
        assert num_points == 256
        return full(num_points=32, num_classes=5, train_per_class=4, test_per_class=2)

    monkeypatch.setattr(cl3d.data, "shapes40", small)
