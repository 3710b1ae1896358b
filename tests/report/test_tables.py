"""Tables and curves of finished runs."""

from __future__ import annotations

import json

import pytest

from cl3d.errors import InputError
from cl3d.report.curves import read_results, save_accuracy_curves
from cl3d.report.groups import label
from cl3d.report.tables import markdown_table


def result(buffer, seed, final, steps=2, **settings):
    return {
        "settings": {
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
            **settings,
        },
        "final_accuracy": final,
        "average_accuracy": final + 0.1,
        "accuracy_per_step": [final + 0.2, final],
        "forgetting": {"max_minus_last": 0.05},
        "memory_bytes": 1920,
        "memory_clouds_per_step": [15, 30],
        **({"forward_transfer": 0.125} if buffer == "pcc" else {}),
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


def test_means_spreads_and_paired_differences_by_hand():
    lines = markdown_table(RUNS, "random").splitlines()
    assert lines[0].endswith("| final − random, paired |")
    assert (
        lines[2]
        == "| 2 | random | 2 | 55.0 ± 7.1 | 65.0 ± 7.1 | 5.0 ± 0.0 | – | 1,920 | 30 | – | 10 | – | – |"
    )
    assert lines[3] == (
        "| 2 | pcc | 2 | 62.5 ± 10.6 | 72.5 ± 10.6 | 5.0 ± 0.0 | 12.5 ± 0.0 | 1,920 | 30 | 0.030 | 10 | 4 "
        "| +7.5 (+5.0 to +10.0) |"
    )


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="differ in data_fingerprint"):
        markdown_table([*RUNS, result("dm", 0, 0.5, data_fingerprint="g")])
    with pytest.raises(InputError, match="differ in budget"):
        markdown_table([*RUNS, result("dm", 0, 0.5, budget="ppc=1")])
    for key in ("model", "strategy_settings", "buffer_settings"):
        with pytest.raises(InputError, match=f"differ in {key}"):
            markdown_table([*RUNS, result("pcc", 2, 0.5, **{key: "other"})])
    with pytest.raises(InputError, match="have seed 1"):
        markdown_table([*RUNS, result("pcc", 1, 0.5)])
    with pytest.raises(InputError, match="give one of pcc, random"):
        markdown_table(RUNS, "herding")


def test_strategies_are_told_apart():
    assert label(result("pcc", 0, 0.5)) == "pcc"
    assert label(result("pcc", 0, 0.5, strategy="rehearse")) == "pcc, rehearse"
    assert label(result(None, 0, 0.5, strategy="naive")) == "naive"


def test_protocols_do_not_meet_in_one_table():
    naive = result(None, 0, 0.1, strategy="naive", budget=None)
    assert "naive" in markdown_table([*RUNS, naive])
    with pytest.raises(InputError, match=r"different protocols \(online, scratch\)"):
        markdown_table([*RUNS, result("pcc", 0, 0.5, strategy="online")])


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_curves_are_drawn(tmp_path, ending):
    path = tmp_path / "deep" / f"curves.{ending}"
    save_accuracy_curves(path, RUNS)
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
