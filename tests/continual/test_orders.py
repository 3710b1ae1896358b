"""Class orders from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cl3d.continual import class_order, read_order
from cl3d.data import shapes40
from cl3d.errors import InputError

NAMES = ("bag", "cup", "door")
FILES = sorted((Path(__file__).parents[2] / "configs" / "orders").glob("*.json"))


def written(folder: Path, **changes) -> Path:
    content = {
        "format_version": 1,
        "name": "three",
        "orders": [["cup", "bag", "door"], ["door", "cup", "bag"]],
    }
    path = folder / "orders.json"
    path.write_text(json.dumps(content | changes))
    return path


def test_a_seed_takes_its_order_as_labels(tmp_path):
    path = written(tmp_path)
    assert read_order(path, NAMES, 0) == [1, 0, 2]
    assert read_order(path, NAMES, 1) == [2, 1, 0]
    with pytest.raises(InputError, match="for seeds 0 to 1, not for 2"):
        read_order(path, NAMES, 2)


@pytest.mark.parametrize("order", [["cup", "bag"], ["cup", "bag", "sink"], ["cup", "bag", "door", "cup"]])
def test_other_classes_are_refused(tmp_path, order):
    with pytest.raises(InputError, match="is not one of the data set's 3 classes"):
        read_order(written(tmp_path, orders=[order]), NAMES, 0)


@pytest.mark.parametrize("wrong", [{"format_version": 2}, {"orders": "abc"}, {"orders": [1]}])
def test_other_files_are_refused(tmp_path, wrong):
    with pytest.raises(InputError, match="class orders"):
        read_order(written(tmp_path, **wrong), NAMES, 0)


def test_what_is_no_file_or_no_json_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_order(tmp_path / "absent.json", NAMES, 0)
    (tmp_path / "text.json").write_text("cup, bag")
    with pytest.raises(InputError, match="is no file of class orders"):
        read_order(tmp_path / "text.json", NAMES, 0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_files_here_hold_five_different_permutations(path):
    orders = json.loads(path.read_text())["orders"]
    assert len({tuple(order) for order in orders}) == 5
    assert all(sorted(order) == sorted(orders[0]) and len(set(order)) == len(order) for order in orders)


def test_shapes40s_are_of_its_classes():
    names = shapes40(num_points=4, train_per_class=1, test_per_class=1).class_names
    path = next(path for path in FILES if path.stem == "shapes40")
    assert sorted(read_order(path, names, 4)) == list(range(40))
    assert read_order(path, names, 4) == class_order(40, 4), "seeds do not draw any more what they drew"
