"""Tables and curves of finished runs."""

from __future__ import annotations

import json

import pytest

from cl3d.errors import InputError
from cl3d.report.collect import collect
from cl3d.report.curves import read_results, save_curves
from cl3d.report.groups import label, side_by_side
from cl3d.report.records import of_rows, of_runs
from cl3d.report.summary import summarize, summarize_each
from cl3d.report.tables import as_latex, as_markdown, title


def result(buffer, seed, final, steps=2, **settings):
    return {
        "settings": {
            "dataset": "shapes40",
            "buffer": buffer,
            "strategy": "scratch",
            "seed": seed,
            "classes_per_step": [3] * steps,
            "data_fingerprint": "f",
            "num_points": 32,
            "budget": "ppc=5",
            "model": "PointNet",
            "strategy_settings": "Scratch(40)",
            "buffer_settings": f"{buffer}()",
            "class_order": list(range(3 * steps)),
            **settings,
        },
        "final_accuracy": final,
        "average_accuracy": final + 0.1,
        "accuracy_per_step": [final + 0.2, *(steps - 1) * [final]],
        "forgetting": {"max_minus_last": 0.05, "first_minus_last": 0.04},
        "memory_bytes": 1920,
        "memory_clouds_per_step": [15, 30],
        **({"forward_transfer": 0.125} if buffer == "pcc" else {}),
        **({"task_incremental_accuracy_per_step": [1.0, 0.8]} if buffer == "pcc" else {}),
        **({"peak_memory": {"highest": (seed + 3) << 20}} if buffer == "pcc" else {}),
        "condensing_per_step": [{"moved_mean": 0.02}, {"moved_mean": 0.04}] if buffer == "pcc" else [{}, {}],
        "seconds": {"total": 10.0 + seed},
    }


RUNS = [
    result("random", 0, 0.50),
    result("random", 1, 0.60),
    result("pcc", 0, 0.55),
    result("pcc", 1, 0.70),
]


def crossed(buffer, gain=0.0, **settings):
    """Two class orders by three seeds: accuracies 0.5 to 0.9, and ``gain``."""
    return [
        result(buffer, seed, 0.5 + 0.1 * seed + 0.2 * order + gain, order_seed=order, **settings)
        for order in range(2)
        for seed in range(3)
    ]


def test_means_spreads_and_paired_differences_by_hand():
    lines = as_markdown(summarize(RUNS, "random")).splitlines()
    assert lines[0].endswith("| final − random, paired (95 % interval) |")
    assert (
        lines[2]
        == "| 2 | random | 2 | 55.0 ± 7.1 | 65.0 ± 7.1 | – | 5.0 ± 0.0 | – | 1,920 | 30 | – | 10 | – | – |"
    )
    assert lines[3] == (
        "| 2 | pcc | 2 | 62.5 ± 10.6 | 72.5 ± 10.6 | 80.0 ± 0.0 | 5.0 ± 0.0 | 12.5 ± 0.0 | 1,920 | 30 "
        "| 0.030 | 10 | 4 | +7.5 (+5.0 to +10.0) |"
    )


def test_a_buffer_names_its_row_in_tables_of_every_protocol():
    rehearsed = [run | {"settings": run["settings"] | {"strategy": "rehearse"}} for run in RUNS]
    for runs, name in ((RUNS, "random"), (rehearsed, "random, rehearse")):
        assert summarize(runs, "random").reference == name
    nearest = [run | {"settings": run["settings"] | {"classifier": "nearest_mean"}} for run in rehearsed]
    with pytest.raises(InputError, match="give one of random, rehearse; random, rehearse, nearest mean"):
        summarize(rehearsed + nearest, "random")


def test_settings_that_differ_are_told_before_a_seed_that_stands_twice():
    other = result("random", 0, 0.5, buffer_settings="random(num_points=3)")
    with pytest.raises(InputError, match="differ in buffer_settings"):
        summarize([RUNS[0], other])
    with pytest.raises(InputError, match="two runs of random have seed 0"):
        summarize([RUNS[0], RUNS[0]])


