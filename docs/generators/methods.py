"""The text of the page about methods, made from the presets: python docs/generators/methods.py prints it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from textwrap import dedent
from typing import Any

from cl3d.distill import presets
from cl3d.distill.condenser import Condenser
from cl3d.distill.presets import memories, working

PARTS = ("initializer", "parameterization", "objective", "surrogates")
UNUSED_BY_PICKS = (
    "surrogates",
    "optimizer",
    "schedule",
    "iterations",
    "real_batch",
    "real_points",
    "statistics_batch",
)
"""What a condenser without an objective has and never looks at."""


def methods() -> str:
    """A section for each preset, then one for each part that they are made of."""
    made = {name: getattr(presets, name)() for name in names()}
    return "\n\n".join([*map(method, made), "## The parts", *map(part, parts(made.values()))])


def names() -> list[str]:
    """The presets with working defaults, in the order in which they are written down."""
    return [
        name
        for module in (working, memories)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    ]


def method(name: str) -> str:
    """What it is, how it is composed, with the paper's own settings beside, and what to cite."""
    columns = {name: getattr(presets, name)()}
    texts = [prose(getattr(presets, name))]
    if (paper := getattr(presets, f"{name}_paper", None)) is not None:
        columns[f"{name}_paper"] = paper()
        texts.append(f"`{name}_paper`: {prose(paper)}")
    cited = [f"- {line}" for line in presets.citation(name).splitlines()]
    sources = ["Cite:\n\n" + "\n".join(cited)] if cited else []
    return "\n\n".join([f"## {name}", *texts, table(columns), *sources])


def table(columns: dict[str, Any]) -> str:
    """The settings, a row each, of condensers side by side; rows that no column uses are left out."""
    lines = [f"| | {' | '.join(f'`{name}`' for name in columns)} |", "| --- " * (len(columns) + 1) + "|"]
    for field in fields(next(iter(columns.values()))):
        cells = [setting(condenser, field.name) for condenser in columns.values()]
        if field.name != "name" and any(cells):
            lines.append(f"| {field.name} | {' | '.join(cell or '–' for cell in cells)} |")
    return "\n".join(lines)


def setting(condenser: Any, name: str) -> str:
    """One setting; empty where the condenser has none or does not use it."""
    value = getattr(condenser, name)
    picks = isinstance(condenser, Condenser) and condenser.objective is None
    if value is None or (picks and name in UNUSED_BY_PICKS):
        return ""
    if name in PARTS:
        kind = type(value).__name__
        told = ", ".join(f"{key}={text}" for key, text in settings(value))
        return f"[{kind}](#part-{kind.lower()})" + (f": `{told}`" if told else "")
    return f"`{shown(value)}`"


def settings(value: Any) -> Iterator[tuple[str, str]]:
    """The settings of a part that say what it does, by name."""
    for field in fields(value):
        if field.repr and field.compare:
            yield field.name, shown(getattr(value, field.name))


def shown(value: Any) -> str:
    """A value in one line: of one that has settings itself, its rate and those that are not its defaults."""
    if not is_dataclass(value):
        return str(value)
    changed = [f for f in fields(value) if f.name == "lr" or getattr(value, f.name) != default(f)]
    told = ", ".join(f"{field.name}={shown(getattr(value, field.name))}" for field in changed)
    return f"{type(value).__name__}({told})"


def default(field: Field[Any]) -> Any:
    """What a field is unless it is given."""
    return field.default_factory() if field.default_factory is not MISSING else field.default


def parts(condensers: Any) -> list[type]:
    """The classes of all parts that are used, initializers first."""
    used = [
        type(getattr(condenser, name))
        for name in PARTS
        for condenser in condensers
        if setting(condenser, name)
    ]
    return list(dict.fromkeys(used))


def part(kind: type) -> str:
    """What a part does, and its settings, in the words of its docstring."""
    text = [f"(part-{kind.__name__.lower()})=\n### {kind.__name__}", prose(kind)]
    if told := section(kind, "Attributes"):
        items = re.split(r"\n(?=\S)", dedent(told).strip())
        pairs = [" ".join(item.split()).split(": ", 1) for item in items]
        text.append("\n".join(f"- `{name}`: {markdown(what)}" for name, what in pairs))
    return "\n\n".join(text)


def section(documented: type | Callable[..., Any], title: str) -> str:
    """A section of a docstring; empty where it has none of that title."""
    found = re.search(rf"\n\n{title}:\n((?: +.*\n?|\n)+)", inspect.getdoc(documented) or "")
    return found.group(1) if found else ""


def prose(documented: type | Callable[..., Any]) -> str:
    """A docstring up to its sections of settings and errors."""
    text = inspect.getdoc(documented) or ""
    return markdown(re.split(r"\n\n(?:Attributes|Args|Raises|Returns):\n", text)[0])


def markdown(text: str) -> str:
    """What is written for docstrings as Markdown: references to code and to pages, and formulas."""
    text = re.sub(r"docs/(\w+)\.md", r"[\1](\1.md)", text)
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text)  # references
    text = re.sub(r"::$", ":", text, flags=re.MULTILINE)  # what follows is indented: code in Markdown, too
    return text.replace("``", "`")


if __name__ == "__main__":
    print(methods())
