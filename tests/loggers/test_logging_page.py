"""The blocks of docs/logging.md run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from documents import ROOT, blocks, execute, shrink_shapes40

PAGE = ROOT / "docs" / "logging.md"


@pytest.mark.filterwarnings("ignore:class .* are asked for")
def test_blocks_run_one_after_the_other(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shrink_shapes40(monkeypatch)
    execute(PAGE, blocks(PAGE))
    assert Path("runs/mine/logs/size.csv").read_text().splitlines() == ["nbytes", str(5 * 32 * 12)]
    steps = list(csv.DictReader(Path("runs/naive/logs/condensing.csv").read_text().splitlines()))
    places = [(int(row["step"]), int(row["iteration"])) for row in steps]
    assert places == [(step, iteration) for step in (1, 2) for iteration in range(1, 11)]
    assert len(Path("runs/naive/eval_results.csv").read_text().splitlines()) > 2