def test_pairing_takes_out_what_seeds_and_orders_share():
    """A buffer that is 0.03 better on each pair is so for certain, however far the pairs are apart."""
    rows = {row.name: row for row in summarize(crossed("random") + crossed("dm", 0.03), "random").rows}
    assert rows["dm"].runs == 6
    assert rows["dm"].difference.interval == (pytest.approx(0.03), pytest.approx(0.03))
    assert rows["dm"].metrics["final"].mean == pytest.approx(0.73)
    low, high = rows["dm"].metrics["final"].interval
    assert low < 0.65 < 0.81 < high
    assert rows["random"].difference is None


def test_joint_is_the_partner_of_every_class_order_of_its_seed():
    joint = [result(None, seed, 0.9, steps=1, strategy="joint", budget=None) for seed in range(3)]
    rows = {row.name: row for row in summarize(crossed("random") + joint, "random").rows}
    assert (rows["joint"].runs, rows["joint"].steps) == (3, 1)
    # what needs steps it does not have
    told = {name for name, estimate in rows["joint"].metrics.items() if estimate is not None}
    assert told == {"final"}
    # the six differences are 0.4 to 0, their mean that of the means
    assert rows["joint"].difference.mean == pytest.approx(0.9 - 0.7)
    low, high = rows["joint"].difference.interval
    assert 0 < low < 0.2 < high < 0.4


def test_joint_stands_beside_runs_of_its_own_tasks_if_it_can():
    """One from ``cl_run.py`` has those of ``steps=``, one from ``compare_cl.py`` a single one."""

    def joint(*tasks):
        bound = result(None, 0, 0.9, steps=1, strategy="joint", budget=None, classes_per_task=list(tasks))
        return bound | {"task_incremental_accuracy_per_step": [0.95]}

    def told(*runs):
        (row,) = [row for row in summarize(runs).rows if row.name == "joint"]
        metric = row.metrics["final_task_incremental"]
        return metric and metric.mean

    two, three = result("pcc", 0, 0.5), result("pcc", 0, 0.5, steps=3)
    of_two, of_three, of_one = joint(3, 3), joint(2, 2, 2), joint(6)
    assert told(two, of_two) == told(three, of_three) == 0.95
    assert told(three, of_two) is told(two, of_one) is None
    tables = side_by_side([two, three, of_two, of_three])
    assert tables == [[two, of_two], [three, of_three]]
    assert side_by_side([two, of_three]) == [[two, of_three]]
    assert [row.runs for row in summarize([two, of_one, of_three]).rows] == [1, 1]


def test_a_missing_pair_is_left_out_of_the_difference():
    rows = summarize([*RUNS, result("dm", 0, 0.7), result("dm", 7, 0.1)], "random").rows
    dm = next(row for row in rows if row.name == "dm")
    assert (dm.runs, dm.difference.mean, dm.difference.interval) == (2, pytest.approx(0.2), None)


def test_a_memory_that_leaks_never_stands_beside_an_honest_one():
    leaking = result("pcc", 0, 0.9, leaks=True)
    assert label(leaking) == "pcc, condensed jointly (LEAKS)"
    assert label(leaking | {"label": "mine"}) == "mine, condensed jointly (LEAKS)"
    with pytest.raises(InputError, match="some of the runs leak"):
        summarize([*RUNS, leaking])
    bound = result(None, 0, 0.4, strategy="naive", leaks=False)
    assert "| pcc, condensed jointly (LEAKS) |" in as_markdown(summarize([leaking, bound]))


def test_the_classifier_is_named_where_it_is_not_the_head():
    nearest = result("pcc", 0, 0.6, classifier="nearest_mean", strategy="rehearse")
    assert label(nearest) == "pcc, rehearse, nearest mean"
    assert label(result("pcc", 0, 0.6, classifier="softmax")) == "pcc"


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="differ in data_fingerprint"):
        summarize([*RUNS, result("dm", 0, 0.5, data_fingerprint="g")])
    with pytest.raises(InputError, match="differ in budget"):
        summarize([*RUNS, result("dm", 0, 0.5, budget="ppc=1")])
    for key in ("model", "strategy_settings", "buffer_settings"):
        with pytest.raises(InputError, match=f"differ in {key}"):
            summarize([*RUNS, result("pcc", 2, 0.5, **{key: "other"})])
    with pytest.raises(InputError, match="two runs of pcc have seed 1: give one"):
        summarize([*RUNS, result("pcc", 1, 0.5)])
    with pytest.raises(InputError, match="two runs of dm have seed 2, order seed 1"):
        summarize([*crossed("dm"), result("dm", 2, 0.5, order_seed=1)])
    with pytest.raises(InputError, match="runs of order seed 1 have other class orders"):
        summarize([*RUNS, result("dm", 1, 0.5, class_order=[1, 0])])
    with pytest.raises(InputError, match="give one of pcc; random"):
        summarize(RUNS, "herding")


