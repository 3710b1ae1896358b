"""The comparison: paired margins by hand, what is left to run, and a tiny one end to end."""

from __future__ import annotations

import json
import math

import pytest
from script_runs import run

from cl3d.errors import InputError
from cl3d.report.compare import Pair, columns, interval, pairs, table
from cl3d.report.text_tables import as_csv, markdown

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
    heads = columns(results)
    assert dict(zip(heads, random, strict=True))["moved"] == "–"
    shown = dict(zip(heads, dm, strict=True))
    assert shown["accuracy %"] == "62.0 ± 10.5"
    assert shown[heads[3]] == "+2.0 (-0.5 to +4.5)"
    assert (shown["stored"], shown["decoded"], shown["peak MiB"]) == ("4 x 63", "20", "5")
    assert markdown(heads, [random, dm]).count("\n") == 4
    assert as_csv(results).splitlines()[0].startswith("condenser,seed,accuracy,nbytes")


def test_without_random_there_is_no_margin():
    assert table([result("dm", 0, 0.5)])[0][3] == "–"


def test_each_seed_is_a_set_and_its_evaluation(tmp_path):
    pair = Pair("dm condenser.iterations=3", 5, tmp_path / "a folder")
    made, tested = pair.jobs(["ppc=1"], ["runs=2"])
    assert made.command()[:5] == ["distill", "condenser=dm", "ppc=1", "seed=5", "condenser.iterations=3"]
    assert tested.command()[:3] == ["evaluate", "runs=2", "seed=5"]
    assert tested.needs == made.product
    for job, content in ((made, COST), (tested, {"mean": 0.5})):
        job.product.parent.mkdir(parents=True)
        (job.product.parent / "cost.json").write_text(json.dumps(COST))
        job.product.write_text(json.dumps(content))
    assert pair.result() == result("dm condenser.iterations=3", 5, 0.5)


@pytest.mark.parametrize(
    ("condensers", "seeds"),
    [([], [0]), (["dm"], []), (["dm", "dm"], [0]), ("dm", [0]), (["dm"], 0), ([""], [0]), ([3], [0])],
)
def test_nothing_and_twice_the_same_are_refused(condensers, seeds, tmp_path):
    with pytest.raises(InputError, match=r"give a list|give each once"):
        pairs(condensers, seeds, tmp_path)


def test_a_number_of_seeds_counts_from_0(tmp_path):
    assert [pair.seed for pair in pairs(["dm"], 3, tmp_path)] == [0, 1, 2]


@pytest.mark.slow
def test_a_tiny_comparison_end_to_end(tmp_path, monkeypatch):
    folder = tmp_path / 'a "quoted" folder'
    settings = [
        *("data.num_points=32", "data.train_per_class=4", "data.test_per_class=2", "data.num_classes=3"),
        *("model.channels=[8,16]", "model.head=[8]", "device=cpu", "training.epochs=2", "runs=1"),
        *("seeds=[0,1]", 'condensers=[random,"dm condenser.iterations=2"]', "ppc=2"),
    ]
    escaped = str(folder).replace('"', '\\"')
    assert run("compare", *settings, monkeypatch=monkeypatch, folder=f'"{escaped}"') == 0
    lines = (folder / "comparison.csv").read_text().splitlines()
    assert len(lines) == 1 + 4
    assert "| dm condenser.iterations=2 | 2 |" in (folder / "comparison.md").read_text()
