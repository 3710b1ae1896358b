"""Reports of runs: of every kind, finished or not, whole or damaged."""

from __future__ import annotations

import json
import os
import re
import time

import pytest
from run_folders import KINDS, a_set, leave, modelnet40_run, of, remember, results, viewer_of, whole_run

from cl3d.distill import save
from cl3d.errors import InputError
from cl3d.html.packing import unpack
from cl3d.report.pages.write import write_report


def test_a_report_says_what_was_run_and_what_came_out(tmp_path):
    page = of(whole_run(tmp_path / "run", initial=True))
    for text in (
        "pcc on modelnet40",
        "6 classes in 3 steps, strategy scratch, seed 0: finished",
        "82.0 %",  # final
        "86.0 %",  # average
        "points, max − last; first − last: 6.2",
        "180,000 bytes, 30 clouds",
        "300.0 MiB",
        "python scripts/cl_run.py",
        "Accuracy matrix (%)",
        "max − last: 12.5 points",
        "first − last: 6.2 points",
        "Seconds per step",
        "Bytes of the memory after each step",
        "Peak memory per step",
        "class_5",
        "from initial to distilled",
        "by part",
    ):
        assert text in page, text


def test_every_figure_has_a_table_and_a_text_for_who_cannot_see_it(tmp_path):
    page = of(whole_run(tmp_path / "run"))
    figures = [piece.split("</figure>")[0] for piece in page.split("<figure class=chart>")[1:]]
    assert len(figures) == 6
    for figure in figures:
        assert "<table>" in figure
        assert "role=img aria-label='" in figure
    assert page.split("data-viewer")[1].count("<table>") >= 1
    matrix = next(figure for figure in figures if figure.startswith("<figcaption>Accuracy matrix"))
    assert matrix.count("<td class=number>") == 6
    assert "<th scope=row>3</th><td class=number>80.0</td><td class=number>85.0</td>" in matrix


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_memory_is_shown(tmp_path, kind):
    shown = viewer_of(of(whole_run(tmp_path / "run", kind)))
    clouds = shown["sets"][0]["clouds"]
    wanted = {"anchors": 6 * 2 * 7}.get(kind, 6 * 2)
    assert len(clouds) == wanted
    assert {cloud["class"] for cloud in clouds} == set(range(6))
    assert all(unpack(shape).shape == (shape["n"], 3) for shape in shown["shapes"])


def test_a_generator_is_decoded_at_chosen_resolutions(tmp_path):
    run = whole_run(tmp_path / "run", "generator")
    usual, chosen = of(run), of(run, resolutions=[64, 512])
    for points in (8, 32, 128):
        assert f"<option value={points}" in usual
    assert viewer_of(usual)["shapes"][0]["n"] == 128
    for points in (32, 64, 512):
        assert f"<option value={points}" in chosen
    assert viewer_of(chosen)["shapes"][0]["n"] == 512


@pytest.mark.parametrize(
    ("strategy", "buffer"),
    [
        ("scratch", "pcc"),
        ("rehearse", "dm"),
        ("online", "reservoir"),
        ("naive", None),
        ("cumulative", None),
        ("joint", None),
    ],
)
def test_every_strategy_and_bound_has_a_report(tmp_path, strategy, buffer):
    steps = 1 if strategy == "joint" else 3
    content = results(steps, 6, strategy=strategy, buffer=buffer, classes_per_task=[2, 2, 2])
    if buffer is None:
        content |= {
            "memory_bytes": 0,
            "memory_bytes_per_step": [0] * steps,
            "memory_files_per_step": [[]] * steps,
        }
        content["settings"] |= {"buffer_settings": None, "budget": None}
    run = leave(tmp_path / "run", content)
    if buffer is not None:
        remember(run, [a_set("points", [2 * step, 2 * step + 1]) for step in range(steps)])
    page = of(run)
    assert f"strategy {strategy}" in page
    assert ("id='memory'" in page) is (buffer is not None)
    assert ("id='forgetting'" in page) is (steps > 1)
    assert "class='notice'" not in page


