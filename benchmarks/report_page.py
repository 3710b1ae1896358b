"""Size of a report, and how soon it answers: python benchmarks/report_page.py [ROUNDS] [KEY=VALUE ...].

Runs ``scripts/cl_run.py`` on ModelNet40 in 10 steps, with 200 stored clouds of 1,024 points and what they
started from (and the overrides given); on shapes40, which is as large, where ModelNet40 is absent. The
networks are tiny and learn next to nothing: the page is as large as any. Headless Chromium then opens it,
round after round, each time anew. Prints one JSON object: megabytes (10^6 bytes), and seconds from the start
of the navigation, as the page's own clock counts them, until it is loaded and until it is interactive: its
viewer is in the window, another class has been chosen, and that class's clouds are drawn. Medians and ranges.
The goal is below 3 MB and 1 s.
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


def main(rounds: int, overrides: list[str]) -> None:
    there = find(RELEASE.folder, "train_files.txt", None) is not None
    dataset = "modelnet40" if there else "shapes40"
    given = [f"dataset={dataset}", *SETTINGS, *overrides]
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(SCRIPT), f"folder={folder}/run", *TINY, *given]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        page = Path(folder) / "run" / "report.html"
        results = json.loads((page.parent / "results.json").read_text())
        load = os.getloadavg()[0]
        times = [opened(browser, page) for _ in range(rounds)]
        told = {
            "command": " ".join(["python", "scripts/cl_run.py", *given]),
            "cpus": os.cpu_count(),
            "load": round(load, 1),
            "chromium": browser.version,
            "stored_clouds": results["memory_clouds_per_step"][-1],
            "megabytes": round(page.stat().st_size / 1e6, 2),
        }
    for name, seconds in zip(("loaded", "interactive"), zip(*times, strict=True), strict=True):
        told[f"{name}_seconds"] = round(statistics.median(seconds), 3)
        told[f"{name}_range"] = [round(min(seconds), 3), round(max(seconds), 3)]
    print(json.dumps(told, indent=1))


def opened(browser: Browser, page: Path) -> tuple[float, float]:
    """Seconds until a page is loaded, and until it has drawn what was chosen."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.add_init_script(ANSWER)
    tab.goto(page.as_uri())
    tab.wait_for_function("window.answered")
    loaded, answered = tab.evaluate(LOADED), tab.evaluate("window.answered")
    context.close()
    return loaded / 1000, answered / 1000


if __name__ == "__main__":
    count = sys.argv[1:2] if sys.argv[1:2] and sys.argv[1].isdecimal() else []
    try:
        main(int(count[0]) if count else 7, sys.argv[1 + len(count) :])
    except NoBrowser as error:
        sys.exit(str(error))