def test_strategies_are_told_apart():
    assert label(result("pcc", 0, 0.5)) == "pcc"
    assert label(result("pcc", 0, 0.5, strategy="rehearse")) == "pcc, rehearse"
    assert label(result(None, 0, 0.5, strategy="naive")) == "naive"


def test_protocols_and_steps_do_not_meet_in_one_table():
    naive = result(None, 0, 0.1, strategy="naive", budget=None)
    joint = result(None, 0, 0.9, steps=1, strategy="joint", budget=None)
    online = result("pcc", 0, 0.5, strategy="online")
    three = result("pcc", 0, 0.5, steps=3)
    assert "naive" in as_markdown(summarize([*RUNS, naive]))
    with pytest.raises(InputError, match=r"different protocols \(online, scratch\)"):
        summarize([*RUNS, online])
    tables = side_by_side([*RUNS, naive, joint, online, three])
    assert tables == [[*RUNS, naive, joint], [joint, three], [naive, joint, online]]
    assert side_by_side([naive, joint]) == [[naive, joint]]
    assert side_by_side([joint]) == [[joint]]


def test_each_budget_has_a_table_with_the_bounds_in_it():
    naive = result(None, 0, 0.1, strategy="naive", budget=None)
    small, large = (result("pcc", 0, 0.5, budget=f"total={n}") for n in (1000, 2000))
    with pytest.raises(InputError, match="differ in budget"):
        summarize([small, large])
    tables = side_by_side([large, small, naive])
    assert tables == [[large, naive], [small, naive]]
    titles = ["shapes40, scratch, 2 steps, total=2000", "shapes40, scratch, 2 steps, total=1000"]
    assert [title(summarize(table)) for table in tables] == titles


def test_each_data_set_has_tables_of_its_own():
    """Such as a sweep over data sets leaves, of which two may have as many steps."""
    other = {"dataset": "scans", "data_fingerprint": "g"}
    scans = [result(buffer, 0, 0.3, **other) for buffer in ("random", "pcc")]
    bound = result(None, 0, 0.9, steps=1, strategy="joint", budget=None, **other)
    tables = side_by_side([scans[0], *RUNS, scans[1], bound])
    assert tables == [[*scans, bound], RUNS]
    found = [summarize(table, "random") for table in tables]
    assert [title(one) for one in found] == [
        "scans, scratch, 2 steps, ppc=5",
        "shapes40, scratch, 2 steps, ppc=5",
    ]
    assert [of_rows(one)[0]["dataset"] for one in found] == ["scans", "shapes40"]
    first, *others = summarize_each([[scans[1]], RUNS], "random")
    assert first.reference is None, "whose runs may be left to do"
    assert others == [summarize(RUNS, "random")]
    with pytest.raises(InputError, match="give one of pcc"):
        summarize_each([[scans[1]]], "random")
    with pytest.raises(InputError, match="differ in data_fingerprint"):
        summarize([*RUNS, result("pcc", 2, 0.5, data_fingerprint="of other clouds")])


def test_a_table_for_a_paper():
    lines = as_latex(summarize([result("a_b, x=10 %", 0, 0.5), result("c", 0, 0.4)], "c")).splitlines()
    assert lines[0] == r"\begin{tabular}{rlrrrrrrrrrrrr}"
    assert lines[2].startswith(r"steps & memory & runs & final \%")
    assert r"2 & c & 1 & 40.0 & 50.0" in lines[4]
    assert r"2 & a\_b, x=10 \% & 1 & 50.0" in lines[5]
    losing = as_latex(summarize([result("c", 0, 0.5), result("d", 0, 0.4)], "c"))
    assert r"& $-$10.0 \\" in losing
    nasty = as_latex(summarize([result(r"a\b^2 ~$1", 0, 0.5)]))
    assert r"& a\textbackslash{}b\textasciicircum{}2 \textasciitilde{}\$1 &" in nasty


