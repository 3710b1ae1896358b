"""What the README shows works: Python blocks run on smaller data, command lines compose."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from documents import ROOT, blocks, execute, shrink_shapes40
from hydra import compose, initialize_config_dir

from cl3d.config_paths import CONFIGS

README = ROOT / "README.md"
WITHOUT_CONFIG = tuple(f"scripts/{name}.py" for name in ("figures", "tables", "pareto", "report", "runs"))
DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md"))]


def commands(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    for variable, value in (("$buffer", "pcc"), ("$steps", "5"), ("$seed", "1")):  # of loops
        joined = joined.replace(variable, value)
    return re.findall(r"(python scripts/\w+\.py[^\n`#&;]*)", joined)


@pytest.mark.filterwarnings("ignore:class .* are asked for")
def test_python_blocks_run_one_after_the_other(monkeypatch, tmp_path):
    shrink_shapes40(monkeypatch)
    found = blocks(README)
    assert len(found) == 3
    namespace = execute(README, found)
    assert (tmp_path / "pcc.safetensors").is_file()
    assert namespace["memory"].nbytes == 4 * 5 * 32 * 12  # four clouds of each class are there


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_command_lines_compose(document):
    for command in commands(document.read_text()):
        _, script, *arguments = shlex.split(command)
        assert (ROOT / script).is_file(), command
        if script in WITHOUT_CONFIG or "--help" in arguments:
            continue
        # launchers are extras
        overrides = [a for a in arguments if a != "-m" and not a.startswith("hydra")]
        if script == "scripts/data.py" and "=" not in overrides[0]:
            overrides[0] = f"action={overrides[0]}"
        if "-m" in arguments:  # a sweep's first job
            overrides = [a.split(",")[0] for a in overrides]
        with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
            compose(Path(script).stem, overrides=overrides)


def test_links_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_both_promised_commands_are_there():
    one_liners = [block.strip() for block in blocks(README, "bash") if block.startswith("python3 -m venv")]
    assert len(one_liners) == 2
    assert one_liners[0].endswith("python scripts/cl_run.py steps=10 buffer=pcc")
    assert one_liners[1].endswith("pytest")
