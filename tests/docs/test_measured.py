"""Tables on pages are those that were measured: printed from files, typed by nobody."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import result_tables as tables
import run
from documents import DOCS

ROW = {"condenser": "random", "seed": 0, "accuracy": 0.5, "nbytes": 960, "stored_clouds": 5}
ROW |= {"decoded_clouds": 5, "num_points": 16, "moved_mean": None, "seconds": 0.25, "peak_bytes": 1 << 20}


def write(folder: Path, *rows: dict[str, object]) -> Path:
    folder.mkdir()
    (folder / "comparison.csv").write_text(tables.as_csv(rows))
    return folder


def test_the_page_of_results_is_as_measured():
    page = (DOCS / "results.md").read_text()
    assert tables.filled(page) == page, "run python docs/generators/result_tables.py"
    assert page.count("<!-- table ") == page.count("<!-- end -->") == len(tables.PLACE.findall(page)) >= 3


def test_every_measurement_has_its_place():
    page = (DOCS / "results.md").read_text()
    for folder in (DOCS / "results").iterdir():
        assert f"<!-- table {folder.name} -->" in page


def test_the_page_of_performance_is_as_measured():
    assert (DOCS / "performance.md").read_text() == run.page()


def test_a_figure_that_was_typed_is_overwritten(tmp_path):
    write(tmp_path / "mine", ROW, ROW | {"seed": 1, "accuracy": 0.75})
    page = "a\n<!-- table mine -->\n| 99.9 |\n<!-- end -->\nb\n<!-- table none -->\n<!-- end -->\n"
    filled = tables.filled(page, tmp_path)
    assert "| random | 2 | 62.5 ± 17.7 | – | 5 x 16 | 5 | 960 | – | 0 |" in filled
    assert "99.9" not in filled
    assert "<!-- table none -->\n\nNot run.\n\n<!-- end -->" in filled
    assert tables.filled(filled, tmp_path) == filled


def test_comparisons_are_taken_in_and_joined(tmp_path):
    first = write(tmp_path / "first", ROW, ROW | {"seed": 1})
    other = write(tmp_path / "other", ROW | {"seed": 1, "accuracy": 0.75}, ROW | {"condenser": "mtt"})
    kept = tmp_path / "kept"
    tables.add(first, "all", kept)
    assert (kept / "all" / "comparison.csv").read_bytes() == (first / "comparison.csv").read_bytes()
    tables.add(other, "all", kept)
    with (kept / "all" / "comparison.csv").open() as file:
        rows = [(row["condenser"], row["seed"], row["accuracy"]) for row in csv.DictReader(file)]
    assert rows == [("random", "0", "0.5"), ("random", "1", "0.75"), ("mtt", "0", "0.5")]


def test_a_table_across_models_is_taken_in_too(tmp_path):
    cell = {"set": "dm", "distilled_with": "pct", "nbytes": 960, "model": "pct", "own": True, "seed": 0}
    cell |= {"networks": 1, "accuracy": 0.5, "seconds": 2.5, "peak_bytes": 1 << 20}
    other = cell | {"model": "dgcnn", "own": False, "distilled_with": None}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "cross.csv").write_text(tables.as_csv([cell, other]))
    for _ in range(2):  # the second time replaces
        tables.add(tmp_path / "run", "mine", tmp_path)
    assert "| dm | pct | 960 | 50.0 † | 50.0 |" in tables.shown(tmp_path / "mine")
    with pytest.raises(FileNotFoundError, match=r"has no comparison.csv or cross.csv or comparison.md: give"):
        tables.add(tmp_path, "mine", tmp_path)


def test_tables_of_streams_are_taken_in_whole(tmp_path):
    (tmp_path / "run").mkdir()
    for accuracy in ("| 50.0 |", "| 60.0 |"):
        (tmp_path / "run" / "comparison.md").write_text(f"## rehearse, 5 steps\n\n{accuracy}\n")
        tables.add(tmp_path / "run", "mine", tmp_path)
    assert tables.shown(tmp_path / "mine") == "### rehearse, 5 steps\n\n| 60.0 |\n"


@pytest.mark.parametrize("path", sorted((DOCS / "results").rglob("*.csv")), ids=lambda path: path.parent.name)
def test_what_is_kept_is_as_it_was_written(path):
    kind = tables.kind_in(path.parent)
    assert kind is not None
    assert kind.file == path.name
    assert tables.as_csv(tables.read(path)) == path.read_text()


def test_performance_has_all_that_was_kept_and_says_what_was_not(monkeypatch, tmp_path):
    (tmp_path / "performance").mkdir()
    (tmp_path / "performance" / "head.md").write_text("# Performance\n")
    monkeypatch.setattr(run, "DOCS", tmp_path)
    assert run.page() == "# Performance\n\n## Not run\n\n- CPU: all of it.\n- CUDA: all of it.\n"
    told = {"title": run.PARTS["layers"].title, "machine": "m", "table": "| 1 |\n", "command": "python x"}
    (tmp_path / "performance" / "cpu_layers.table.json").write_text(json.dumps(told))
    page = run.page()
    assert page.startswith(
        "# Performance\n\n## Layers\n\n```bash\npython x\n```\n\nm.\n\n| 1 |\n\n## Not run\n"
    )
    assert "- CPU: One update, 10 classes, 1,024 points; " in page
    assert "Layers;" not in page
    for name, part in run.PARTS.items():
        for device in ("cpu", "cuda"):
            kept = tmp_path / "performance" / f"{device}_{name}.table.json"
            kept.write_text(json.dumps(told | {"title": part.title}))
    assert "Not run" not in run.page()
