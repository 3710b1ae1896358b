"""Reports at the end of runs: written unless they are not wanted."""

from __future__ import annotations

import json

import pytest
from script_runs import TINY, TINY_RUN, resume, run


def test_runs_end_with_a_report_that_says_how_they_were_started(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    assert run("cl_run", *TINY_RUN, "buffer=random", monkeypatch=monkeypatch, folder=folder) == 0
    assert f"report: {folder}/report.html" in capsys.readouterr().out
    page = (folder / "report.html").read_text()
    told = json.loads((folder / "environment.json").read_text())
    assert told["command"].startswith(f"python scripts/cl_run.py folder={folder}")
    assert told["command"].endswith("buffer=random")
    assert told["versions"]["torch"] in page


def test_no_report_where_none_is_wanted(tmp_path, monkeypatch):
    for script, arguments in (
        ("cl_run", [*TINY_RUN, "buffer=random"]),
        ("distill", [*TINY, "condenser=random"]),
    ):
        folder = tmp_path / script
        assert run(script, *arguments, "report=false", monkeypatch=monkeypatch, folder=folder) == 0
        assert not (folder / "report.html").exists()
        assert not list(folder.glob("initial*"))


def test_a_run_that_was_left_before_there_were_reports_is_gone_on_with(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    assert run("cl_run", *TINY_RUN, "buffer=random", monkeypatch=monkeypatch, folder=folder) == 0
    config = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(config.replace("report: true\n", ""))
    results = json.loads((folder / "results.json").read_text())
    (folder / "results.json").write_text(json.dumps(results | {"status": "interrupted"}))
    assert resume("cl_run", folder, monkeypatch=monkeypatch) == 0
    assert "report:" in capsys.readouterr().out


def test_a_condensed_set_ends_with_a_report(tmp_path, monkeypatch):
    settings = [*TINY, "condenser=dm", "condenser.iterations=2"]
    assert run("distill", *settings, monkeypatch=monkeypatch, folder=tmp_path) == 0
    page = (tmp_path / "report.html").read_text()
    assert "dm on shapes40" in page
    assert "from initial to distilled" in page
    assert (tmp_path / "initial.safetensors").is_file()


def test_wrong_settings_are_refused(tmp_path, monkeypatch, capsys):
    assert run("cl_run", "report=maybe", monkeypatch=monkeypatch, folder=tmp_path) == 2
    assert "report=maybe: give true or false" in capsys.readouterr().err


def test_wrong_folders_are_refused_in_one_sentence(tmp_path, monkeypatch, capsys):
    import runpy
    import sys

    from script_runs import SCRIPTS

    monkeypatch.setattr(sys, "argv", ["report.py", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPTS / "report.py"), run_name="__main__")
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: there is no run in")
