"""Shell blocks that build on each other are followed, line by line, on data that is made small."""

from __future__ import annotations

import runpy
import shlex
import sys
from pathlib import Path

import pytest
from documents import DOCS, README, ROOT, blocks, script_calls
from hydra.core.global_hydra import GlobalHydra
from script_runs import TINY_RUN

LESS = [*TINY_RUN, "data.num_classes=10", "steps=2", "condenser.iterations=2", "strategy.training.epochs=1"]
"""Of runs; the last setting of a name is the one that counts."""


def follow(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs one line as it stands there, a run of the stream with less of everything."""
    script, *arguments = shlex.split(call)
    GlobalHydra.instance().clear()
    more = LESS if script == "scripts/cl_run.py" else []
    monkeypatch.setattr(sys, "argv", [script, *arguments, *more])
    monkeypatch.setenv("CL3D_MALLOC", "0")
    code = None
    try:
        runpy.run_path(str(ROOT / script), run_name="__main__")
    except SystemExit as ended:
        code = ended.code
    assert not code, call


def lines(page: Path, word: str) -> list[str]:
    """The calls of the shell blocks that have a word in them."""
    return [call for block in blocks(page, "bash") if word in block for call in script_calls(block)]


@pytest.mark.parametrize(
    ("page", "word", "left"),
    [
        (DOCS / "quickstart.md", "folder=runs/", ["runs/first/report.html", "both.html"]),
        (README, "runs/sweep", ["runs/sweep/multirun.yaml", "curves.png", "comparison.html"]),
    ],
    ids=["quickstart", "readme"],
)
def test_a_page_can_be_followed(page, word, left, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    calls = lines(page, word)
    assert len(calls) >= 3
    for call in calls:
        follow(call, monkeypatch)
    assert [name for name in left if not (tmp_path / name).is_file()] == []
