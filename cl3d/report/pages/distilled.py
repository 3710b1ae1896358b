"""The report of a condensed set, and of what it was found to be worth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from markupsafe import Markup

from cl3d.distill.show import class_names_of
from cl3d.html.markup import details, joined, paragraph, section, table
from cl3d.report.headline import measured
from cl3d.report.pages.found import Found
from cl3d.report.pages.sections import clouds, guarded, headline, notices, page, what_was_run
from cl3d.report.text_tables import percent
from cl3d.report.units import duration, size


def report(found: Found, resolutions: Sequence[int] = ()) -> str:
    """The page.

    Args:
        resolutions: points to decode to, of sets that decode to any number.
    """
    return page(
        title(found),
        _about(found),
        notices(_notices(found)),
        guarded("Headline", partial(_headline, found)),
        guarded("Networks trained on it", partial(_evaluations, found)),
        guarded("The clouds", partial(_clouds, found, resolutions)),
        guarded("What was run", partial(_settings, found)),
    )


def title(found: Found) -> str:
    """What a set is called: its condenser and data."""
    origin = _origin(found)
    condenser = origin.get("condenser") or found.config.get("condenser") or {}
    name = condenser.get("name", "a set") if isinstance(condenser, dict) else condenser
    return f"{name} on {origin['dataset']}" if "dataset" in origin else str(name)


def _about(found: Found) -> str:
    if not found.sets:
        return "There is no set in this folder yet."
    synthetic = found.sets[0].synthetic
    return f"{len(synthetic):,} clouds of {len(synthetic.clouds_per_class)} classes, {size(synthetic.nbytes)}"


def _notices(found: Found) -> list[str]:
    told = []
    if found.sets and found.sets[0].name.startswith("last_good"):
        told.append("The optimisation ran off: these are the clouds before it did.")
    elif found.script == "distill" and not found.sets:
        told.append("Condensing has not ended: resume=FOLDER goes on where it was.")
    return told + [f"Left out: {fault}." for fault in found.faults]


def _headline(found: Found) -> Markup:
    figures = []
    for name, told in found.evaluations.items():
        figure, values = judged_by(told)
        runs = len(values)
        called = f"test {figure}" if name == "evaluation" else f"test {figure}, {name}"
        figures.append(
            (
                called,
                f"{percent(values)} %",
                f"{runs} network{'s' if runs > 1 else ''}, last epoch",
            )
        )
    if found.sets:
        synthetic = found.sets[0].synthetic
        info = synthetic.info
        figures.append(("bytes", f"{synthetic.nbytes:,}", f"of {info.get('budget_nbytes', 0):,} allowed"))
        figures.append(("clouds", f"{len(synthetic):,}", f"{synthetic.stored_clouds:,} stored"))
        if "moved_mean" in info:
            figures.append(
                ("moved", f"{info['moved_mean']:.3f}", f"at most {info['moved_max']:.3f}, in cloud radii")
            )
            figures.append(
                ("loss", f"{info['loss_last']:.4g}", f"last tenth; first tenth: {info['loss_first']:.4g}")
            )
    if found.cost.get("seconds"):
        figures.append(("time", duration(found.cost["seconds"]), ""))
    if found.cost.get("peak_bytes"):
        figures.append(("peak memory", f"{found.cost['peak_bytes'] / (1 << 20):,.0f} MiB", ""))
    return headline(figures)


def _evaluations(found: Found) -> Markup:
    pieces = [_evaluation(name, told) for name, told in found.evaluations.items()]
    return section("Networks trained on it", *pieces, anchor="accuracy") if pieces else Markup("")


def _evaluation(name: str, told: dict[str, Any]) -> Markup:
    figure, values = judged_by(told)
    of_class = "mean IoU" if "instance_miou" in told else "accuracy"
    each = ", ".join(f"{100 * value:.1f} %" for value in values)
    title = "" if name == "evaluation" else f"{name}: "
    best = told.get("best_epoch_selected_on_test") or []
    selected = f" Best epochs, selected on the test set: {percent(best)} %." if best else ""
    rows = sorted(told["per_class"].items(), key=lambda item: item[1])
    classes = table(
        ["class", f"{of_class} %"],
        [(c, f"{100 * a:.1f}") for c, a in rows],
        "Mean over networks, the lowest first",
    )
    return joined(
        [
            paragraph(
                f"{title}{percent(values)} % {figure} on {told['dataset']} ({each}).{_others(told)}{selected}"
            ),
            details(f"{of_class[0].upper()}{of_class[1:]} of each class", classes),
        ]
    )


def judged_by(told: dict[str, Any]) -> tuple[str, list[float]]:
    """What ``evaluation.json`` is looked at for first, and its value of each network."""
    name, key = measured(told)
    return name, told["accuracies" if key == "accuracy" else key]


def _others(told: dict[str, Any]) -> str:
    """The other figures of networks that segment; nothing of those that classify."""
    if "class_miou" not in told:
        return ""
    return f" Class mIoU {percent(told['class_miou'])} %, points {percent(told['accuracies'])} %."


def _clouds(found: Found, resolutions: Sequence[int]) -> Markup:
    if not found.sets:
        return Markup("")
    names = class_names_of([stored.synthetic for stored in found.sets])
    return clouds({"": found.sets}, names, resolutions, "The clouds")


def _settings(found: Found) -> Markup:
    origin, config = _origin(found), found.config
    facts = [
        ("data", origin.get("dataset")),
        ("fingerprint", origin.get("data_fingerprint")),
        ("seed", config.get("seed")),
        ("device", config.get("device")),
    ]
    return what_was_run(found, facts)


def _origin(found: Found) -> dict[str, Any]:
    """What the set's file says of where it comes from."""
    told = found.sets[0].synthetic.info.get("provenance", {}) if found.sets else {}
    return told if isinstance(told, dict) else {}
