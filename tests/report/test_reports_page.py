"""What the page about reports shows works."""

from __future__ import annotations

import pytest
from documents import ROOT, blocks, execute, shrink_shapes40

PAGE = ROOT / "docs" / "reports.md"


@pytest.mark.filterwarnings("ignore:class .* are asked for")
def test_python_blocks_run(monkeypatch, tmp_path):
    shrink_shapes40(monkeypatch)
    execute(PAGE, blocks(PAGE))
    assert "data-viewer" in (tmp_path / "pcc.html").read_text()