def test_records_have_all_numbers():
    table = summarize(crossed("random") + crossed("dm", 0.03), "random")
    random, dm = of_rows(table)
    assert random.keys() == dm.keys()
    assert (random["difference"], dm["difference_low"]) == (None, pytest.approx(0.03))
    runs = of_runs(crossed("dm"))
    assert (runs[5]["order_seed"], runs[5]["seed"], runs[5]["final"]) == (1, 2, pytest.approx(0.9))


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_curves_are_drawn(tmp_path, ending):
    path = tmp_path / "deep" / f"curves.{ending}"
    save_curves(path, RUNS)
    assert path.stat().st_size > 1000


def test_folders_without_results_are_named(tmp_path):
    with pytest.raises(InputError, match=r"cl_run\.py wrote"):
        read_results(tmp_path)
    (tmp_path / "results.json").write_text(json.dumps(RUNS[0] | {"accuracy_per_step": []}))
    with pytest.raises(InputError, match="0 of 2 steps"):
        read_results(tmp_path)
    for damaged in ("{", "[]", '{"settings": 3}'):
        (tmp_path / "results.json").write_text(damaged)
        with pytest.raises(InputError, match="is damaged"):
            read_results(tmp_path)


def written(folder, **content):
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(result("dm", 0, 0.5) | content))
    return folder


def test_a_sweeps_folder_gives_its_finished_runs(tmp_path, recwarn):
    for job in range(3):
        written(tmp_path / f"seed-{job}", final_accuracy=job / 10)
    written(tmp_path / "seed-3", accuracy_per_step=[0.5])
    assert [run["final_accuracy"] for run in collect([tmp_path])] == [0.0, 0.1, 0.2]
    assert "1 of 2 steps" in str(recwarn[0].message)
    assert len(collect([tmp_path / "seed-0", tmp_path / "seed-1"])) == 2
    with pytest.raises(InputError, match="1 of 2 steps"):
        collect([tmp_path / "seed-3"])
    with pytest.raises(InputError, match="no finished run"):
        collect([tmp_path / "seed-0" / "memory"])


def test_bounds_that_a_sweep_has_run_with_each_buffer_are_one(tmp_path):
    naive = result(None, 0, 0.3, strategy="naive", budget=None, buffer_settings=None)
    for job in range(2):
        written(tmp_path / f"buffer-{job}", **naive)
    written(tmp_path / "seed-1", **naive | {"settings": naive["settings"] | {"seed": 1}})
    assert [(row.name, row.runs) for row in summarize(collect([tmp_path])).rows] == [("naive", 2)]
    written(tmp_path / "dm-0")
    written(tmp_path / "dm-1")
    with pytest.raises(InputError, match="two runs of dm have seed 0"):
        summarize(collect([tmp_path]))


def test_a_sweep_over_resolutions_names_its_runs(tmp_path):
    for points in (16, 32):
        settings = result("dm", 0, 0.5, buffer_settings=f"dm({points})")["settings"]
        folder = written(tmp_path / str(points), settings=settings)
        (folder / "config.yaml").write_text(f"resolution: {points}\ncondenser:\n  iterations: 10\n")
    rows = summarize(collect([tmp_path])).rows
    assert [row.name for row in rows] == ["dm, resolution=16", "dm, resolution=32"]


def test_what_a_sweep_varied_names_its_runs(tmp_path):
    for number, (iterations, seed) in enumerate([(10, 0), (10, 1), (20, 0), (20, 1)]):
        settings = result("dm", seed, 0.5, buffer_settings=f"dm({iterations})")["settings"]
        folder = written(tmp_path / str(number), settings=settings)
        config = f"seed: {seed}\ncondenser:\n  iterations: {iterations}\n  optimizer:\n    lr: 0.1\n"
        (folder / "config.yaml").write_text(config)
    named = summarize(collect([tmp_path]))
    assert [(row.name, row.runs) for row in named.rows] == [
        ("dm, iterations=10", 2),
        ("dm, iterations=20", 2),
    ]
