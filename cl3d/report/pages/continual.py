"""The report of a continual run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from markupsafe import Markup

from cl3d.html.markup import definitions, details, joined, paragraph, section, table
from cl3d.report.charts.of_runs import accuracy_over_classes, charts_of
from cl3d.report.charts.page import figure
from cl3d.report.groups import Run, label, steps_of
from cl3d.report.pages.beside import neighbours
from cl3d.report.pages.found import Found
from cl3d.report.pages.sections import clouds, guarded, headline, notices, page, what_was_run
from cl3d.report.units import duration, size

FORGETTING = (
    ("max_minus_last", "max − last", "the best accuracy ever reached on a step's classes minus the last one"),
    ("first_minus_last", "first − last", "the accuracy right after the step was learnt minus the last one"),
)
"""Both kinds, what they are called, and what they are."""

BESIDE = """\
Other finished runs in the same folder stand beside this one where data, steps and budget are the same; in
brackets how many seeds are averaged, their spread being shaded. Dashed: bounds, which have no memory."""

ALONE = """\
No finished run in the same folder can stand beside this one; strategy=naive, cumulative and joint run its
bounds."""


def report(found: Found, resolutions: Sequence[int] = (), others: Sequence[Path] = ()) -> str:
    """The page.

    Args:
        resolutions: points to decode to, of memories that decode to any number.
        others: folders of runs to stand beside it, besides those in the same folder.
    """
    run = found.results
    if run is None or not run["accuracy_per_step"]:
        return page(
            found.folder.name,
            "No step of this run is finished.",
            notices(_notices(found)),
            guarded("The memory", partial(_memory, found, resolutions)),
            guarded("What was run", partial(what_was_run, found, [])),
        )
    title = f"{label(run)} on {run['settings'].get('dataset', 'an unknown data set')}"
    return page(
        title,
        _about(found, run),
        notices(_notices(found)),
        guarded("Headline", partial(_headline, run)),
        guarded("Accuracy", partial(_accuracy, run, others)),
        guarded("Forgetting", partial(_forgetting, run)),
        guarded("Costs", partial(_costs, run)),
        guarded("The memory", partial(_memory, found, resolutions)),
        guarded("What was run", partial(_settings, found, run)),
    )


def _about(found: Found, run: Run) -> str:
    settings, steps = run["settings"], steps_of(run)
    classes = sum(settings["classes_per_step"])
    how = "in one step" if steps == 1 else f"in {steps} steps"
    return (
        f"{classes} classes {how}, strategy {settings['strategy']}, seed {settings['seed']}: {found.status}"
    )


def _notices(found: Found) -> list[str]:
    told = []
    run = found.results
    if found.status != "finished":
        done = 0 if run is None else len(run["accuracy_per_step"])
        whole = "" if run is None else f" of {steps_of(run)}"
        told.append(
            f"This run is {found.status}: the numbers are of the {done}{whole} steps that it has finished."
        )
    if run is not None and run["settings"].get("leaks"):
        told.append(
            "This memory LEAKS (joint_condensed): it was condensed from all classes before the first step. "
            "It is a control, and no result."
        )
    return told + [f"Left out: {fault}." for fault in found.faults]


def _headline(run: Run) -> Markup:
    forgetting, done = run["forgetting"], len(run["accuracy_per_step"])
    seconds, peak = run["seconds"].get("total"), (run.get("peak_memory") or {}).get("highest")
    figures = [
        ("final accuracy", f"{100 * run['final_accuracy']:.1f} %", f"after step {done}, classes seen so far"),
        ("average accuracy", f"{100 * run['average_accuracy']:.1f} %", "mean over the steps"),
        (
            "forgetting",
            points(forgetting["max_minus_last"]),
            f"points, max − last; first − last: {points(forgetting['first_minus_last'])}",
        ),
    ]
    if run["memory_bytes"]:
        stored = run["memory_clouds_per_step"][-1]
        figures.append(
            ("memory", _short(run["memory_bytes"]), f"{run['memory_bytes']:,} bytes, {stored:,} clouds")
        )
    if seconds is not None:
        figures.append(("time", duration(seconds), "condensing, training, testing"))
    if peak:
        figures.append(("peak memory", _short(peak), f"on {run['settings'].get('device', 'the machine')}"))
    return headline(figures)


def _accuracy(run: Run, others: Sequence[Path]) -> Markup:
    beside = neighbours(run, others)
    charts = charts_of(run)
    curve = figure(accuracy_over_classes([run, *beside], main=run))
    note = BESIDE if beside else ALONE
    figures = Markup("<div class=figures>{}{}</div>").format(curve, figure(charts["matrix"]))
    return section("Accuracy", figures, paragraph(note, "quiet"), _by_class(run), anchor="accuracy")


def _by_class(run: Run) -> Markup:
    """The accuracy on each class after the last step, the lowest first."""
    names, last = run["settings"]["class_names"], run["class_accuracy_per_step"][-1]
    came = {}
    start = 0
    for step, size_of in enumerate(run["settings"]["classes_per_step"], 1):
        for known in run["settings"]["class_order"][start : start + size_of]:
            came[int(known)] = step
        start += size_of
    rows = [
        (names[int(key)], came.get(int(key)), f"{100 * value:.1f}")
        for key, value in sorted(last.items(), key=lambda item: item[1])
    ]
    return details(
        "Accuracy of each class",
        table(["class", "came in step", "accuracy %"], rows, "After the last step, the lowest first"),
    )


def _forgetting(run: Run) -> Markup:
    charts, told = charts_of(run), run["forgetting"]
    if "forgetting" not in charts:
        return Markup("")
    facts = definitions(
        (f"{name}: {points(told[key])} points", what + ", averaged over the earlier steps")
        for key, name, what in FORGETTING
    )
    both = Markup("<div class=figures>{}<div>{}</div></div>").format(figure(charts["forgetting"]), facts)
    return section("Forgetting", both, anchor="forgetting")


def _costs(run: Run) -> Markup:
    charts = charts_of(run)
    shown = [figure(charts[name]) for name in ("bytes", "seconds", "peak") if name in charts]
    if not shown:
        return Markup("")
    return section("Costs", Markup("<div class=figures>{}</div>").format(joined(shown)), anchor="costs")


def _memory(found: Found, resolutions: Sequence[int]) -> Markup:
    names = (found.results or {}).get("settings", {}).get("class_names", [])
    return clouds({"": found.sets}, names, resolutions)


def _settings(found: Found, run: Run) -> Markup:
    settings = run["settings"]
    names = settings["class_names"]
    steps, start = [], 0
    for count in settings["classes_per_step"]:
        steps.append(", ".join(names[c] for c in settings["class_order"][start : start + count]))
        start += count
    order = details(
        "The classes in their order", table(["step", "classes"], [(i, s) for i, s in enumerate(steps, 1)])
    )
    same_seed = settings.get("order_seed", settings["seed"]) == settings["seed"]
    facts = [
        ("data", f"{settings['dataset']}, {settings['num_points']:,} points per cloud"),
        ("fingerprint", settings["data_fingerprint"]),
        ("memory", f"{settings['buffer']}, {settings['budget']}" if settings["buffer"] else "none"),
        ("strategy", _code(settings["strategy_settings"])),
        ("condenser", _code(settings["buffer_settings"])),
        ("model", settings["model"]),
        ("classifier", settings.get("classifier")),
        ("seed", f"{settings['seed']}" + ("" if same_seed else f", class order {settings['order_seed']}")),
        ("device", settings.get("device")),
    ]
    return joined([what_was_run(found, facts), section("Stream", order, anchor="stream")])


def _code(text: str | None) -> Markup | None:
    return None if text is None else Markup("<code>{}</code>").format(text)


def points(fraction: float) -> str:
    """Percentage points, with a true minus."""
    return f"{100 * fraction:.1f}".replace("-", "−")


def _short(nbytes: int) -> str:
    """Bytes as KiB or MiB alone, where they are many."""
    told = size(nbytes)
    return told[told.index("(") + 1 : -1] if "(" in told else told