def test_a_leaking_control_is_marked(tmp_path):
    page = of(whole_run(tmp_path / "run", leaks=True))
    assert "This memory LEAKS" in page
    assert "condensed jointly (LEAKS) on modelnet40" in page


def test_other_runs_beside_it_stand_in_its_curves(tmp_path):
    run = whole_run(tmp_path / "a")
    whole_run(tmp_path / "b", buffer="dm", buffer_settings="dm()", budget="ppc=5")
    whole_run(tmp_path / "c", strategy="naive", buffer=None, budget=None)
    whole_run(tmp_path / "elsewhere" / "d", buffer="sadm", buffer_settings="sadm()")
    whole_run(tmp_path / "other", data_fingerprint="g")
    leave(tmp_path / "unfinished", results(3, 6, done=1, buffer="mtt"))
    page = of(run)
    legend = page.split("<ul class=legend>")[1].split("</ul>")[0]
    assert [name in legend for name in ("pcc", "dm (1)", "naive (1)", "sadm", "mtt")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert legend.count("<li>") == 3
    assert "sadm (1)" in of(run, beside=[tmp_path / "elsewhere" / "d"])


def test_names_and_settings_are_text(tmp_path):
    nasty = "</script><img src=x onerror=alert(1)>"
    names = [f"{nasty}{label}" for label in range(6)]
    run = whole_run(tmp_path / "run", class_names=names, dataset=nasty, buffer=nasty, strategy_settings=nasty)
    (run / "config.yaml").write_text(f"script: cl_run\nnote: '{nasty}'\n")
    (run / "environment.json").write_text(json.dumps({"command": nasty, "versions": {nasty: nasty}}))
    page = of(run)
    assert "<img" not in page
    assert page.count("</script>") == 2
    assert viewer_of(page)["classes"] == names
    assert "<img" not in of(
        run,
        whole_run(tmp_path / "b", buffer="dm", dataset=nasty, strategy_settings=nasty),
        out=tmp_path / "c.html",
    )


def test_several_runs_stand_on_one_page(tmp_path):
    runs = [whole_run(tmp_path / "runs" / f"pcc{seed}", seed=seed, order_seed=0) for seed in (0, 1)]
    runs.append(whole_run(tmp_path / "runs" / "dm", "anchors", buffer="dm", buffer_settings="dm()"))
    leave(tmp_path / "runs" / "unfinished", results(3, 6, done=1, buffer="mtt"))
    out = write_report([tmp_path / "runs"], reference="dm")
    assert out.name == "comparison.html"
    page = out.read_text()
    assert [one["name"] for one in viewer_of(page)["sets"]] == [
        "dm",
        "pcc, seed 0",
        "pcc, seed 1, class order 0",
    ]
    for text in (
        "3 runs on modelnet40",
        "pcc (2)",
        "dm (1)",
        "final − dm, paired",
        "unfinished: interrupted",
    ):
        assert text in page, text
    items = re.findall(r"<li><svg.*?stroke='var\((--series-\d)\)'.*?</svg>(.*?)</li>", page)
    assert len(items) == 4 * 2, "accuracy, bytes, seconds and peak memory"
    assert len({name for _, name in items}) == len(set(items)), "a run has one colour in all charts"
    anchors = [piece.split("'")[0] for piece in page.split("<section id='")[1:]]
    assert len(set(anchors)) == len(anchors) >= 8


def test_what_cannot_be_compared_is_refused(tmp_path):
    a, b = whole_run(tmp_path / "a"), whole_run(tmp_path / "b", data_fingerprint="g")
    with pytest.raises(InputError, match="differ in data_fingerprint"):
        of(a, b, out=tmp_path / "c.html")
    (tmp_path / "set").mkdir()
    save(a_set("points", [0]), tmp_path / "set" / "synthetic.safetensors")
    with pytest.raises(InputError, match="do not stand on one page"):
        of(a, tmp_path / "set", out=tmp_path / "c.html")
    with pytest.raises(InputError, match="none of these runs is finished"):
        of(*(leave(tmp_path / f"{n}", results(3, 6, done=1)) for n in (1, 2)), out=tmp_path / "c.html")


@pytest.mark.parametrize("kind", KINDS)
def test_a_condensed_set_has_a_report(tmp_path, kind):
    synthetic = a_set(kind, [0, 1])
    synthetic.info = {
        "budget_nbytes": 9999,
        "moved_mean": 0.02,
        "moved_max": 0.1,
        "loss_first": 2,
        "loss_last": 1,
    }
    origin = {"dataset": "shapes40", "class_names": ["<chair>", "table"], "condenser": {"name": "pcc"}}
    save(synthetic, tmp_path / "synthetic.safetensors", origin)
    (tmp_path / "cost.json").write_text(json.dumps({"seconds": 61.0, "peak_bytes": 1 << 30}))
    told = {"dataset": "shapes40", "accuracies": [0.5, 0.6], "per_class": {"<chair>": 0.25, "table": 0.85}}
    for where in (tmp_path, tmp_path / "pointnet"):
        where.mkdir(exist_ok=True)
        (where / "evaluation.json").write_text(json.dumps(told))
    page = of(tmp_path)
    for text in (
        "pcc on shapes40",
        "1 min 1 s",
        "1,024 MiB",
        "55.0 ± 7.1 %",
        "pointnet: 55.0",
        "&lt;chair&gt;",
    ):
        assert text in page, text
    assert viewer_of(page)["classes"] == ["<chair>", "table"]


def test_several_sets_stand_on_one_page(tmp_path):
    for name, kind in (("a", "points"), ("b", "anchors"), ("c", "points")):
        (tmp_path / name).mkdir()
        origin = {"dataset": "shapes40", "condenser": {"name": kind}}
        save(a_set(kind, [0, 1]), tmp_path / name / "synthetic.safetensors", origin)
    told = {"dataset": "shapes40", "accuracies": [0.5, 0.6], "per_class": {}}
    (tmp_path / "b" / "evaluation.json").write_text(json.dumps(told))
    page = of(tmp_path, out=tmp_path / "sets.html")
    names = ["points on shapes40, a", "anchors on shapes40", "points on shapes40, c"]
    assert [one["name"] for one in viewer_of(page)["sets"]] == names
    assert "<td class=number>55.0 ± 7.1</td>" in page
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.yaml").write_text("script: distill\n")
    assert "empty has no set" in of(tmp_path, out=tmp_path / "sets.html")
    with pytest.raises(InputError, match="none of these folders holds a set"):
        of(tmp_path / "empty", tmp_path / "empty")


def test_an_evaluation_has_a_report(tmp_path):
    save(a_set("points", [0, 1]), tmp_path / "synthetic.safetensors")
    run = tmp_path / "evaluation"
    run.mkdir()
    (run / "config.yaml").write_text(f"script: evaluate\nset: {tmp_path / 'synthetic.safetensors'}\n")
    told = {
        "dataset": "shapes40",
        "accuracies": [0.5],
        "per_class": {"chair": 0.5},
        "best_epoch_selected_on_test": [0.75],
    }
    (run / "evaluation.json").write_text(json.dumps(told))
    page = of(run)
    assert "Best epochs, selected on the test set: 75.0 %" in page
    assert len(viewer_of(page)["sets"][0]["clouds"]) == 4


def test_the_report_of_modelnet40_in_ten_steps_is_small_and_soon_there(tmp_path):
    run = modelnet40_run(tmp_path / "run")
    start = time.process_time()
    path = write_report([run])
    assert time.process_time() - start < 5  # about 1 s on an idle machine
    assert path.stat().st_size < 3_000_000
    shown = viewer_of(path.read_text())
    assert len(shown["sets"][0]["clouds"]) == 200
    assert sum("moves" in cloud for cloud in shown["sets"][0]["clouds"]) == 200


def test_the_same_folder_gives_the_same_page(tmp_path):
    run = whole_run(tmp_path / "run", initial=True)
    first = of(run)
    os.utime(run / "results.json")
    assert of(run) == first
