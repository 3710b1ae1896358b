"""Seeded splits: sizes, and what a cloud's place does not depend on."""

from __future__ import annotations

from pathlib import Path

import pytest

from cl3d.data.splits import chosen_for_test, share_for_test, share_of_class, split_files
from cl3d.errors import InputError


@pytest.mark.parametrize(
    ("count", "share"), [(1, 1), (4, 1), (5, 1), (6, 2), (15, 3), (16, 4), (20, 4), (35, 7), (100, 20)]
)
def test_train_is_rounded_down(count: int, share: int) -> None:
    assert share_for_test(count) == share
    assert count - share == count * 4 // 5


def test_both_splits_have_at_least_one() -> None:
    assert [share_of_class(2, fraction, "cup") for fraction in (0.01, 0.2, 0.99)] == [1, 1, 1]
    assert share_of_class(10, 0.3, "cup") == 3
    with pytest.raises(InputError, match="cup has one cloud"):
        share_of_class(1, 0.5, "cup")


def files(folder: Path, name: str, count: int) -> list[Path]:
    return [folder / name / f"{number:03d}.ply" for number in range(count)]


def test_classes_are_split_apart_from_each_other(tmp_path: Path) -> None:
    cups, jars = files(tmp_path, "cup", 20), files(tmp_path, "jar", 10)
    train, test = split_files(tmp_path, [cups, jars], [4, 2], seed=0)
    assert (len(train), len(test)) == (24, 6)
    assert sorted(train + test) == sorted([(p, 0) for p in cups] + [(p, 1) for p in jars])
    assert [label for _, label in test] == [0] * 4 + [1] * 2
    # a new class before, a cloud more in another: the cups stay where they are
    _, again = split_files(
        tmp_path, [files(tmp_path, "bag", 5), [*jars, tmp_path / "jar" / "x"], cups], [1, 3, 4], 0
    )
    assert {path for path, label in again if label == 2} == {path for path, label in test if label == 0}
    assert split_files(tmp_path, [cups], [4], seed=0) == split_files(tmp_path, [cups], [4], seed=0)
    assert split_files(tmp_path, [cups], [4], seed=0) != split_files(tmp_path, [cups], [4], seed=1)
    moved, _ = split_files(tmp_path / "other", [files(tmp_path / "other", "cup", 20)], [4], seed=0)
    assert [path.name for path, _ in moved] == [path.name for path, label in train if label == 0]


def test_a_new_cloud_moves_at_most_one_other() -> None:
    keys = [f"cup/{number}" for number in range(50)]
    before = chosen_for_test(keys, 10, seed=3)
    for new in ("cup/new", "cup/newer", "cup/newest"):
        after = chosen_for_test([*keys, new], 10, seed=3)
        assert len(after) == 10
        assert len(before - after) <= 1
    assert chosen_for_test(keys[::-1], 10, seed=3) == before
