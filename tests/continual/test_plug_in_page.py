"""What docs/plug-in.md shows works, block by block."""

from __future__ import annotations

import sys

import pytest
import torch
from documents import ROOT, blocks, execute, shrink

import cl3d.data
from cl3d.distill import presets
from cl3d.models import PointNet

DOCUMENT = ROOT / "docs" / "plug-in.md"


pytestmark = pytest.mark.filterwarnings("ignore:class .* are asked for")


def test_its_blocks_run_one_after_the_other(monkeypatch, capsys):
    shrink(monkeypatch)
    found = blocks(DOCUMENT)
    assert len(found) == 8
    names = execute(DOCUMENT, found[:1])
    points, classes = names["data"].train.num_points, names["data"].num_classes
    allowed = 4 * classes * points * 12  # four clouds of each class are there

    execute(DOCUMENT, found[1:2], names)
    assert len(names["memory"].sets) == 2
    assert names["memory"].nbytes == allowed
    execute(DOCUMENT, found[2:3], names)
    assert len(names["memory"].sets) == 1
    execute(DOCUMENT, found[3:4], names)
    assert any(key.startswith("Top1_Acc_Stream") for key in names["strategy"].evaluator.get_last_metrics())
    execute(DOCUMENT, found[4:5], names)
    assert len(names["replay"].buffer.sets) == 2
    execute(DOCUMENT, found[5:6], names)
    assert [sorted(kept.clouds_per_class) for kept in names["sets"]] == [[0, 1], [2, 3], [4]]
    execute(DOCUMENT, found[6:7], names)
    assert names["memory"].nbytes <= allowed
    assert names["memory"].clouds()[0].soft_labels.shape == (4 * classes, classes)
    execute(DOCUMENT, found[7:], names)
    assert "bytes of classes [[0, 1], [2, 3], [4]]" in capsys.readouterr().out


def test_the_plain_loop_needs_no_avalanche(monkeypatch):
    shrink(monkeypatch)
    for name in ("avalanche", "cl3d.continual"):
        monkeypatch.setitem(sys.modules, name, None)  # an import of it fails
    with pytest.raises(ImportError):
        import avalanche  # noqa: F401
    names = {
        "torch": torch,
        "presets": presets,
        "PointNet": PointNet,
        "data": cl3d.data.shapes40(num_points=256),
    }
    plain = blocks(DOCUMENT)[5].replace("presets.dm(iterations=10)", "presets.random()")
    assert len(execute(DOCUMENT, [plain], names)["sets"]) == 3
