"""What the pages of reports have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import yaml
from markupsafe import Markup

from cl3d import __version__
from cl3d.distill.exhibits import exhibit, own_resolution
from cl3d.html.document import document
from cl3d.html.exhibit import Exhibit, merged
from cl3d.html.markup import definitions, details, joined, paragraph, section, table
from cl3d.html.viewer import viewer
from cl3d.report.pages.found import Found, Stored


def page(title: str, about: str, *content: Markup) -> str:
    """A whole report."""
    head = Markup("<header><h1>{}</h1>{}</header>\n").format(title, paragraph(about, "quiet"))
    foot = paragraph(f"Written by cl3d {__version__}.", "quiet")
    return document(title, joined([head, *content, foot]))


def headline(figures: Iterable[tuple[str, str, str]]) -> Markup:
    """Numbers to see first: name, value, and a smaller remark."""
    cells = (
        Markup("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>\n").format(*figure) for figure in figures
    )
    return Markup("<dl class=headline>\n{}</dl>\n").format(joined(cells))


def notices(sentences: Sequence[str]) -> Markup:
    """What must not be overlooked."""
    return joined(paragraph(sentence, "notice") for sentence in sentences)


def guarded(name: str, make: Callable[[], Markup]) -> Markup:
    """A part of a page, or, where the files lack what it needs, a sentence saying so."""
    try:
        return make()
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        return notices(
            [f"{name}: the files of this run lack what it takes ({type(error).__name__}: {error})."]
        )


def exhibit_of(stored: Sequence[Stored], resolutions: Sequence[int], name: str = "") -> Exhibit:
    """The sets of one memory as a viewer shows them."""
    finest = max(resolutions, default=None)
    return merged([exhibit(one.synthetic, one.initial, finest) for one in stored], name)


def clouds(
    stored: Mapping[str, Sequence[Stored]],
    class_names: Sequence[str],
    resolutions: Sequence[int],
    title: str = "The memory",
) -> Markup:
    """The section with the clouds: of one run, or of several by their names."""
    sets = {name: list(of_run) for name, of_run in stored.items() if of_run}
    if not sets:
        return Markup("")
    wanted = list(resolutions) or _resolutions([one for of_run in sets.values() for one in of_run])
    exhibits = [exhibit_of(of_run, wanted, name if len(sets) > 1 else "") for name, of_run in sets.items()]
    labels = max(cloud.label for shown in exhibits for cloud in shown.clouds)
    names = [*class_names, *(f"class {label}" for label in range(len(class_names), labels + 1))]
    return section(
        title,
        viewer(exhibits, names, wanted),
        details("As a table", _table_of(sets, names)),
        anchor="memory",
    )


def what_was_run(
    found: Found, facts: Iterable[tuple[str, object]], *more: Markup, name: str = "", number: int = 0
) -> Markup:
    """Command, settings, versions, and what else there is; of several runs each with its name and number."""
    environment = found.environment
    versions = ", ".join(
        f"{name} {value}" for name, value in environment.get("versions", {}).items() if value
    )
    told = [
        ("command", Markup("<code>{}</code>").format(environment["command"]) if environment else None),
        *facts,
        ("started", environment.get("started")),
        ("versions", versions),
        ("machine", environment.get("system")),
        ("accelerator", environment.get("accelerator")),
        ("folder", str(found.folder.resolve())),
    ]
    config = yaml.safe_dump(found.config, sort_keys=False, allow_unicode=True)
    whole = (
        details("The whole configuration", Markup("<pre>{}</pre>").format(config))
        if found.config
        else Markup("")
    )
    shown = definitions((name, value) for name, value in told if value not in (None, ""))
    return section(
        f"What was run{name and ': '}{name}", shown, *more, whole, anchor=f"settings{number or ''}"
    )


def what_each_run_was(names: Sequence[str], found: Sequence[Found]) -> Markup:
    """A section for each of several runs."""
    return joined(
        guarded(
            "What was run",
            partial(what_was_run, one, [("seed", one.config.get("seed"))], name=name, number=number),
        )
        for number, (name, one) in enumerate(zip(names, found, strict=True), 1)
    )


def _resolutions(stored: Sequence[Stored]) -> list[int]:
    """A quarter of a set's own points, as many, and four times as many, where it decodes to any number."""
    owns = {own for one in stored if (own := own_resolution(one.synthetic)) is not None}
    return sorted({points for own in owns for points in (max(1, own // 4), own, 4 * own)})


def _table_of(sets: Mapping[str, Sequence[Stored]], class_names: Sequence[str]) -> Markup:
    """Clouds of each class, of each run."""
    head = [
        "class",
        *(["run"] if len(sets) > 1 else []),
        "clouds",
        "file",
        "bytes of the file's set",
        "kind",
        "moved",
    ]
    rows = []
    for name, stored in sets.items():
        for one in stored:
            moved = one.synthetic.info.get("moved_mean")
            told = f"{moved:.3f}" if isinstance(moved, float) else None
            for label, count in one.synthetic.clouds_per_class.items():
                where = [class_names[label], *([name] if len(sets) > 1 else [])]
                rows.append([*where, count, one.name, f"{one.synthetic.nbytes:,}", one.synthetic.kind, told])
    return table(head, rows, "What is stored; moved: the mean distance from where they started, in radii")
