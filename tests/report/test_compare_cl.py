"""Comparisons of memories in continual runs: which runs there are, that none is run twice, and the tables."""

from __future__ import annotations

import csv
import json
import threading
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from script_runs import TINY, run

from cl3d.config_paths import CONFIGS
from cl3d.data import shapes40
from cl3d.errors import InputError
from cl3d.locks import in_use, locked
from cl3d.report import compare_cl
from cl3d.report.cells import CellJob, Grid, Planner
from cl3d.report.compare_cl import Comparison, run_all
from cl3d.report.terminal import Terminal

GIVEN = {
    "buffers": ["random", "herding"],
    "bounds": ["naive", "joint"],
    "strategies": ["scratch", "rehearse"],
    "steps": [2, 3],
    "class_orders": 2,
    "seeds": [0, 3],
    "settings": [],
    "data": {},
    "model": {},
}


@pytest.fixture(scope="module")
def dataset():
    return shapes40(num_points=32, num_classes=5, train_per_class=4, test_per_class=2)


@pytest.fixture
def plan(dataset, tmp_path):
    def tables(**changes):
        grid = Grid.of(GIVEN | changes)
        planner = Planner(
            compose=cache(lambda overrides: compose("cl_run", list(overrides))),
            dataset=dataset,
            fingerprint=dataset.fingerprint(),
            shared=tuple(TINY),
            memory=("ppc=2", *grid.settings),
            orders=tuple(grid.orders),
            seeds=tuple(grid.seeds),
            store=tmp_path,
        )
        return grid.tables(planner)

    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        yield tables


def folders(kind) -> list[Path]:
    return [job.product.parent for job in kind.jobs]


def test_each_row_runs_each_class_order_with_each_seed(plan):
    random, herding, naive, joint = plan(steps=2, strategies=["scratch"])["scratch, 2 steps"]
    assert [len(kind.jobs) for kind in (random, herding, naive, joint)] == [4, 4, 4, 2]
    seeds = {setting for job in random.jobs for setting in job.settings if "seed=" in setting}
    assert seeds == {"order_seed=0", "order_seed=1", "seed=0", "seed=3"}
    assert "buffer=herding" in herding.jobs[0].settings
    assert "ppc=2" in herding.jobs[0].settings
    assert "ppc=2" not in naive.jobs[0].settings


def test_what_several_tables_share_is_one_run(plan):
    tables = plan()
    assert list(tables) == ["scratch, 2 steps", "scratch, 3 steps", "rehearse, 2 steps", "rehearse, 3 steps"]
    for other in ("rehearse, 2 steps", "scratch, 3 steps"):
        one, two = (tables[title] for title in ("scratch, 2 steps", other))
        same = [folders(a) == folders(b) for a, b in zip(one, two, strict=True)]
        assert same == [False, False, other.startswith("rehearse"), True]
    comparison = Comparison(tables, "random")
    assert len(comparison.jobs) == 2 * 2 * 2 * 4 + 2 * 4 + 2
    assert len({job.product for job in comparison.jobs}) == len(comparison.jobs)


def test_a_run_is_named_by_what_it_is_and_not_by_how_it_is_written(plan):
    def only(*buffers, **changes):
        changes = {
            "steps": 2,
            "bounds": [],
            "strategies": ["scratch"],
            "class_orders": [0],
            "seeds": 1,
        } | changes
        (table,) = plan(buffers=list(buffers), **changes).values()
        return [folder for kind in table for folder in folders(kind)]

    short, long, other = only("dm", "dm condenser/initializer=random", "dm condenser.iterations=3")
    assert short == long != other
    assert only("random", seeds=[2]) != only("random", seeds=[1])
    assert only("random", class_orders=[1]) != only("random")
    assert only("random", settings=["classifier=nearest_mean"]) != only("random")


def test_what_two_protocols_both_condense_is_condensed_once(plan, tmp_path):
    def by_kind():
        tables = plan(steps=2, buffers=["random", "dm"], seeds=1, class_orders=1, bounds=["naive"])
        return [[kind.jobs[0] for kind in tables[f"{name}, 2 steps"]] for name in ("scratch", "rehearse")]

    (scratch, scratch_dm, naive), (rehearse, rehearse_dm, same_naive) = by_kind()
    assert [job.needs for job in (scratch, scratch_dm, naive)] == [None] * 3
    assert [job.needs for job in (rehearse, rehearse_dm)] == [scratch.product, scratch_dm.product]
    assert rehearse_dm.settings[-1] == f'memory_of="{scratch_dm.product.parent}"'
    assert same_naive.product == naive.product
    assert same_naive.needs is None
    assert not rehearse_dm.ready
    results = {"status": "finished", "settings": {"classes_per_step": [3, 2]}}
    (rehearse_dm.product.parent / "memory").mkdir(parents=True)
    rehearse_dm.product.write_text(json.dumps(results))
    assert by_kind()[0][1].needs is None  # without its memory it gives none
    for step in (1, 2):
        (rehearse_dm.product.parent / "memory" / f"step_{step:02d}.safetensors").touch()
    (_, scratch_dm, _), (_, rehearse_dm, _) = by_kind()  # what is there already is taken
    assert (scratch_dm.needs, rehearse_dm.needs) == (rehearse_dm.product, None)
    assert scratch_dm.ready


