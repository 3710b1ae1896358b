"""Accuracy against bytes: reading comparisons, the front by hand, the picture."""

from __future__ import annotations

import pytest

from cl3d.errors import InputError
from cl3d.report.pareto import pareto_front, read_comparisons, save_pareto


def comparison(folder, rows, figures="accuracy"):
    folder.mkdir()
    lines = [f"condenser,seed,{figures},nbytes", *(",".join(map(str, row)) for row in rows)]
    (folder / "comparison.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_comparisons_of_several_budgets_meet(tmp_path):
    small = comparison(tmp_path / "a", [("random", 0, 0.4, 100), ("random", 1, 0.5, 100), ("dm", 0, 0.6, 90)])
    large = comparison(tmp_path / "b", [("random", 0, 0.7, 1000)])
    points, figure = read_comparisons([small, large])
    assert figure == "accuracy"
    assert points == {"random": {100: [0.4, 0.5], 1000: [0.7]}, "dm": {90: [0.6]}}
    assert pareto_front(points) == [("dm", 90), ("random", 1000)]
    save_pareto(tmp_path / "pareto.png", points)
    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="random stands twice at 1,000 bytes"):
        read_comparisons([large, large])


def test_parts_are_drawn_by_their_ious(tmp_path):
    parts = comparison(tmp_path / "a", [("dc", 0, 0.25, 0.75, 90)], "instance_miou,accuracy")
    assert read_comparisons([parts]) == ({"dc": {90: [0.25]}}, "instance mIoU")
    with pytest.raises(InputError, match="some comparisons are of accuracy and others of instance mIoU"):
        read_comparisons([parts, comparison(tmp_path / "b", [("dc", 0, 0.5, 90)])])


def test_of_equal_bytes_the_more_accurate_is_on_the_front():
    assert pareto_front({"a": {10: [0.5]}, "b": {10: [0.6]}, "c": {20: [0.6]}}) == [("b", 10)]


def test_what_is_no_comparison_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"give a folder that compare\.py wrote"):
        read_comparisons([tmp_path])
    with pytest.raises(InputError, match="there is no comparison"):
        save_pareto(tmp_path / "x.png", {})
    with pytest.raises(InputError, match=r"ends in nothing: give \.png, \.pdf or \.svg"):
        save_pareto(tmp_path / "x", {"dm": {90: [0.6]}})
