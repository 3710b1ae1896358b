"""The viewer of point clouds as a piece of a page; its script is in ``assets/``."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cl3d.html.contents import ROOM, contents
from cl3d.html.exhibit import Cloud, Exhibit
from cl3d.html.markup import joined, json_block, paragraph

HELP = (
    "Drag to turn all clouds together, or use the arrow keys. Plus and minus, pinching, or the wheel over a "
    "cloud that was clicked zoom; 0 goes back, Enter or a double click enlarges one. The table below says in "
    "numbers what there is."
)


def viewer(
    exhibits: Sequence[Exhibit],
    class_names: Sequence[str],
    resolutions: Sequence[int] = (),
    room: int = ROOM,
) -> Markup:
    """Sets of clouds to be looked at, class by class; the page that it stands in is a :func:`document`.

    Args:
        class_names: by label.
        resolutions: numbers of points to choose from, for exhibits of any; their own is always among them.
        room: characters that the clouds may take; what does not fit is left out, and said.
    """
    clouds = [cloud for exhibit in exhibits for cloud in exhibit.clouds]
    free = [exhibit for exhibit in exhibits if exhibit.any_resolution]
    resolutions = sorted({*resolutions, *(e.num_points for e in free)}) if free else []
    packed = contents(exhibits, class_names, room)
    labels = sorted({cloud.label for cloud in clouds})
    started = any("moves" in cloud for one in packed.json["sets"] for cloud in one["clouds"])
    controls = [
        _classes([(label, class_names[label]) for label in labels]),
        _points(resolutions, free[0].num_points) if len(resolutions) > 1 else Markup(""),
        _colours(started, any(cloud.parts is not None for cloud in clouds)),
        _where_from() if started else Markup(""),
        Markup(
            "<div class=group><button type=button data-input=spin aria-pressed=false>Spin</button>"
            "<button type=button data-input=reset>Reset view</button></div>"
        ),
    ]
    return Markup(
        "<div class=viewer data-viewer><div class=controls>{}</div>"
        "<p class=quiet data-status role=status></p>{}<div data-rows></div>"
        "<noscript><p>The clouds need JavaScript; all else does not.</p></noscript>{}{}{}</div>\n"
    ).format(
        joined(controls),
        _legend(clouds),
        paragraph(HELP, "quiet"),
        joined(paragraph(note, "quiet") for note in packed.notes),
        json_block("clouds", packed.json),
    )


def _classes(classes: Sequence[tuple[int, str]]) -> Markup:
    options = joined(Markup("<option value={}>{}</option>").format(label, name) for label, name in classes)
    return Markup(
        "<div class=group><label>Class <select data-input=shown>"
        "<option value=all>all, the first of each</option>{}</select></label>"
        "<button type=button data-input=previous aria-label='previous class'>‹</button>"
        "<button type=button data-input=next aria-label='next class'>›</button></div>"
    ).format(options)


def _points(resolutions: Sequence[int], own: int) -> Markup:
    options = joined(
        Markup("<option value={}{}>{}</option>").format(n, Markup(" selected") if n == own else "", f"{n:,}")
        for n in resolutions
    )
    return Markup("<label>Points <select data-input=points>{}</select></label>").format(options)


def _colours(started: bool, parted: bool) -> Markup:
    choices = [("plain", "plain")]
    choices = [("part", "by part"), *choices] if parted else choices
    choices += [("moved", "by distance moved")] if started else []
    if len(choices) == 1:
        return Markup("")
    options = joined(Markup("<option value={}>{}</option>").format(*choice) for choice in choices)
    return Markup("<label>Colour <select data-input=colour>{}</select></label>").format(options)


def _where_from() -> Markup:
    return Markup(
        "<div class=group><label class=slider>initial <input type=range data-input=back min=0 max=1 "
        "step=0.02 value=1 aria-label='from initial to distilled'> distilled</label>"
        "<label><input type=checkbox data-input=beside> side by side</label></div>"
    )


def _legend(clouds: Sequence[Cloud]) -> Markup:
    kinds = {cloud.kind for cloud in clouds}
    if "anchor" not in kinds:
        return Markup("")
    return Markup(
        "<ul class=legend><li><span class='swatch anchor'></span>anchor: stored</li>"
        "<li><span class='swatch blend'></span>blend: follows from its anchors and a few weights</li></ul>"
    )
