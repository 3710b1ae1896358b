"""Sets to be looked at: every kind shows what it decodes to."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from html import unescape

import numpy as np
import pytest
import torch
from run_folders import KINDS, a_set

from cl3d.clouds import normalize
from cl3d.data import shapes40
from cl3d.distill import Evaluation, distill, load, presets, save, show
from cl3d.distill.exhibits import exhibit
from cl3d.distill.initial import load_initial, save_initial
from cl3d.errors import InputError
from cl3d.models import PointNet, PointNetSegmentation


@pytest.mark.parametrize("kind", KINDS)
def test_an_exhibit_shows_what_is_decoded(kind):
    synthetic = a_set(kind, [1, 4])
    decoded = synthetic.decode()
    wanted = normalize(decoded.points.detach()).numpy()
    shown = exhibit(synthetic)
    assert [cloud.label for cloud in shown.clouds] == decoded.labels.tolist()
    for cloud, points in zip(shown.clouds, wanted, strict=True):
        assert np.abs(shown.points_of(cloud) - points).max() < 1e-5


def test_a_generator_at_fewer_points_shows_the_first_ones():
    synthetic = a_set("generator", [0, 2], points=32)
    shown = exhibit(synthetic, most_points=128)
    assert (shown.num_points, len(shown.shapes[0])) == (32, 128)
    for points in (7, 32, 128):
        wanted = synthetic.decode(num_points=points).points.detach().numpy()
        for cloud, cloud_points in zip(shown.clouds, wanted, strict=True):
            assert np.abs(shown.points_of(cloud, points) - cloud_points).max() < 1e-5


def test_anchors_and_blends_are_told_apart():
    kinds = [cloud.kind for cloud in exhibit(a_set("anchors", [0, 1], per_class=2)).clouds]
    assert kinds == 4 * (3 * ["anchor"] + 4 * ["blend"])
    page = show(a_set("anchors", [0])).html
    assert "weights of its anchors" in page
    assert "anchor: stored" in page


def test_soft_labels_are_told():
    clouds = exhibit(a_set("soft_labels", [0, 1])).clouds
    assert re.fullmatch(r"soft label: class 0 0\.\d\d, class 1 0\.\d\d", clouds[0].note)


@pytest.fixture(scope="module")
def data():
    return shapes40(num_points=48, num_classes=3, train_per_class=5, test_per_class=2)


def small(classes: int) -> PointNet:
    return PointNet(classes, channels=(4, 8), head=(4,))


def test_a_set_knows_what_it_started_from(data):
    quick = replace(presets.dm(), iterations=3, real_batch=3)
    made = distill(data.train, quick, ppc=2, model=small)
    start = distill(data.train, replace(presets.random()), ppc=2, model=small)
    assert made.initial is not None
    assert torch.equal(made.initial.labels, made.labels)
    assert torch.equal(start.initial.points, normalize(start.decode().points.detach()))
    moved = (normalize(made.decode().points.detach()) - made.initial.points).norm(dim=2).mean()
    assert float(moved) == pytest.approx(made.info["moved_mean"], rel=1e-4)
    page = show(made, class_names=data.class_names).html
    assert "from initial to distilled" in page
    assert "data-input=back" not in show(start, class_names=data.class_names).html


@pytest.mark.parametrize("preset", [presets.random, partial(presets.morphing, iterations=1)])
def test_parts_that_a_set_keeps_are_coloured(data, tmp_path, preset):
    segments = partial(PointNetSegmentation, num_parts=1 + int(data.train.parts.max()))
    made = distill(data.train, preset(), ppc=1, model=segments)
    save(made, tmp_path / "a.safetensors")
    decoded, shown = made.decode(), exhibit(load(tmp_path / "a.safetensors"))
    for cloud, parts in zip(shown.clouds, decoded.parts, strict=True):
        mine = decoded.parts[decoded.labels == cloud.label]
        assert cloud.parts.tolist() == (parts - mine.min()).tolist()
    assert "by part" in show(made).html
    assert "by part" not in show(distill(data.train, presets.random(), ppc=1, model=small)).html


def test_what_it_started_from_costs_nothing_and_is_not_in_its_file(data, tmp_path):
    made = distill(data.train, presets.random(), ppc=2, model=small)
    assert made.nbytes == 6 * 48 * 12
    save(made, tmp_path / "a.safetensors")
    assert load(tmp_path / "a.safetensors").initial is None
    assert made.as_stored().initial is None


def test_files_of_what_sets_started_from(data, tmp_path):
    clouds = data.train[:4]
    save_initial(clouds, tmp_path / "initial.safetensors")
    again = load_initial(tmp_path / "initial.safetensors")
    assert torch.equal(again.points, clouds.points)
    assert torch.equal(again.parts, clouds.parts)
    whole = (tmp_path / "initial.safetensors").read_bytes()
    for damaged in (b"", whole[:-5], b"x" * 99):
        (tmp_path / "initial.safetensors").write_bytes(damaged)
        with pytest.raises(InputError, match="leave it out"):
            load_initial(tmp_path / "initial.safetensors")


def test_a_page_is_written_and_a_notebook_shows_it(data, tmp_path):
    made = distill(data.train, presets.random(), ppc=1, model=small)
    page = show(made, class_names=data.class_names)
    assert page.save(tmp_path / "deep" / "set.html").read_text() == page.html
    frame = re.fullmatch(r'<iframe srcdoc="([^"]*)" [^>]*></iframe>', page._repr_html_())
    assert unescape(frame[1]) == page.html
    assert "class 2" in made._repr_html_()


def test_names_are_those_of_the_file(data, tmp_path):
    made = distill(data.train, presets.random(), ppc=1, model=small)
    save(made, tmp_path / "a.safetensors", {"class_names": ["<i>one</i>", "two", "three"]})
    page = show(load(tmp_path / "a.safetensors")).html
    assert "&lt;i&gt;one&lt;/i&gt;" in page
    assert "<i>one" not in page


def test_several_sets_stand_under_each_other():
    page = show(a_set("points", [0]), a_set("anchors", [0]), names=["mine", "<theirs>"]).html
    assert '"name":"mine"' in page
    assert "\\u003ctheirs>" in page


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="no set"):
        show()
    with pytest.raises(InputError, match="1 names for 2 sets"):
        show(a_set("points", [0]), a_set("points", [0]), names=["a"])
    with pytest.raises(InputError, match="1 class names, but the sets have class 3"):
        show(a_set("points", [3]), class_names=["a"])
    with pytest.raises(InputError, match="num_points=0"):
        show(a_set("generator", [0]), num_points=(0,))


def test_an_evaluation_shows_its_classes():
    shown = Evaluation((0.5, 0.75), {0: 0.25, 1: 1.0})._repr_html_()
    assert "62.5 ± 17.7 %" in shown
    assert "<th scope=row>class 1</th><td class=number>100.0</td>" in shown
