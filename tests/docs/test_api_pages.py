"""The pages about Python have all public names."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from documents import DOCS

API = "\n".join(page.read_text() for page in sorted((DOCS / "api").glob("*.md")))
WHOLE = re.findall(r"automodule:: ([\w.]+)\n(?!   :no-members:)", API)
SINGLE = re.findall(r"auto(?:class|function|exception):: ([\w.]+)", API)


@pytest.mark.parametrize("package", ["data", "distill", "distill.presets", "models", "continual", "testing"])
def test_every_public_name_has_its_place_once(package):
    module = f"cl3d.{package}"
    for name in import_module(module).__all__:
        value = getattr(import_module(module), name)
        if isinstance(value, type(re)):  # a module, such as presets
            assert f"{module}.{name}" in WHOLE
        else:
            assert (module in WHOLE) + SINGLE.count(f"{module}.{name}") == 1, name


def test_what_is_named_is_there():
    assert len(WHOLE) > 20
    for module in WHOLE:
        import_module(module)
    for name in SINGLE:
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute), name
