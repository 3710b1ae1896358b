"""A real browser for tests: Chromium opens a report, and nothing is complained of or asked of the network."""

from __future__ import annotations

from pathlib import Path

import pytest
from chromium import NoBrowser, chromium
from script_runs import TINY_RUN, run


@pytest.fixture(scope="session")
def browser():
    try:
        with chromium() as opened:
            yield opened
    except NoBrowser as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """Of a real run."""
    folder = tmp_path_factory.mktemp("runs") / "pcc"
    with pytest.MonkeyPatch.context() as patch:
        arguments = [*TINY_RUN, "buffer=pcc", "condenser.iterations=2", "condenser.optimizer.lr=3"]
        assert run("cl_run", *arguments, monkeypatch=patch, folder=folder) == 0
    return folder / "report.html"


@pytest.fixture
def visit(browser):
    """Opens a file; in the end nothing was complained of, and nothing was asked of the network."""
    contexts, said, asked = [], [], []

    def opened(path: Path, width: int = 1280, scheme: str = "light", **settings):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, **settings
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("canvas")
        frames(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []
    assert all(url.startswith(("file://", "data:")) for url in asked)
    assert len([url for url in asked if url.startswith("file://")]) == len(contexts)


def frames(page) -> None:
    """Waits until what was asked for is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)))")


def pixels(page, number: int = 0) -> str:
    canvas = page.locator("canvas").nth(number)
    assert canvas.evaluate("(canvas) => canvas.width") != 300, "it was never drawn"
    return canvas.evaluate("(canvas) => canvas.toDataURL()")


def into_view(page, number: int = 0):
    canvas = page.locator("canvas").nth(number)
    canvas.scroll_into_view_if_needed()
    page.wait_for_function("(n) => document.querySelectorAll('canvas')[n].width !== 300", arg=number)  # drawn
    frames(page)
    return canvas


def drag(page, canvas, across: int, down: int) -> None:
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across, y + down, steps=3)
    page.mouse.up()
    frames(page)


def choose(page, name: str, value: str) -> None:
    page.locator(f"[data-input={name}]").select_option(value)
    frames(page)


def inked(page, number: int = 0) -> int:
    """Pixels of a cloud that are not empty."""
    return page.evaluate(
        """(n) => {
          const canvas = document.querySelectorAll('canvas')[n];
          const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return data.filter((value, at) => at % 4 === 3 && value > 0).length;
        }""",
        number,
    )
