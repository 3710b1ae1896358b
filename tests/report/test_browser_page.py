"""The page in a browser: wide and narrow, light and dark, tables, names that are markup, notebooks."""

from __future__ import annotations

import pytest
from in_browser import frames, inked, into_view, pixels
from report_page import opened
from run_folders import a_set, modelnet40_run, whole_run

from cl3d.distill import show
from cl3d.report.pages.write import write_report

WIDTHS = {"desk": 1280, "phone": 360}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
def test_the_page_fits_its_window_and_shows_clouds(visit, report, device, scheme):
    page = visit(report, WIDTHS[device], scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    canvas = into_view(page)
    assert canvas.bounding_box()["width"] > 90
    assert inked(page) > 100
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    assert dark is (scheme == "dark")
    letters = """[...document.querySelectorAll('svg text')].map((text) =>
      parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.clientWidth / 400)"""
    assert min(page.evaluate(letters)) > 9
    page.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_only_clouds_on_the_screen_are_drawn(visit, report):
    page = visit(report, 360)
    drawn = "[...document.querySelectorAll('canvas')].map((c) => c.width !== 300)"
    assert not any(page.evaluate(drawn))
    into_view(page)
    assert page.evaluate(drawn)[0]


def test_the_theme_can_be_changed(visit, report):
    page = visit(report)
    into_view(page)
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground), pixels(page)
    page.locator("[data-theme-button]").click()
    frames(page)
    into_view(page)
    changed = page.evaluate(ground), pixels(page)
    assert changed[0] != before[0]
    assert changed[1] != before[1]
    page.locator("[data-theme-button]").click()
    assert page.evaluate(ground) == before[0]


def test_tables_say_what_charts_show(visit, report):
    page = visit(report)
    figure = page.locator("figure.chart").nth(1)
    assert figure.locator("table").is_hidden()
    figure.locator("summary").click()
    assert figure.locator("table").is_visible()
    told = [cell for cell in figure.locator("tbody td").all_text_contents() if cell]
    written = figure.locator("svg rect title").all_text_contents()
    assert [text.split(": ")[1] for text in written] == [f"{value} %" for value in told]


def test_modelnet40_in_ten_steps_answers_within_a_second(browser, tmp_path):
    path = write_report([modelnet40_run(tmp_path / "run")])
    seconds = opened(browser, path)
    assert 0 < seconds["loaded"] < seconds["interactive"]
    assert seconds["cpu"] < 1, "of the page's thread: the machine may have other things to do"


def test_names_are_text_in_the_viewer_too(visit, tmp_path):
    names = [f"<img src=x onerror=alert({label})>" for label in range(6)]
    page = visit(write_report([whole_run(tmp_path / "run", class_names=names, buffer=names[0])]))
    into_view(page)
    assert page.locator("img").count() == 0
    captions = page.locator(".tile figcaption").all_text_contents()
    assert captions == names
    assert names[1] in page.locator("canvas").nth(1).get_attribute("aria-label")


def test_a_notebook_shows_a_set_in_a_frame(visit, tmp_path):
    shown = show(a_set("points", [0, 1]))._repr_html_()
    (tmp_path / "notebook.html").write_text(f"<!doctype html><h1>Notebook</h1><canvas></canvas>{shown}")
    page = visit(tmp_path / "notebook.html")
    frame = page.frames[1]
    frame.wait_for_selector("canvas")
    page.locator("iframe").scroll_into_view_if_needed()
    frames(page)
    before = frame.evaluate("document.querySelector('canvas').toDataURL()")
    frame.locator("canvas").first.press("ArrowRight")
    frames(page)
    assert frame.evaluate("document.querySelector('canvas').toDataURL()") != before
