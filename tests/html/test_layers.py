"""Pages know of no data set and no run: they can be used from everywhere."""

from __future__ import annotations

import ast
from pathlib import Path

import cl3d.html


def test_html_imports_nothing_else_of_this_library():
    for path in Path(cl3d.html.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert all(n.startswith("cl3d.html") or not n.startswith("cl3d") for n in names), path
