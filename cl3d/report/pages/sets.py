"""Several condensed sets on one page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from markupsafe import Markup

from cl3d.distill.show import class_names_of
from cl3d.errors import InputError
from cl3d.html.markup import section, table
from cl3d.report.pages.distilled import judged_by, title
from cl3d.report.pages.found import Found
from cl3d.report.pages.sections import clouds, guarded, notices, page, what_each_run_was
from cl3d.report.text_tables import percent


def report(found: Sequence[Found], resolutions: Sequence[int] = ()) -> str:
    """The page: what they cost and are worth, and their clouds under each other.

    Args:
        resolutions: points to decode to, of sets that decode to any number.

    Raises:
        InputError: if no folder holds a set.
    """
    there = [one for one in found if one.sets]
    if not there:
        raise InputError("none of these folders holds a set: give those that distill.py has finished")
    told = [f"Left out: {one.folder} has no set." for one in found if not one.sets]
    told += [f"{one.folder}: {fault}." for one in found for fault in one.faults]
    names = _names(there)
    classes = class_names_of([stored.synthetic for one in there for stored in one.sets])
    of_name = {name: one.sets for name, one in zip(names, there, strict=True)}
    return page(
        f"{len(there)} condensed sets",
        "; ".join(names),
        notices(told),
        guarded("The table", partial(_table, names, there)),
        guarded("The clouds", partial(clouds, of_name, classes, resolutions, "The clouds")),
        what_each_run_was(names, there),
    )


def _names(found: Sequence[Found]) -> list[str]:
    """What each is called, with its folder where several are called the same."""
    titles = [title(one) for one in found]
    return [
        name if titles.count(name) == 1 else f"{name}, {one.folder.name}"
        for name, one in zip(titles, found, strict=True)
    ]


def _table(names: Sequence[str], found: Sequence[Found]) -> Markup:
    rows, figures = [], set[str]()
    for name, one in zip(names, found, strict=True):
        synthetic = one.sets[0].synthetic
        moved = synthetic.info.get("moved_mean")
        tests = [
            f"{percent(judged_by(told)[1])}" + ("" if who == "evaluation" else f" ({who})")
            for who, told in one.evaluations.items()
        ]
        figures |= {judged_by(told)[0] for told in one.evaluations.values()}
        size = [len(synthetic), synthetic.stored_clouds, f"{synthetic.nbytes:,}"]
        rows.append([name, *size, None if moved is None else f"{moved:.3f}", ", ".join(tests) or None])
    tested = " or ".join(sorted(figures)) or "accuracy"
    head = ["set", "clouds", "stored", "bytes", "moved", f"test {tested} %"]
    return section("What they cost and are worth", table(head, rows), anchor="table")
