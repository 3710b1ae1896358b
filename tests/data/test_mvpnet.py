"""MVPNet: pcd files of every encoding, the most populous classes, and the seeded split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from formats.format_writers import pcd

from cl3d.data import mvpnet100
from cl3d.errors import InputError

COUNTS = {"7": 10, "12": 6, "100": 10, "3": 5, "40": 2}
ENCODINGS = ("ascii", "binary", "binary_compressed")


def cloud(name: str, number: int) -> np.ndarray:
    rng = np.random.default_rng([int(name), number])
    return rng.standard_normal((30 + number, 3)).astype(np.float32)


def write(root: Path, counts: Mapping[str, int] = COUNTS) -> Path:
    for name, count in counts.items():
        folder = root / "MVPNet" / name
        folder.mkdir(parents=True)
        for number in range(count):
            content = pcd(cloud(name, number), ENCODINGS[number % 3])
            (folder / f"{number:08x}.pcd").write_bytes(content)
    return root


def test_the_most_populous_classes_in_the_order_of_their_ids(tmp_path: Path) -> None:
    dataset = mvpnet100(write(tmp_path), num_classes=3, num_points=30)
    assert dataset.name == "mvpnet3"
    assert dataset.class_names == ("7", "12", "100")
    assert dataset.train.clouds_of_each_class() == [8, 4, 8]
    assert dataset.test.clouds_of_each_class() == [2, 2, 2]
    assert mvpnet100(tmp_path, num_classes=1, num_points=30).class_names == ("7",)  # of two with ten


def test_every_encoding_is_read(tmp_path: Path) -> None:
    dataset = mvpnet100(write(tmp_path), num_classes=5, num_points=32, normalize=False)
    assert dataset.train.num_points == 32
    written = [cloud("7", number) for number in range(10)]
    for points in torch.cat([dataset.train.of_class(1).points, dataset.test.of_class(1).points]):
        rows = {tuple(point) for point in points.tolist()}
        holding = [w for w in written if rows <= {tuple(point) for point in w.tolist()}]
        assert len(holding) == 1
        assert len(rows) == min(32, len(holding[0]))  # those with fewer points have some again


def test_points_and_split_do_not_hang_on_other_classes(tmp_path: Path) -> None:
    write(tmp_path)
    five, two = (mvpnet100(tmp_path, num_classes=n, num_points=20, rotation="y") for n in (5, 2))
    assert two.class_names == ("7", "100")
    for split in ("train", "test"):
        for name in two.class_names:
            clouds = [
                getattr(data, split).of_class(data.class_names.index(name)).points for data in (five, two)
            ]
            assert torch.equal(*clouds)
    other = mvpnet100(tmp_path, num_classes=5, num_points=20, rotation="y", split_seed=1)
    assert not torch.equal(other.test.points, five.test.points)
    again = mvpnet100(tmp_path / "MVPNet", num_classes=5, num_points=20, rotation="y", cache=False)
    assert again.fingerprint() == five.fingerprint()


def test_too_few_classes_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"1": 4, "2": 1})
    with pytest.raises(InputError, match="has 1 classes of two clouds or more, but num_classes is 100"):
        mvpnet100(tmp_path)
    with pytest.raises(InputError, match="has 1 classes of two clouds or more, but num_classes is 2"):
        mvpnet100(tmp_path, num_classes=2)
    assert len(mvpnet100(tmp_path, num_classes=1, num_points=9).test) == 1
    with pytest.raises(InputError, match="num_classes=0: give a whole number from 1"):
        mvpnet100(tmp_path, num_classes=0)


def test_damage_and_absence_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"MVPNet is not in .*MVPNet, .*GAP-LAB-CUHK-SZ/MVImgNet, sign up"):
        mvpnet100(tmp_path)
    path = write(tmp_path) / "MVPNet" / "100" / "00000004.pcd"
    points = cloud("100", 4)
    points[3] = np.nan
    path.write_bytes(pcd(points, "binary"))
    with pytest.raises(InputError, match=r"00000004\.pcd, byte \d+: point 3 is \(nan"):
        mvpnet100(tmp_path, num_classes=5, num_points=9)
