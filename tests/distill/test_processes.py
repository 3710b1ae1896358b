"""However many processes condense and evaluate, the outcome is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import shared_out
from processes import in_processes


def left(folder: Path) -> dict[str, bytes]:
    """The content of each file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def by(count: int, function: str, folder: Path) -> dict[str, bytes]:
    """What so many processes leave in a folder."""
    folder.mkdir()
    if count == 1:
        getattr(shared_out, function)(str(folder))
    else:
        in_processes(count, f"shared_out:{function}", folder)
    return left(folder)


@pytest.fixture(scope="module")
def sets(tmp_path_factory) -> dict[int, dict[str, bytes]]:
    """Every preset's file, by one process and by two."""
    place = tmp_path_factory.mktemp("sets")
    return {count: by(count, "condense_each", place / str(count)) for count in (1, 2)}


@pytest.mark.parametrize("name", shared_out.PRESETS)
def test_two_processes_make_the_same_bytes(sets, name):
    assert sets[2][f"{name}.safetensors"] == sets[1][f"{name}.safetensors"]


def test_nothing_else_is_left(sets):
    assert set(sets[1]) == set(sets[2]) == {f"{name}.safetensors" for name in shared_out.PRESETS}


@pytest.mark.slow
@pytest.mark.parametrize("function", ["condense_each", "evaluate_three", "train_experts"])
def test_three_processes_leave_the_same_bytes(tmp_path, function):
    assert by(3, function, tmp_path / "three") == by(1, function, tmp_path / "one")


@pytest.mark.parametrize("function", ["evaluate_three", "train_experts"])
def test_seeds_are_shared_out(tmp_path, function):
    assert by(2, function, tmp_path / "two") == by(1, function, tmp_path / "one")


@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_more_processes_than_classes_give_the_same_loss_but_for_rounding(tmp_path, count):
    one, several = (by(n, "condense_few_classes", tmp_path / str(n)) for n in (1, count))
    assert set(one) == set(several)
    for name in one:
        assert float(several[name]) == pytest.approx(float(one[name]), rel=1e-6), name
    assert several["morphing_1"] == one["morphing_1"], "which cannot share out a class"
    assert several["dc_1"] != one["dc_1"], "the same to the bit: was the class shared out?"


@pytest.mark.parametrize("name", ["pcc", "dd3d", "mtt"])
def test_taken_up_by_another_number_of_processes(tmp_path, name):
    """One process begins, two go on, one ends: the same as one alone."""
    whole, parts = (tmp_path / kind / "checkpoint" for kind in ("whole", "parts"))
    shared_out.condense_until(name, str(whole), "99")
    shared_out.condense_until(name, str(parts), "2")
    assert parts.exists()
    in_processes(2, "shared_out:condense_until", name, parts, 5)
    assert not parts.with_suffix(".set").exists()
    shared_out.condense_until(name, str(parts), "99")
    assert parts.with_suffix(".set").read_bytes() == whole.with_suffix(".set").read_bytes()
    assert parts.read_bytes() == whole.read_bytes()
