"""All figures and tables of runs as files, and charts as they are drawn."""

from __future__ import annotations

import csv
import sys

import pytest
from run_folders import whole_run
from script_runs import SCRIPTS

from cl3d.errors import InputError
from cl3d.report.charts.axes import round_values, span_of
from cl3d.report.charts.of_runs import charts_of, forgetting_by_step, matrix_of
from cl3d.report.charts.page import figure
from cl3d.report.charts.paper import save_chart
from cl3d.report.charts.values import BarChart, HeatMap, Line, LineChart
from cl3d.report.collect import collect
from cl3d.report.figures import save_figures

LINES = LineChart(
    "t", "x", "y", (1, 2, 3), (Line("a", [1, None, 3], main=True), Line("b", [2] * 3, bound=True)), "s"
)
BARS = BarChart("t", "x", "y", ("1", "2"), {"a": [1.0, None], "b": [2.0, 3.0]}, "s")
HEAT = HeatMap("t", "x", "y", ("1", "2"), ("1", "2"), ((10.0, None), (20.0, 30.0)), "s")


@pytest.mark.parametrize("chart", [LINES, BARS, HEAT], ids=lambda chart: type(chart).__name__)
@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_a_chart_is_the_same_file_each_time(tmp_path, chart, ending):
    paths = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for path in paths:
        save_chart(path, chart)
    assert paths[0].stat().st_size > 1000
    if ending != "svg":  # its ids are drawn
        assert paths[0].read_bytes() == paths[1].read_bytes()
    with pytest.raises(InputError, match=r"give \.png, \.pdf or \.svg"):
        save_chart(tmp_path / "c.xyz", chart)


def test_tables_behind_charts_have_all_values():
    assert LINES.rows() == (["x", "a", "b"], [["1", "1.0", "2.0"], ["2", None, "2.0"], ["3", "3.0", "2.0"]])
    assert BARS.rows() == (["x", "a (y)", "b (y)"], [["1", "1.0", "2.0"], ["2", None, "3.0"]])
    assert HEAT.rows() == (["y / x", "1", "2"], [["1", "10.0", None], ["2", "20.0", "30.0"]])


def test_bars_stand_upon_each_other_and_gaps_are_left_out():
    bars = str(figure(BARS))
    assert bars.count("<rect") == 4
    assert "x 2, b: 3 y" in bars
    assert str(figure(HEAT)).count("<rect") == 3
    lines = str(figure(LINES))
    assert "a, x 2" not in lines
    assert lines.count("class='line bound'") == 2  # curve and legend


def test_curves_that_have_one_point_or_none_are_drawn():
    one = LineChart("t", "x", "y", (5,), (Line("a", [0.0]), Line("b", [None])), "s")
    assert "nan" not in str(figure(one)).lower()
    assert "nan" not in str(figure(LineChart("t", "x", "y", (), (), "s"))).lower()
    assert "nan" not in str(figure(BarChart("t", "x", "y", ("1",), {"a": [0.0]}, "s"))).lower()


def test_axes_have_round_values():
    assert round_values(0, 105) == [0, 25, 50, 75, 100]
    assert span_of([]) == (0, 1)
    assert span_of([-2, 4])[0] == -2


def test_charts_of_a_run_by_hand(tmp_path):
    [run] = collect([whole_run(tmp_path / "run")])
    assert list(charts_of(run)) == ["matrix", "forgetting", "seconds", "bytes", "peak"]
    assert matrix_of(run).values[2] == pytest.approx([80, 85, 90])
    first, best, last = forgetting_by_step(run).lines
    assert first.y == best.y == pytest.approx([90, 90, 90])
    assert last.y == pytest.approx([80, 85, 90])
    assert charts_of(run)["seconds"].parts["condense"] == [2.0, 3.0, 4.0]
    assert charts_of(run)["bytes"].parts["memory"][-1] == pytest.approx(180000 / 1024)


def test_all_figures_are_written(tmp_path):
    whole_run(tmp_path / "runs" / "a", "anchors")
    whole_run(tmp_path / "runs" / "b", buffer="dm", buffer_settings="dm()")
    written = save_figures(tmp_path / "out", collect([tmp_path / "runs"]), "dm")
    assert sorted(written) == sorted((tmp_path / "out").iterdir())
    names = {path.name for path in written}
    for figure_ in (
        "matrix_pcc",
        "forgetting_dm",
        "seconds_pcc",
        "bytes_dm",
        "peak_pcc",
        "memory_dm",
        "curves",
    ):
        assert {f"{figure_}.png", f"{figure_}.pdf"} <= names
    rows = list(csv.DictReader((tmp_path / "out" / "table.csv").open()))
    assert sorted(row["memory"] for row in rows) == ["dm", "pcc"]
    assert r"\begin{tabular}" in (tmp_path / "out" / "table.tex").read_text()


def test_the_scripts_write_what_they_say(tmp_path, monkeypatch, capsys):
    import runpy

    folder = str(whole_run(tmp_path / "run"))

    def run(script: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [f"{script}.py", *arguments])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(SCRIPTS / f"{script}.py"), run_name="__main__")
        assert not ended.value.code
        return capsys.readouterr().out

    assert "written: figures: curves.png, curves.pdf" in run("figures", folder, "--out", "figures")
    assert "written: c.pdf" in run("figures", folder, "--out", "c.pdf")
    assert run("tables", folder, "--csv").startswith("dataset,protocol,steps,memory")
    assert "report.html" in run("report", folder)
    assert "written: x.html" in run("report", folder, "--out", "x.html", "--points", "64")
