"""The documents, their blocks and commands, and how tests run them."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import cl3d.data
from cl3d.models import PointNet

POINTS = 64
"""Of a cloud of shapes40 in the tests of documents."""

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

LOOPED = (("$buffer", "pcc"), ("$steps", "5"), ("$seed", "1"))
"""What the loops of shell blocks go over: one of each."""

_BLOCK = re.compile(r"(<!-- not run: [^\n]+ -->\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(document: Path, language: str = "python") -> list[str]:
    """The fenced blocks in that language but those before which it says why they are not run."""
    found = _BLOCK.findall(document.read_text(encoding="utf-8"))
    return [text for not_run, name, text in found if name == language and not not_run]


def script_calls(text: str) -> list[str]:
    """Every call of a script or benchmark, in blocks and in the text, from ``scripts/`` to its end."""
    for variable, value in LOOPED:
        text = text.replace(variable, value)
    caller = r"(?:python|torchrun(?: -\S+)*|PYTHONPATH=\S+ python) ((?:scripts|benchmarks)/\w+\.py[^\n`#&;]*)"
    return re.findall(caller, text.replace("\\\n", " "))


def execute(document: Path, found: list[str], namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    """Runs blocks one after the other, in the folder the test is in; what they have named."""
    # dataclasses look up the module that they are defined in
    names: dict[str, Any] = {"__name__": "builtins"} if namespace is None else namespace
    for block in found:
        exec(compile(block, document.name, "exec"), names)
    return names


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """``shapes40(num_points=256)``, as documents ask for it, is five small classes; PointNet is narrow."""
    full, build = partial(cl3d.data.shapes40), PointNet.__init__

    def small(num_points: int) -> cl3d.data.Dataset:
        assert num_points == 256
        return full(num_points=POINTS, num_classes=5, train_per_class=4, test_per_class=2)

    def narrow(net: PointNet, num_classes: int, **sizes: Any) -> None:
        build(net, num_classes, **{"channels": (16, 16, 32), "head": (16,), **sizes})

    monkeypatch.setattr(cl3d.data, "shapes40", small)
    monkeypatch.setattr(PointNet, "__init__", narrow)
