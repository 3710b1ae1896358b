"""show(): a set's clouds to be turned, in a notebook or as a page of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from markupsafe import Markup

from cl3d.atomic import write_text
from cl3d.distill.exhibits import exhibit
from cl3d.distill.synthetic import SyntheticSet
from cl3d.errors import InputError, check_whole
from cl3d.html.document import document
from cl3d.html.markup import details, paragraph, table
from cl3d.html.viewer import viewer

HEIGHT = 640
"""Of a notebook's frame, in CSS pixels."""


@dataclass(frozen=True)
class Page:
    """A page to be looked at: a notebook shows it by itself, :meth:`save` writes it.

    Attributes:
        html: the whole page; it needs no network.
    """

    html: str

    def save(self, path: str | Path) -> Path:
        """Writes the page, to be opened in a browser.

        Raises:
            InputError: if it cannot be written.
        """
        write_text(Path(path), self.html)
        return Path(path)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that neither its style nor its script meets the notebook's."""
        frame = Markup(
            '<iframe srcdoc="{}" sandbox="allow-scripts" title="point clouds" loading="lazy" '
            'style="width:100%;height:{}px;border:0"></iframe>'
        )
        return str(frame.format(self.html, HEIGHT))


def show(
    *sets: SyntheticSet,
    class_names: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    num_points: Sequence[int] = (),
) -> Page:
    """The clouds of one or several sets, class by class, to be turned with mouse, touch or keys.

    Anchors and blends are told apart; what a set started from stands beside it where it is known, as it is of
    a set that :func:`distill` has just returned, and its parts are coloured.

    Args:
        class_names: by label; those that the sets' files tell, else numbers.
        names: what to call the sets, where there are several.
        num_points: resolutions to choose from, for sets that decode to any, as a generator.

    Returns:
        A page: the last value of a notebook's cell shows itself; elsewhere ``show(set).save("set.html")``.

    Raises:
        InputError: if no set is given, there are not as many names, or a class has no name.
    """
    if not sets:
        raise InputError("show() was given no set: give one at least")
    for wanted in num_points:
        check_whole("num_points", wanted, 1)
    called = list(names) if names is not None else [f"set {n}" for n in range(1, len(sets) + 1)]
    if len(called) != len(sets):
        raise InputError(f"{len(called)} names for {len(sets)} sets: give one for each")
    finest = max(num_points, default=None)
    shown = [
        replace(exhibit(synthetic, most_points=finest), name=name if len(sets) > 1 else "")
        for synthetic, name in zip(sets, called, strict=True)
    ]
    known = class_names_of(sets) if class_names is None else list(class_names)
    most = max(int(synthetic.labels.max()) for synthetic in sets)
    if most >= len(known):
        raise InputError(f"{len(known)} class names, but the sets have class {most}: give a name for each")
    head = Markup("<h1>Synthetic clouds</h1>") + paragraph(_told(sets), "quiet")
    facts = details("As a table", _table(sets, called, known))
    return Page(document("Synthetic clouds", head + viewer(shown, known, num_points) + facts))


def class_names_of(sets: Sequence[SyntheticSet]) -> list[str]:
    """The names that the files of sets tell, else ``class 0``, ``class 1``, ..."""
    for synthetic in sets:
        told = synthetic.info.get("provenance", {}).get("class_names")
        if isinstance(told, list) and len(told) > int(synthetic.labels.max()):
            return [str(name) for name in told]
    return [f"class {label}" for label in range(1 + max(int(s.labels.max()) for s in sets))]


def _told(sets: Sequence[SyntheticSet]) -> str:
    clouds, nbytes = sum(map(len, sets)), sum(s.nbytes for s in sets)
    return f"{clouds:,} clouds, {nbytes:,} bytes"


def _table(sets: Sequence[SyntheticSet], names: Sequence[str], class_names: Sequence[str]) -> Markup:
    rows = [
        (class_names[label], name, count)
        for synthetic, name in zip(sets, names, strict=True)
        for label, count in synthetic.clouds_per_class.items()
    ]
    return table(["class", "set", "clouds"], rows, "clouds of each class")
