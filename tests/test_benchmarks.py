"""The benchmarks run, at sizes at which they measure nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from chromium import NoBrowser, chromium

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.slow
@pytest.mark.parametrize("part", ["updates_40", "evaluation", "layers", "point_ops", "growth", "models"])
def test_each_part_is_measured(part):
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--quick", "--parts", part]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert shown.startswith(part)
    assert shown.count("\n| ") >= 3


def test_the_page_has_all_tables_and_the_figure_of_growth(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    run = import_module("run")
    for name in ("run", "measuring"):  # names that others may have
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(run, "DOCS", tmp_path)
    kept = tmp_path / "performance"
    kept.mkdir()
    (kept / "head.md").write_text("# Head\n")
    for name in ("growth", "layers"):
        told = {"title": run.PARTS[name].title, "machine": "one", "command": name, "table": f"| {name} |\n\n"}
        (kept / f"cpu_{name}.table.json").write_text(json.dumps(told))
    (kept / "cpu_growth.svg").write_text("")
    start = "one.\n\n| layers |\n\n## Growth\n\n```bash\ngrowth\n```\n\none.\n\n| growth |\n\n"
    assert start + "![Growth](performance/cpu_growth.svg)\n\n## Not run\n" in run.page()


@pytest.mark.slow
def test_authors_updates_are_the_librarys():
    """The first loss of every case, of all three sides, on the same weights, clouds and draws."""
    program = (
        "import sys, torch; sys.path.insert(0, sys.argv[1]); torch.set_num_threads(1)\n"
        "from update_cases import CASES, SIDES, Workload\n"
        "for name, case in CASES.items():\n"
        "    work = Workload(case, 3, 97, 'cpu')\n"
        "    losses = [work.side(side)() for side in SIDES]\n"
        "    assert max(losses) - min(losses) < 1e-4 * max(losses) > 0, (name, losses)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(BENCHMARKS)], check=True)


@pytest.mark.slow
def test_the_page_of_a_report_is_opened():
    """On a run that is as small as can be."""
    try:
        with chromium():
            pass
    except NoBrowser as missing:
        pytest.skip(str(missing))
    tiny = ["dataset=shapes40", "data.num_points=32", "data.train_per_class=5", "data.test_per_class=1"]
    command = [sys.executable, str(BENCHMARKS / "report_page.py"), "1", *tiny, "data.num_classes=10"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert told["clouds"] == 50
    assert 0 < told["loaded_seconds"] < told["interactive_seconds"]
    assert told["cpu_seconds"] > 0
