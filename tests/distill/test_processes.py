"""However many processes condense and evaluate, the outcome is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import shared_out
from processes import in_processes

pytestmark = pytest.mark.filterwarnings("ignore::cl3d.errors.Note")
SEVERAL = [2, pytest.param(3, marks=pytest.mark.slow)]


def left(folder: Path) -> dict[str, bytes]:
    """The content of each file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def of(tmp_path_factory):
    """What so many processes leave of one of ``shared_out.everything``."""
    found: dict[int, Path] = {}

    def look(count: int, function: str) -> dict[str, bytes]:
        if count not in found:
            found[count] = tmp_path_factory.mktemp("left")
            if count == 1:
                shared_out.everything(str(found[1]))
            else:
                in_processes(count, "shared_out:everything", found[count])
        return left(found[count] / function)

    return look


@pytest.mark.parametrize("count", SEVERAL)
@pytest.mark.parametrize("name", shared_out.PRESETS)
def test_a_preset_gives_the_same_bytes(of, count, name):
    file = f"{name}.safetensors"
    assert of(count, "condense_each")[file] == of(1, "condense_each")[file]


@pytest.mark.parametrize("count", SEVERAL)
@pytest.mark.parametrize("function", ["condense_each", "evaluate_three", "train_experts", "segment"])
def test_the_same_files_are_left(of, count, function):
    assert of(count, function) == of(1, function) != {}


@pytest.mark.parametrize("count", SEVERAL)
def test_more_processes_than_classes_give_the_same_loss_but_for_rounding(of, count):
    one, several = (of(n, "condense_few_classes") for n in (1, count))
    assert set(one) == set(several)
    for name in one:
        assert float(several[name]) == pytest.approx(float(one[name]), rel=1e-6), name
    assert several["morphing_1"] == one["morphing_1"], "which cannot share out a class"
    assert several != one, "the same to the bit everywhere: was no class shared out?"


def test_taken_up_by_another_number_of_processes(tmp_path):
    """One process begins, two go on, one ends: the same as one alone."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    shared_out.condense_until("99", str(whole))
    shared_out.condense_until("2", str(parts))
    first = left(parts)
    in_processes(2, "shared_out:condense_until", 5, parts)
    assert set(left(parts)) == set(first)
    assert all(left(parts)[name] != content for name, content in first.items())
    shared_out.condense_until("99", str(parts))
    assert left(parts) == left(whole)
