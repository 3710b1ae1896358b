"""What ``--help`` says of a config: groups with their choices, and settings with their comments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

from cl3d.config_paths import CONFIGS

TAKE_CHOICES = {
    "condensers": "condenser",
    "buffers": "buffer",
    "bounds": "strategy",
    "strategies": "strategy",
    "distil_with": "model",
    "models": "model",
}
"""Settings whose values are names of a group's choices."""

WIDTH = 110
DEFAULT = re.compile(r"  - (?:override )?([\w/]+): *(\S+) *(?:# *(.*))?")


def described(script: str, choices: Mapping[str, str | None]) -> str:
    """The middle of a help text, in which ``$`` is written ``$$``.

    Args:
        script: the name of its config.
        choices: by group, those that the command line and the defaults make.
    """
    lines = (CONFIGS / f"{script}.yaml").read_text().splitlines()
    comments = {found[1]: found[3] for line in lines if (found := DEFAULT.fullmatch(line))}
    own = [group for group in choices if not group.startswith("hydra/")]
    own += ["hydra/launcher"] if "hydra:" in lines and "  sweep:" in lines else []
    text = ["Groups, group=choice; the present one in brackets:"]
    for group in sorted(own):
        text += _group(group, comments.get(group), choices.get(group))
    settings = list(_settings(lines))
    if "  - clouds" in lines:
        settings += list(_settings((CONFIGS / "clouds.yaml").read_text().splitlines()))[1:]
    text += ["", "Settings, key=value:", *(f"  {line}" for line in settings)]
    taking = [name for name in TAKE_CHOICES if any(line.startswith(f"{name}:") for line in settings)]
    text += ["", "Names that these take:"] if taking else []
    for name in taking:
        text += _wrapped(f"  {name}: ", ", ".join(_choices(TAKE_CHOICES[name])))
    text += ["", f"All settings, also of what is chosen: python scripts/{script}.py --cfg job", ""]
    return "\n".join(text).replace("$", "$$")


def _group(group: str, comment: str | None, chosen: str | None) -> Iterator[str]:
    """A group's choices."""
    shown = [f"[{name}]" if name == chosen else name for name in _choices(group)]
    yield from _wrapped(f"  {group}: ", ", ".join(shown))
    if comment and comment not in _choices(group):
        yield f"      # {comment}"


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(head + text, WIDTH, subsequent_indent=6 * " ", break_long_words=False)


def _choices(group: str) -> list[str]:
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def _settings(lines: list[str]) -> Iterator[str]:
    """The settings of a config, as they are written there: without the defaults and Hydra's own."""
    inside, before = False, list[str]()
    for line in filter(None, lines):
        if line.startswith("#"):
            before.append(line)
            continue
        if not line.startswith(" "):
            inside = line.split(":")[0] not in ("defaults", "hydra")
        if inside:
            yield from (*before, line)
        before = []