def test_reservoirs_share_nothing(plan):
    tables = plan(buffers=["reservoir"], bounds=[], settings=["total=6144", "ppc=null"])
    assert all(job.needs is None for kinds in tables.values() for kind in kinds for job in kind.jobs)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"buffers": ["random ppc=3"]}, "ppc=3 in 'random ppc=3': an entry changes condenser alone"),
        ({"bounds": ["naive data.num_points=3"]}, "an entry changes strategy alone"),
        ({"bounds": ["scratch"]}, "give it in strategies="),
        ({"strategies": ["naive"]}, "give it in bounds="),
        ({"buffers": ["dm", "dm"]}, "give each once"),
        ({"buffers": []}, "give a list"),
        ({"strategies": "scratch"}, "give a list"),
        ({"steps": [2, 9]}, "steps=9 with 5 classes"),
        ({"steps": 0}, "steps=0"),
        ({"settings": ["seed=3"]}, "no setting to share"),
        ({"settings": ["memory_of=runs/other"]}, "no setting to share"),
        ({"settings": ["ppc=3"], "ppc": 5}, "has a key of its own"),
        ({"settings": ["data.num_points=16"]}, "no setting to share"),
        ({"settings": ["model=dgcnn"]}, "no setting to share"),
        ({"settings": ["benchmark=shapes40_5"]}, "no setting to share"),
        ({"settings": ["condenser=dm"]}, "no setting to share"),
        ({"class_orders": "two"}, "class_orders=two"),
        ({"buffers": ["random condenser/parameterization=generator"]}, "give an objective"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_made(plan, changes, words, tmp_path):
    with pytest.raises(InputError, match=words):
        plan(**changes)
    assert not list(tmp_path.iterdir())


def test_the_reference_must_be_compared(plan):
    with pytest.raises(InputError, match="reference=pcc is not compared: give one of random, herding, naive"):
        Comparison(plan(steps=2, strategies=["scratch"]), "pcc")


SCRIPT = """\
import json, sys
from pathlib import Path
folder = Path(sys.argv[-1].removeprefix("folder=").strip('"'))
sys.exit("no") if "fail" in sys.argv else folder.mkdir(parents=True, exist_ok=True)
print("run", file=open(folder / "count", "a"))
(folder / "results.json").write_text(json.dumps({"status": "finished"}))
"""


@pytest.fixture
def jobs(tmp_path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "cl_run.py").write_text(SCRIPT)

    def call(*settings, workers=1):
        made = [CellJob(s, "cl_run", (s,), tmp_path / s / "results.json") for s in settings]
        run_all(made, scripts, workers, Terminal())

    return call


def test_what_is_finished_is_not_run_again(jobs, tmp_path):
    jobs("a", "b", workers=2)
    (tmp_path / "b" / "results.json").write_text(json.dumps({"status": "interrupted"}))
    jobs("a", "b", "c")
    assert [len((tmp_path / s / "count").read_text().split()) for s in "abc"] == [1, 2, 1]


def test_the_others_are_run_where_one_fails(jobs, tmp_path):
    with pytest.raises(InputError, match=r"fail: cl_run\.py stopped with 1"):
        jobs("a", "fail", "b")
    assert (tmp_path / "b" / "count").exists()


def test_what_another_process_runs_is_waited_for(jobs, tmp_path, monkeypatch):
    started, waited_for = threading.Event(), threading.Event()

    def other():
        with locked(tmp_path / "a"):
            assert in_use(tmp_path / "a")
            started.set()
            assert waited_for.wait(60)
            (tmp_path / "a" / "results.json").write_text(json.dumps({"status": "finished"}))

    def say(self, text):
        if "another process runs a" in text:
            waited_for.set()

    monkeypatch.setattr(Terminal, "say", say)
    thread = threading.Thread(target=other)
    thread.start()
    started.wait()
    jobs("a", "b")
    thread.join()
    assert waited_for.is_set()
    assert not in_use(tmp_path / "a")
    assert not (tmp_path / "a" / "count").exists()
    assert (tmp_path / "b" / "count").exists()


def test_what_needs_a_run_that_another_process_has_just_taken_waits_for_it(jobs, tmp_path, monkeypatch):
    taken, waited_for = threading.Event(), threading.Event()
    source = CellJob("source", "cl_run", ("fail",), tmp_path / "source" / "results.json")
    needing = CellJob("b", "cl_run", ("b",), tmp_path / "b" / "results.json", needs=source.product)

    def other():
        with locked(tmp_path / "source"):
            taken.set()
            assert waited_for.wait(60)
            source.product.write_text(json.dumps({"status": "finished"}))

    thread = threading.Thread(target=other)

    def say(self, text):
        if "source: cl_run" in text:
            thread.start()  # after this one has seen that the folder is free
            assert taken.wait(60)
        if "another process runs source" in text:
            waited_for.set()

    monkeypatch.setattr(Terminal, "say", say)
    run_all([source, needing], tmp_path / "scripts", 1, Terminal())
    thread.join()
    assert waited_for.is_set()
    assert needing.done


def test_what_needs_a_run_that_failed_is_not_run(jobs, tmp_path):
    source = CellJob("source", "cl_run", ("fail",), tmp_path / "source" / "results.json")
    needing = CellJob("b", "cl_run", ("b",), tmp_path / "b" / "results.json", needs=source.product)
    other = CellJob("c", "cl_run", ("c",), tmp_path / "c" / "results.json")
    with pytest.raises(InputError, match=r"source: .* stopped with 1 .*; 1 that need them were not run"):
        run_all([source, needing, other], tmp_path / "scripts", 1, Terminal())
    assert other.done
    assert not needing.done


@pytest.fixture
def compared(monkeypatch, tmp_path):
    """``compare_cl.py`` on tiny data, its runs within this process."""
    ran = []

    def here(jobs, scripts, workers, say):
        for job in jobs:
            ran.append(job.title)
            assert run("cl_run", *job.settings, monkeypatch=monkeypatch, folder=job.product.parent) == 0

    monkeypatch.setattr(compare_cl, "run_jobs", here)

    def call(*arguments, folder="compared"):
        ran.clear()
        short = [
            *('strategies=["scratch strategy.training.epochs=2"]', "steps=2", "seeds=2", "class_orders=1"),
            *('bounds=["naive strategy.training.epochs=2","joint strategy.training.epochs=2"]', "ppc=2"),
        ]
        return run("compare_cl", *TINY, *short, *arguments, monkeypatch=monkeypatch, folder=tmp_path / folder)

    return call, ran


def test_a_tiny_comparison_end_to_end(compared, tmp_path, capsys):
    call, ran = compared
    assert call("buffers=[random,herding]", "dry_run=true") == 0
    assert "left: 8 runs, about" in capsys.readouterr().out
    assert not ran
    assert not (tmp_path / "compared").exists()
    assert call("buffers=[random,herding]") == 0
    assert len(ran) == 8
    folder, name = tmp_path / "compared", "scratch_strategy.training.epochs_2_2_steps"
    shown = (folder / "comparison.md").read_text()
    assert "## scratch strategy.training.epochs=2, 2 steps" in shown
    assert "| 2 | herding | 2 |" in shown
    assert shown in capsys.readouterr().out
    assert {path.suffix for path in folder.glob(f"{name}*")} == {".tex", ".csv", ".png"}
    with (folder / "runs.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    pairs = {(one["memory"].split()[0], one["seed"]) for one in told}
    assert pairs == {(m, s) for m in ("random", "herding", "naive", "joint") for s in "01"}
    settings = [json.loads((Path(one["folder"]) / "results.json").read_text())["settings"] for one in told]
    for seed in (0, 1):
        paired = [s for s in settings if s["seed"] == seed and len(s["classes_per_step"]) == 2]
        assert len(paired) == 3
        assert len({str(s["class_order"]) for s in paired}) == 1


def test_two_protocols_over_one_memory_end_to_end(compared, tmp_path, capsys):
    call, ran = compared
    both = 'strategies=["scratch strategy.training.epochs=2","rehearse strategy.training.epochs=2"]'
    arguments = ('buffers=["dm condenser.iterations=2"]', "seeds=1", "bounds=[]")
    assert call(*arguments, both) == 0
    assert [title.split(", ")[1].split()[0] for title in ran] == ["scratch", "rehearse"]
    assert "condensed by" in capsys.readouterr().out
    alone = 'strategies=["rehearse strategy.training.epochs=2"]'
    assert call(*arguments, alone, f"cells={tmp_path / 'others'}", folder="alone") == 0
    with (tmp_path / "compared" / "runs.csv").open(newline="") as file:
        folders = {row["strategy"]: Path(row["folder"]) for row in csv.DictReader(file)}
    with (tmp_path / "alone" / "runs.csv").open(newline="") as file:
        (own,) = (Path(row["folder"]) for row in csv.DictReader(file))
    kept = [(where / "results.json").read_bytes() for where in (folders["rehearse"], own)]
    assert kept[0] == kept[1]


def test_another_comparison_runs_only_what_is_new(compared, tmp_path, capsys):
    call, ran = compared
    assert call("buffers=[random]") == 0
    assert len(ran) == 6
    assert call("buffers=[random]") == 0
    assert not ran
    assert "all runs are there" in capsys.readouterr().out
    assert call("buffers=[random,k_center]", "reference=k_center", folder="other") == 0
    assert [title.split(",")[0] for title in ran] == ["k_center", "k_center"]
    assert call("buffers=[random]", "data.train_per_class=3") == 2
    assert "holds a run with other settings" in capsys.readouterr().err
