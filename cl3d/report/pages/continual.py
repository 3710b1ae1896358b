"""The report of a continual run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path

from markupsafe import Markup

from cl3d.html.markup import definitions, details, joined, paragraph, section, table
from cl3d.report.charts.of_runs import charts_of, curves_over_classes
from cl3d.report.charts.page import figure
from cl3d.report.groups import Run, label, steps_of
from cl3d.report.headline import headline as told_of
from cl3d.report.pages.beside import neighbours
from cl3d.report.pages.found import Found
from cl3d.report.pages.sections import clouds, guarded, headline, notices, page, what_was_run
from cl3d.report.units import duration, size

FORGETTING = (
    ("max_minus_last", "max − last", "the best {figure} ever reached on a step's classes minus the last one"),
    ("first_minus_last", "first − last", "the {figure} right after the step was learnt minus the last one"),
)
"""Both kinds, what they are called, and what they are, with the figure's name to put in."""

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
    if run is None or not told_of(run).per_step:
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
        guarded(told_of(run).title, partial(_curves, run, others)),
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
        done = 0 if run is None else len(told_of(run).per_step)
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
    told, forgetting = told_of(run), run["forgetting"]
    seconds, peak = run["seconds"].get("total"), (run.get("peak_memory") or {}).get("highest")
    figures = [
        (f"final {told.name}", percent(told.final), f"after step {len(told.per_step)}, classes seen so far"),
        (f"average {told.name}", percent(told.average), "mean over the steps"),
        *_other_figures(run),
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


def _other_figures(run: Run) -> list[tuple[str, str, str]]:
    """What is told beside the figure that is looked at first, after the last step."""
    if "class_miou_per_step" not in run:
        told = run.get("task_incremental_accuracy_per_step")
        return [("task-incremental", percent(told[-1]), "each cloud's step being told")] if told else []
    seen = run["seen_parts_instance_miou_per_step"][-1]
    return [
        ("class mIoU", percent(run["final_class_miou"]), "mean over the classes"),
        ("points", percent(run["final_accuracy"]), "whose part is right"),
        ("among seen parts", percent(seen), "instance mIoU, the parts of all classes seen to choose from"),
    ]


def _curves(run: Run, others: Sequence[Path]) -> Markup:
    beside = neighbours(run, others)
    charts = charts_of(run)
    curve = figure(curves_over_classes([run, *beside], main=run))
    note = BESIDE if beside else ALONE
    figures = Markup("<div class=figures>{}{}</div>").format(curve, figure(charts["matrix"]))
    return section(told_of(run).title, figures, paragraph(note, "quiet"), _by_class(run), anchor="accuracy")


def _by_class(run: Run) -> Markup:
    """What was reached on each class after the last step, the lowest first."""
    told, names = told_of(run), run["settings"]["class_names"]
    came = {known: step for step, classes in enumerate(_classes_of_steps(run), 1) for known in classes}
    rows = [
        (names[int(key)], came.get(int(key)), f"{100 * value:.1f}")
        for key, value in sorted(told.by_class[-1].items(), key=lambda item: item[1])
    ]
    return details(
        f"{told.class_name[0].upper()}{told.class_name[1:]} of each class",
        table(
            ["class", "came in step", f"{told.class_name} %"], rows, "After the last step, the lowest first"
        ),
    )


def _forgetting(run: Run) -> Markup:
    charts, told = charts_of(run), run["forgetting"]
    if "forgetting" not in charts:
        return Markup("")
    facts = definitions(
        (
            f"{name}: {points(told[key])} points",
            f"{what.format(figure=told_of(run).name)}, averaged over the earlier steps",
        )
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
    named = [
        (step, ", ".join(settings["class_names"][known] for known in classes))
        for step, classes in enumerate(_classes_of_steps(run), 1)
    ]
    order = details("The classes in their order", table(["step", "classes"], named))
    same_seed = settings.get("order_seed", settings["seed"]) == settings["seed"]
    facts = [
        ("task", "part segmentation" if "task" in settings else None),
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
    return what_was_run(found, facts, order)


def _classes_of_steps(run: Run) -> list[list[int]]:
    """The labels that come in each step."""
    settings = run["settings"]
    ends = list(accumulate(settings["classes_per_step"]))
    return [settings["class_order"][start:end] for start, end in pairwise([0, *ends])]


def _code(text: str | None) -> Markup | None:
    return None if text is None else Markup("<code>{}</code>").format(text)


def percent(fraction: float | None) -> str:
    """In percent."""
    return "–" if fraction is None else f"{100 * fraction:.1f} %"


def points(fraction: float) -> str:
    """Percentage points, with a true minus."""
    return f"{100 * fraction:.1f}".replace("-", "−")


def _short(nbytes: int) -> str:
    """Bytes as KiB or MiB alone, where they are many."""
    told = size(nbytes)
    return told[told.index("(") + 1 : -1] if "(" in told else told
