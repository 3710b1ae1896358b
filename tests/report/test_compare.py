"""The comparison: paired margins by hand, what is left to run, and a tiny one end to end."""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from pathlib import Path

import pytest

from cl3d.errors import InputError
from cl3d.report.compare import COLUMNS, Job, as_csv, interval, jobs, markdown, run_script, table

COST = {
    "nbytes": 3072,
    "stored_clouds": 4,
    "decoded_clouds": 20,
    "num_points": 63,
    "moved_mean": 0.25,
    "seconds": 7.0,
    "peak_bytes": 5 << 20,
}


def result(condenser: str, seed: int, accuracy: float, **changes):
    return {"condenser": condenser, "seed": seed, "accuracy": accuracy, **COST, **changes}


def test_interval_by_hand():
    # differences 1, 2, 3: mean 2, standard error 1 / sqrt(3), t of 2 degrees of freedom 4.3027
    mean, half = interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert half == pytest.approx(4.3027 / 3**0.5, abs=1e-3)
    assert math.isnan(interval([1.0])[1])


def test_margins_are_paired_by_seed():
    results = [result("random", s, a, moved_mean=None) for s, a in ((0, 0.5), (1, 0.7), (2, 0.6))]
    results += [result("dm", s, a) for s, a in ((2, 0.63), (0, 0.51), (1, 0.72))]
    random, dm = table(results)
    assert dict(zip(COLUMNS, random, strict=True))["moved"] == "–"
    shown = dict(zip(COLUMNS, dm, strict=True))
    assert shown["accuracy %"] == "62.0 ± 10.5"
    assert shown[COLUMNS[3]] == "+2.0 (-0.5 to +4.5)"
    assert (shown["stored"], shown["decoded"], shown["peak MiB"]) == ("4 x 63", "20", "5")
    assert markdown([random, dm]).count("\n") == 4
    assert as_csv(results).splitlines()[0].startswith("condenser,seed,accuracy,nbytes")


def test_without_random_there_is_no_margin():
    assert table([result("dm", 0, 0.5)])[0][3] == "–"


def test_what_is_there_is_not_made_again(tmp_path):
    job = Job("dm condenser.iterations=3", 5, tmp_path / "a folder")
    both = job.commands(["ppc=1"], ["runs=2"])
    assert [command[0] for command in both] == ["distill", "evaluate"]
    assert both[0][1:5] == ["condenser=dm", "ppc=1", "condenser.iterations=3", "seed=5"]
    job.made.parent.mkdir(parents=True)
    job.made.touch()
    assert [command[0] for command in job.commands([], [])] == ["evaluate"]
    job.tested.parent.mkdir(parents=True)
    job.tested.write_text(json.dumps({"mean": 0.5}))
    assert job.commands([], []) == []
    (job.made.parent / "cost.json").write_text(json.dumps(COST))
    assert job.result() == result("dm condenser.iterations=3", 5, 0.5)


@pytest.mark.parametrize(
    ("condensers", "seeds"),
    [([], [0]), (["dm"], []), (["dm", "dm"], [0]), ("dm", [0]), (["dm"], 0), ([""], [0]), ([3], [0])],
)
def test_nothing_and_twice_the_same_are_refused(condensers, seeds, tmp_path):
    with pytest.raises(InputError, match=r"give a list|give each once"):
        jobs(condensers, seeds, tmp_path)


def test_a_script_that_fails_or_is_interrupted_stops_the_comparison(tmp_path):
    (tmp_path / "fails.py").write_text("import sys; sys.exit(2)")
    (tmp_path / "stops.py").write_text("import sys; sys.exit(130)")
    with pytest.raises(InputError, match=r"fails\.py stopped with 2"):
        run_script(tmp_path, ["fails"])
    with pytest.raises(KeyboardInterrupt):
        run_script(tmp_path, ["stops"])


def test_an_interrupt_reaches_the_script(tmp_path):
    """Only this process hears it, as when a cluster ends a job."""
    script = (
        "import signal, time\n"
        "from pathlib import Path\n"
        "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        "Path('started').touch()\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    Path('kept').touch()\n"
    )
    (tmp_path / "waits.py").write_text(script)

    def interrupt():
        while not Path("started").exists():
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            run_script(tmp_path, ["waits"])
    finally:
        signal.signal(signal.SIGINT, handler)
    assert Path("kept").exists()


@pytest.mark.slow
def test_a_tiny_comparison_end_to_end(tmp_path):
    folder = tmp_path / 'a "quoted" folder'
    settings = [
        *("data.num_points=32", "data.train_per_class=4", "data.test_per_class=2", "data.num_classes=3"),
        *("model.channels=[8,16]", "model.head=[8]", "device=cpu", "training.epochs=2", "runs=1"),
        *("seeds=[0,1]", 'condensers=[random,"dm condenser.iterations=2"]', "ppc=2"),
    ]
    escaped = str(folder).replace('"', '\\"')
    run_script(Path(__file__).parents[2] / "scripts", ["compare", *settings, f'folder="{escaped}"'])
    lines = (folder / "comparison.csv").read_text().splitlines()
    assert len(lines) == 1 + 4
    assert "| dm condenser.iterations=2 | 2 |" in (folder / "comparison.md").read_text()
