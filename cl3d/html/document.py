"""A whole page in one file: style and scripts inside, nothing fetched from anywhere."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from markupsafe import Markup

from cl3d.html.palette import css_variables

SCRIPTS = ("clouds.js", "drawing.js", "tile.js", "viewer.js", "start.js")

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""What a browser may load for the page: what stands in it."""


def document(title: str, body: Markup, theme_button: bool = True) -> str:
    """A page that opens without a network.

    Args:
        title: of the window.
        body: its content.
        theme_button: whether light and dark can be changed in the page.
    """
    return str(
        Markup(
            "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
            '<meta http-equiv=Content-Security-Policy content="{}">\n'
            "<meta name=viewport content='width=device-width, initial-scale=1'>\n"
            "<link rel=icon href='data:,'>\n<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n{}{}\n"
            "<script>\n{}</script>\n</body>\n</html>\n"
        ).format(
            POLICY, title, Markup(_style()), _theme_button() if theme_button else "", body, Markup(_script())
        )
    )


@cache
def _style() -> str:
    return css_variables() + _asset("page.css")


@cache
def _script() -> str:
    """All scripts as one, their names their own."""
    return '(() => {\n"use strict";\n' + "\n".join(map(_asset, SCRIPTS)) + "})();\n"


def _asset(name: str) -> str:
    return (files("cl3d.html") / "assets" / name).read_text(encoding="utf-8")


def _theme_button() -> Markup:
    return Markup("<button type=button class=theme data-theme-button>light / dark</button>\n")
