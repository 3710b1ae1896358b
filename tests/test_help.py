"""``--help`` of every script: its groups with their choices, its settings, and examples that are right."""

from __future__ import annotations

import re
import runpy
import shlex
import sys

import pytest
from hydra import compose, initialize_config_dir
from script_runs import SCRIPTS, run

from cl3d.config_paths import CONFIGS
from cl3d.described import described

ALL = sorted(path.stem for path in SCRIPTS.glob("*.py"))
CONFIGURED = [name for name in ALL if (CONFIGS / f"{name}.yaml").exists()]
OF_OTHERS = {"data": "buffer:", "distill": "strategy:", "evaluate": "condenser:", "compare": "benchmark:"}
"""Groups that a script does not know, and must not offer."""


def examples(text: str, script: str) -> list[str]:
    return re.findall(rf"^ +(python scripts/{script}\.py .+)$", text, re.MULTILINE)


@pytest.mark.parametrize("script", CONFIGURED)
def test_scripts_with_a_config_tell_groups_settings_and_examples(script, monkeypatch, capsys):
    assert run(script, "--help", monkeypatch=monkeypatch, folder=None) == 0
    shown = capsys.readouterr().out
    assert "  dataset: folder, labeled_parts, modelnet10," in shown
    assert "[shapes40]" in shown
    assert OF_OTHERS.get(script, "no such group") not in shown
    assert re.search(r"^  folder: \S+", shown, re.MULTILINE)
    assert "$$" not in shown
    assert all(len(line) <= 130 for line in shown.splitlines() if "python scripts" not in line)
    given = examples(shown, script)
    assert len(given) >= 2
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        for command in given:
            words = [word for word in shlex.split(command)[2:] if word != "-m"]
            if script == "data":
                words[0] = f"action={words[0]}"
            compose(script, overrides=[word.split(",")[0] if "-m" in command else word for word in words])


@pytest.mark.parametrize("script", [name for name in ALL if name not in CONFIGURED])
def test_scripts_without_a_config_tell_options_and_examples(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"{script}.py", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPTS / f"{script}.py"), run_name="__main__")
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "options:" in shown
    assert len(examples(shown, script)) >= 2


def test_the_present_choice_stands_in_brackets(monkeypatch, capsys):
    assert run("cl_run", "--help", "buffer=dm", "logger=csv", monkeypatch=monkeypatch, folder=None) == 0
    shown = capsys.readouterr().out
    assert "[dm]" in shown
    assert "[csv]" in shown
    assert "condenser/objective: [dm], layer_cosine" in shown
    assert "resume: null # the folder of a run" in shown


def test_names_that_settings_take_are_listed():
    shown = described("compare_cl", {"dataset": "shapes40"})
    assert "  buffers: balanced_reservoir, coarse" in shown
    assert "  strategies: cumulative, joint" in shown
    assert "# each a choice of cl_run.py" in shown
    assert "hydra" not in shown.split("Settings")[1]
    assert "buffers:" not in described("distill", {})
