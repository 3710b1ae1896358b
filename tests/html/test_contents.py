"""What fits into a page is shown, the rest is said."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cl3d.html.contents import MOVE, POINT, contents
from cl3d.html.exhibit import Cloud, Exhibit, merged, normalized
from cl3d.html.packing import unpack, unpack_moves
from cl3d.html.viewer import viewer

NAMES = ["chair", "table", "mug"]


def exhibit(classes=3, per_class=4, points=50, started=False, name="") -> Exhibit:
    rng = np.random.default_rng(0)
    shapes = [
        normalized(rng.standard_normal((points, 3)).astype(np.float32)) for _ in range(classes * per_class)
    ]
    clouds = [
        Cloud(
            row // per_class,
            f"cloud {row % per_class + 1}",
            ((row, 1.0),),
            initial=normalized(shape + 0.1).copy() + np.float32(0.01) if started else None,
        )
        for row, shape in enumerate(shapes)
    ]
    return Exhibit(shapes, clouds, points, name=name)


def test_points_of_the_page_are_the_clouds():
    shown = exhibit()
    json_ = json.loads(json.dumps(contents([shown], NAMES).json))
    assert json_["classes"] == NAMES
    for cloud, packed in zip(
        sorted(shown.clouds, key=lambda c: c.title), json_["sets"][0]["clouds"], strict=True
    ):
        [[number, weight]] = packed["of"]
        assert weight == 1
        assert np.abs(unpack(json_["shapes"][number]) - shown.points_of(cloud)).max() < 2e-5


def test_blends_are_made_of_shapes_that_stand_there_once():
    base = exhibit(classes=1, per_class=3)
    blend = Cloud(0, "blend 1", ((0, 0.25), (1, 0.5), (2, 0.25)), "blend")
    packed = contents([Exhibit(base.shapes, [*base.clouds, blend], 50)], NAMES).json
    assert len(packed["shapes"]) == 3
    assert packed["sets"][0]["clouds"][-1]["of"] == [[0, 0.25], [1, 0.5], [2, 0.25]]


def test_where_clouds_started_is_the_displacement():
    shown = exhibit(started=True)
    packed = contents([shown], NAMES).json
    first, cloud = shown.clouds[0], packed["sets"][0]["clouds"][0]
    back = shown.points_of(first) + unpack_moves(cloud["moves"])
    step = cloud["moves"]["step"]
    assert np.abs(back - first.initial).max() <= step / 2 * 1.01
    assert cloud["moved"] == pytest.approx(np.sqrt(3) * 0.01, rel=0.05)


@pytest.mark.parametrize(
    ("fitting", "clouds", "said"), [(12, 12, ""), (11, 9, "first 3 clouds of each class"), (3, 3, "first 1")]
)
def test_the_first_clouds_of_each_class_fit(fitting, clouds, said):
    made = contents([exhibit()], NAMES, room=fitting * 50 * POINT)
    assert len(made.json["sets"][0]["clouds"]) == clouds
    assert {cloud["class"] for cloud in made.json["sets"][0]["clouds"]} == {0, 1, 2}
    assert said in " ".join(made.notes)
    assert bool(made.notes) is bool(said)


def test_clouds_come_before_what_they_started_from():
    made = contents([exhibit(started=True)], NAMES, room=50 * (12 * POINT + 7 * MOVE))
    assert len(made.json["sets"][0]["clouds"]) == 12
    assert sum("moves" in cloud for cloud in made.json["sets"][0]["clouds"]) == 6
    assert "first 2 of each class" in made.notes[0]


def test_too_many_points_are_thinned():
    made = contents([exhibit(started=True)], NAMES, room=50 * POINT)
    assert [shape["n"] for shape in made.json["shapes"]] == [17, 17, 17]
    assert "17 of their 50 points" in " ".join(made.notes)


def test_sets_stand_apart_and_merged_ones_together():
    apart = contents([exhibit(name="a"), exhibit(name="b")], NAMES).json
    assert [one["name"] for one in apart["sets"]] == ["a", "b"]
    assert len(apart["shapes"]) == 24
    together = merged([exhibit(), exhibit()])
    assert together.clouds[-1].of == ((23, 1.0),)


def test_a_viewer_has_the_controls_that_make_sense():
    plain, started = str(viewer([exhibit()], NAMES)), str(viewer([exhibit(started=True)], NAMES))
    assert "data-input=shown" in plain
    assert "data-input=back" not in plain
    assert "data-input=colour" not in plain
    assert "data-input=back" in started
    assert "by distance moved" in started
    free = Exhibit(exhibit().shapes, exhibit().clouds, 20, any_resolution=True)
    assert "<option value=20 selected>20</option>" in str(viewer([free], NAMES, (10, 50)))
