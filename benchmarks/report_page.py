"""How large a report is, and how soon it answers: python benchmarks/report_page.py [ROUNDS] [KEY=VALUE ...].

Opens the ``report.html`` that is given instead of settings. Without one it runs ``scripts/cl_run.py`` first:
ModelNet40 in 10 steps, 200 stored clouds of 1,024 points and what they started from; shapes40, which is as
large, where ModelNet40 is absent. Its networks are tiny and learn next to nothing: the page is as large as
any. Headless Chromium opens the page anew in each round. Prints one JSON object: megabytes (10^6 bytes), and
medians and ranges of seconds. ``loaded`` and ``interactive`` count from the start of the navigation, by the
page's own clock; interactive is a page whose viewer is in the window, where another class has been chosen,
and that class's clouds are drawn. ``cpu`` is what the page's thread has worked for that, without what other
processes took. The goal is below 3 MB and 1 s.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from chromium import NoBrowser, chromium

from cl3d.data.modelnet_hdf5 import RELEASE
from cl3d.data.roots import find

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCRIPT = Path(__file__).parents[1] / "scripts" / "cl_run.py"
SETTINGS = ("data.num_points=1024", "steps=10", "buffer=dm", "ppc=5", "condenser.iterations=1")
TINY = ("model.channels=[8,16]", "model.head=[8]", "strategy.training.epochs=1", "device=cpu", "logger=none")
ANSWER = """
document.addEventListener("DOMContentLoaded", () => {
  const viewer = document.querySelector("[data-viewer]");
  const shown = viewer.querySelector("[data-input=shown]");
  viewer.scrollIntoView();
  shown.selectedIndex = 1;
  shown.dispatchEvent(new Event("change"));
  const drawn = () => {
    const canvas = viewer.querySelector("canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    if (pixels.some((value) => value > 0)) window.answered = performance.now();
    else requestAnimationFrame(drawn);
  };
  requestAnimationFrame(drawn);
});
"""
LOADED = "performance.getEntriesByType('navigation')[0].domContentLoadedEventStart"


def main(rounds: int, given: list[str]) -> None:
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        page = Path(given[0]) if given and given[0].endswith(".html") else made(Path(folder) / "run", given)
        results, environment = (
            json.loads((page.parent / f"{name}.json").read_text()) for name in ("results", "environment")
        )
        told = {
            **environment,
            "load": round(os.getloadavg()[0], 1),
            "chromium": browser.version,
            "clouds": results["memory_clouds_per_step"][-1],
            "megabytes": round(page.stat().st_size / 1e6, 2),
        }
        times = [opened(browser, page) for _ in range(rounds)]
    for name in times[0]:
        seconds = [one[name] for one in times]
        told[f"{name}_seconds"] = round(statistics.median(seconds), 3)
        told[f"{name}_range"] = [round(min(seconds), 3), round(max(seconds), 3)]
    print(json.dumps(told, indent=1))


def made(folder: Path, overrides: list[str]) -> Path:
    """The report of a run."""
    there = find(RELEASE.folder, "train_files.txt", None) is not None
    settings = [f"dataset={'modelnet40' if there else 'shapes40'}", *SETTINGS, *TINY, *overrides]
    command = [sys.executable, str(SCRIPT), f"folder={folder}", *settings]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "report.html"


def opened(browser: Browser, page: Path) -> dict[str, float]:
    """Seconds until a page is loaded and until it has drawn what was chosen, and of its thread's work."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    work = context.new_cdp_session(tab)
    work.send("Performance.enable", {"timeDomain": "threadTicks"})
    tab.add_init_script(ANSWER)
    tab.goto(page.resolve().as_uri())
    tab.wait_for_function("() => window.answered", timeout=120_000)
    loaded, answered = tab.evaluate(LOADED), tab.evaluate("window.answered")
    metrics = {one["name"]: one["value"] for one in work.send("Performance.getMetrics")["metrics"]}
    context.close()
    return {"loaded": loaded / 1000, "interactive": answered / 1000, "cpu": metrics["TaskDuration"]}


if __name__ == "__main__":
    count = sys.argv[1:2] if sys.argv[1:2] and sys.argv[1].isdecimal() else []
    try:
        main(int(count[0]) if count else 7, sys.argv[1 + len(count) :])
    except NoBrowser as error:
        sys.exit(str(error))
