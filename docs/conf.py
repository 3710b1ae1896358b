"""The site of the documentation: sphinx-build -W docs build/site.

Nothing is fetched, and no data set is read.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "generators")]

from methods import methods  # noqa: E402

from cl3d import __version__  # noqa: E402

project = "cl3d"
author = "The cl3d authors"
release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["performance", "results"]
# what GitHub makes of headings, so that links to them lead there in both places
myst_heading_anchors = 3

autosummary_generate = False
autodoc_typehints_format = "short"
autodoc_member_order = "groupwise"
autodoc_default_options = {"members": True, "special-members": "__call__"}
napoleon_use_ivar = True
napoleon_custom_sections = [("Attributes", "params_style")]
python_maximum_signature_line_length = 88
# a reference to something of cl3d that has no place here is an error; torch and the like are elsewhere
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!cl3d\.).*")]

html_theme = "furo"
html_title = f"cl3d {release}"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]


def fill_methods(app: Sphinx, page: str, source: list[str]) -> None:
    """Puts the presets into the page about them."""
    if page == "methods":
        source[0] = source[0].replace("<!-- presets -->", methods())


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", fill_methods)
