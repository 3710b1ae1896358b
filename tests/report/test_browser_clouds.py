"""The viewer in a browser: clouds are turned with mouse, keys and fingers, compared and coloured."""

from __future__ import annotations

from in_browser import choose, drag, frames, inked, into_view, pixels
from run_folders import whole_run

from cl3d.report.pages.write import write_report


def test_dragging_one_cloud_turns_all(visit, report):
    page = visit(report)
    canvas = into_view(page)
    before = pixels(page), pixels(page, 1)
    drag(page, canvas, 40, 15)
    turned = pixels(page), pixels(page, 1)
    assert turned[0] != before[0]
    assert turned[1] != before[1]
    page.locator("[data-input=reset]").click()
    frames(page)
    assert (pixels(page), pixels(page, 1)) == before


def test_keys_turn_zoom_and_enlarge(visit, report):
    page = visit(report)
    canvas = into_view(page)
    canvas.focus()
    seen = [pixels(page)]
    for key in ("ArrowLeft", "ArrowUp", "+", "-", "0"):
        page.keyboard.press(key)
        frames(page)
        seen.append(pixels(page))
    assert len(set(seen[:4])) == 4
    assert seen[4] == seen[2], "plus and minus cancel each other"
    assert seen[5] == seen[0]
    width = canvas.bounding_box()["width"]
    page.keyboard.press("Enter")
    frames(page)
    assert canvas.bounding_box()["width"] > 2 * width
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "CANVAS"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_wheel_scrolls_the_page_until_a_cloud_is_clicked(visit, report):
    page = visit(report)
    box = into_view(page).bounding_box()
    before, top = pixels(page), page.evaluate("scrollY")
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.wheel(0, -120)
    page.wait_for_function("(top) => scrollY < top", arg=top)
    assert pixels(page) == before
    canvas = into_view(page)
    canvas.click()
    top = page.evaluate("scrollY")
    page.mouse.wheel(0, -120)
    frames(page)
    assert page.evaluate("scrollY") == top
    assert pixels(page) != before


def test_two_fingers_zoom_and_one_turns(visit, report):
    page = visit(report, 360, has_touch=True)
    canvas = into_view(page)
    page.wait_for_timeout(50)
    box, touch = canvas.bounding_box(), page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def fingers(kind: str, *places: float) -> None:
        points = [{"x": x + place, "y": y, "id": number} for number, place in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    seen = [pixels(page)]
    for moves in ([(-10,), (15,), (25,)], [(-15, 15), (-25, 25), (-35, 35)]):
        fingers("touchStart", *moves[0])
        for places in moves[1:]:
            fingers("touchMove", *places)
        fingers("touchEnd")
        frames(page)
        seen.append(pixels(page))
    assert seen[0] != seen[1]


def test_classes_are_switched(visit, report):
    page = visit(report)
    into_view(page)
    assert page.locator("canvas").count() == 5
    names = page.locator("[data-input=shown] option").all_text_contents()
    choose(page, "shown", "2")
    assert page.locator("canvas").count() == 2
    assert page.locator(".tile figcaption").first.text_content().startswith("cloud 1")
    assert names[3] in page.locator("canvas").first.get_attribute("aria-label")
    page.locator("[data-input=next]").click()
    assert page.locator("[data-status]").text_content() == f"{names[4]}: 2 clouds shown"
    page.locator("[data-input=previous]").click()
    assert page.locator("[data-input=shown]").input_value() == "2"


def test_initial_clouds_stand_beside_distilled_ones(visit, report):
    page = visit(report)
    into_view(page)
    before = pixels(page)
    page.locator("[data-input=back]").fill("0")
    frames(page)
    initial = pixels(page)
    assert initial != before
    page.locator("[data-input=beside]").check()
    frames(page)
    assert page.locator("canvas").count() == 10
    assert pixels(page, 0) != pixels(page, 1)
    labels = [page.locator("canvas").nth(n).get_attribute("aria-label") for n in (0, 1)]
    assert ", initial, " in labels[0]
    assert ", distilled, " in labels[1]


def test_distances_are_coloured(visit, report):
    page = visit(report)
    into_view(page)
    seen = []
    for how in ("moved", "plain"):
        choose(page, "colour", how)
        seen.append(pixels(page))
    assert seen[0] != seen[1]


def test_spinning_stops_for_who_wants_less_motion(visit, report):
    page = visit(report)
    into_view(page)
    before = pixels(page)
    page.wait_for_timeout(150)
    assert pixels(page) == before, "nothing moves by itself"
    page.locator("[data-input=spin]").click()
    page.wait_for_timeout(150)
    assert pixels(page) != before
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_timeout(50)
    still = pixels(page)
    page.wait_for_timeout(150)
    assert pixels(page) == still


def test_blends_follow_from_their_anchors(visit, tmp_path):
    page = visit(write_report([whole_run(tmp_path / "run", "anchors")]))
    choose(page, "shown", "1")
    assert page.locator(".tile.anchor").count() == 6
    assert page.locator(".tile.blend").count() == 8
    into_view(page, 3)
    assert inked(page, 3) > 100


def test_a_generator_is_shown_at_the_resolution_that_is_chosen(visit, tmp_path):
    page = visit(write_report([whole_run(tmp_path / "run", "generator")]))
    into_view(page)
    assert "32 points" in page.locator("canvas").first.get_attribute("aria-label")
    before = inked(page)
    choose(page, "points", "128")
    assert "128 points" in page.locator("canvas").first.get_attribute("aria-label")
    assert inked(page) != before
