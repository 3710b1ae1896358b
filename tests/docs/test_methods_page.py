"""The page about methods says what the presets are."""

from __future__ import annotations

from dataclasses import fields

import methods
import pytest
from documents import DOCS

from cl3d.distill import presets


def test_the_page_has_the_place_that_is_filled():
    marker = "<!-- presets -->"
    assert (DOCS / "methods.md").read_text().count(marker) == 1
    assert marker in (DOCS / "conf.py").read_text()


def test_every_preset_has_a_section():
    made = {name.removesuffix("_paper") for name in presets.__all__} - {"PAPERS", "citation"}
    assert set(methods.names()) == made
    text = methods.methods()
    for name in presets.__all__:
        assert name in ("PAPERS", "citation") or f"`{name}`" in text


@pytest.mark.parametrize("name", methods.names())
def test_sections_have_settings_and_papers(name):
    text, condenser = methods.method(name), getattr(presets, name)()
    for paper in presets.citation(name).splitlines():
        assert f"- {paper}" in text
    assert f"[{type(condenser.initializer).__name__}](#part-" in text
    if condenser.objective is not None:
        assert f"| iterations | `{condenser.iterations}` |" in text
        for field in fields(condenser.objective):
            assert f"{field.name}={getattr(condenser.objective, field.name)}" in text
    else:
        assert "| optimizer |" not in text, "what picks never use is no setting of theirs"


def test_papers_settings_stand_beside_the_defaults():
    text = methods.method("pcc")
    assert "| | `pcc` | `pcc_paper` |" in text
    assert "| iterations | `100` | `1000` |" in text
    assert "| optimizer | `SGD(lr=0.03, momentum=0.9)` | `SGD(lr=0.0001, momentum=0.5)` |" in text
    assert "section 4, algorithm 2" in text


def test_parts_tell_their_equations_and_settings():
    text = methods.methods()
    assert "PCC, eq. 18" in text
    assert "Morphing, eq. 7" in text
    for part in {line.split("(#part-")[1].split(")")[0] for line in text.splitlines() if "(#part-" in line}:
        assert f"(part-{part})=" in text
    assert ":class:" not in text
    assert "``" not in text.replace("```", "")
