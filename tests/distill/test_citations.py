"""Every preset says what to cite."""

from __future__ import annotations

import pytest

from cl3d.distill import Condenser, presets
from cl3d.errors import InputError

NAMES = [name for name in presets.__all__ if name not in ("PAPERS", "citation")]


@pytest.mark.parametrize("name", NAMES)
def test_presets_are_condensers_of_their_name_with_a_citation(name):
    preset = getattr(presets, name)()
    assert isinstance(preset, Condenser)
    assert preset.name == name
    cited = presets.citation(name).splitlines()
    assert all(line in presets.PAPERS.values() for line in cited)
    assert bool(cited) == (not name.startswith("random"))


def test_unknown_presets_are_refused():
    with pytest.raises(InputError, match="there is no preset 'mystery': give one of random, herding"):
        presets.citation("mystery")
