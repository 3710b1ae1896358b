"""What pages tell to type is understood: settings compose, options are those of the scripts."""

from __future__ import annotations

import argparse
import re
import runpy
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
from documents import PAGES, README, ROOT, blocks, script_calls
from hydra import compose, initialize_config_dir

from cl3d.config_paths import CONFIGS

OTHERS = re.compile(r"for \w+ in [^;]+; do|done|python3 -m venv|pytest|ruff|sphinx-build -W docs ")
"""Loops; what sets up and checks, which .ci/run does."""


class Parsed(Exception):
    """The options of a script have been understood, and nothing has been done."""


def parse(script: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a script of options understand them."""
    understand = argparse.ArgumentParser.parse_args

    def stop(self, *given):
        understand(self, *given)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    monkeypatch.syspath_prepend((ROOT / script).parent)
    with pytest.raises(Parsed):
        runpy.run_path(str(ROOT / script), run_name="__main__")


def check(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, *arguments = shlex.split(call)
    assert (ROOT / script).is_file(), call
    if not (CONFIGS / f"{Path(script).stem}.yaml").exists():
        if "parse_args" in (ROOT / script).read_text():
            parse(script, arguments, monkeypatch)
        else:
            assert not arguments, f"{call}: the script takes nothing"
        return
    if "--help" in arguments:
        return
    overrides = [a for a in arguments if a != "-m" and not a.startswith("hydra")]  # launchers are extras
    if script == "scripts/data.py" and "=" not in overrides[0]:
        overrides[0] = f"action={overrides[0]}"
    if "-m" in arguments:  # a sweep's first job
        overrides = [a.split(",")[0] for a in overrides]
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        compose(Path(script).stem, overrides=overrides)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_calls_of_scripts_are_understood(page, monkeypatch):
    for call in script_calls(page.read_text()):
        check(call, monkeypatch)


def test_wrong_calls_are_noticed(monkeypatch):
    wrong = ["scripts/cl_run.py bufer=pcc", "scripts/tables.py runs --referenz a", "scripts/none.py"]
    assert len(script_calls("\n".join(f"python {call}" for call in wrong))) == 3
    for call in wrong:
        with pytest.raises((Exception, SystemExit)) as caught:
            check(call, monkeypatch)
        assert caught.type is not Parsed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_line_of_a_block_is_one_that_is_looked_at(page):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for block in blocks(page, "bash"):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            line = re.sub(r"^\w+=\w+ |\s+#.*$", "", line.strip())
            asked = re.search(r'pip install -e "\.\[(\w+)\]"', line)
            if asked:
                assert asked.group(1) in extras, line
            assert asked or script_calls(line) or OTHERS.match(line), f"{page.name}: {line}"


def test_both_promised_commands_are_there():
    one_liners = [block.strip() for block in blocks(README, "bash") if block.startswith("python3 -m venv")]
    assert len(one_liners) == 2
    assert one_liners[0].endswith("python scripts/cl_run.py steps=10 buffer=pcc")
    assert one_liners[1].endswith("pytest")
