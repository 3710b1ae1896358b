"""Colours that pages and pictures share, told apart by the colour-blind, on light and on dark ground."""

from __future__ import annotations

LIGHT = ("#006AD4", "#E63600", "#009765", "#C265A0", "#3B92D6", "#828214", "#33383F", "#6A2DA8")
DARK = ("#4F8AD1", "#F5843B", "#30C694", "#E08CC0", "#9AD4F5", "#E3C02F", "#C9CED6", "#B58BFF")
"""Colours of curves and parts, in the order in which they are taken.

The hues are those of Okabe and Ito ("Color universal design", 2008), moved until each has a contrast of 3 to
its ground (WCAG 2.2, 1.4.11) and no two look alike with any colour missing.
"""

RAMP = ("#00204D", "#2B446E", "#575C6D", "#7C7B78", "#A69D75", "#D3C164", "#FFE945")
"""From low to high: cividis (Nuñez, Anderton and Renslow, PLOS ONE 2018), the same to the colour-blind."""

GROUNDS = {
    "light": {"page": "#F6F7F9", "panel": "#FFFFFF", "ink": "#1A1D21", "muted": "#59616B", "rule": "#D9DDE3"},
    "dark": {"page": "#14171B", "panel": "#1C2026", "ink": "#E7E9EC", "muted": "#A3ABB6", "rule": "#363C45"},
}
"""What lies below the colours, and what is written in, by theme."""

SERIES = {"light": LIGHT, "dark": DARK}


def css_variables() -> str:
    """The colours as CSS variables: light, dark where the system is, and whichever ``data-theme`` says."""
    blocks = {theme: _variables(theme) for theme in GROUNDS}
    return (
        f":root{{color-scheme:light;{blocks['light']}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{color-scheme:dark;{blocks['dark']}}}}}\n"
        f":root[data-theme=light]{{color-scheme:light;{blocks['light']}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{blocks['dark']}}}\n"
    )


def on_ramp(value: float) -> str:
    """The ramp's colour for a value from 0 to 1, as ``#RRGGBB``."""
    place = min(max(value, 0.0), 1.0) * (len(RAMP) - 1)
    low = min(int(place), len(RAMP) - 2)
    ends = (_rgb(RAMP[low]), _rgb(RAMP[low + 1]))
    mixed = (a + (b - a) * (place - low) for a, b in zip(*ends, strict=True))
    return "#" + "".join(f"{round(channel):02X}" for channel in mixed)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def ink_on(colour: str) -> str:
    """Black or white, whichever is easier to read on a colour."""
    return max(("#000000", "#FFFFFF"), key=lambda ink: contrast(ink, colour))


def _variables(theme: str) -> str:
    named = {f"series-{number}": colour for number, colour in enumerate(SERIES[theme])}
    return "".join(f"--{name}:{colour};" for name, colour in (GROUNDS[theme] | named).items())


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return red, green, blue


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _rgb(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
