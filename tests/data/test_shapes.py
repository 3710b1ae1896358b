from __future__ import annotations

import pytest
import torch

from cl3d.data import shapes
from cl3d.data.dataset import Dataset
from cl3d.data.procedural.catalog import CLASSES
from cl3d.data.shapes import JITTER, shapes40
from cl3d.errors import InputError


@pytest.fixture(scope="module")
def data() -> Dataset:
    return shapes40(num_points=256, train_per_class=5, test_per_class=3)


def test_shapes_dtypes_and_names(data: Dataset) -> None:
    assert data.name == "shapes40"
    assert data.class_names == tuple(kind.name for kind in CLASSES)
    for clouds, per_class in ((data.train, 5), (data.test, 3)):
        assert clouds.points.shape == (40 * per_class, 256, 3)
        assert clouds.points.dtype == torch.float32
        assert clouds.labels.tolist() == [label for label in range(40) for _ in range(per_class)]
        assert clouds.parts is not None
        assert clouds.parts.dtype == torch.int64


def test_clouds_are_normalised(data: Dataset) -> None:
    for clouds in (data.train, data.test):
        torch.testing.assert_close(clouds.points.mean(dim=1), torch.zeros(len(clouds), 3), atol=1e-6, rtol=0)
        radius = clouds.points.norm(dim=2).amax(dim=1)
        torch.testing.assert_close(radius, torch.ones(len(clouds)), atol=1e-6, rtol=0)


def test_parts_belong_to_the_class(data: Dataset) -> None:
    for clouds in (data.train, data.test):
        assert clouds.parts is not None
        for label, parts in zip(clouds.labels.tolist(), clouds.parts, strict=True):
            occurring = parts.unique().tolist()
            assert len(occurring) >= 2
            owners = {data.part_names[part].split("/")[0] for part in occurring}
            assert owners == {data.class_names[label]}


def test_same_seed_same_bytes(data: Dataset) -> None:
    again = shapes40(num_points=256, train_per_class=5, test_per_class=3)
    assert torch.equal(again.train.points, data.train.points)
    assert torch.equal(again.test.points, data.test.points)
    assert data.train.parts is not None
    assert again.train.parts is not None
    assert torch.equal(again.train.parts, data.train.parts)
    assert again.fingerprint() == data.fingerprint()


def test_global_generators_are_neither_used_nor_changed() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    shapes40(num_points=16, train_per_class=1, test_per_class=1, num_classes=2)
    assert torch.equal(torch.get_rng_state(), state)


def test_fewer_classes_and_fewer_clouds_are_the_first_of_the_same(data: Dataset) -> None:
    fewer = shapes40(num_points=256, train_per_class=2, test_per_class=1, num_classes=7)
    assert fewer.class_names == data.class_names[:7]
    assert fewer.part_names == data.part_names[: len(fewer.part_names)]
    for label in range(7):
        for few, many in ((fewer.train, data.train), (fewer.test, data.test)):
            mine, full = few.of_class(label), many.of_class(label)
            assert torch.equal(mine.points, full.points[: len(mine)])
            assert mine.parts is not None
            assert full.parts is not None
            assert torch.equal(mine.parts, full.parts[: len(mine)])


def test_part_names_are_those_of_the_classes_in_use() -> None:
    data = shapes40(num_points=16, train_per_class=1, test_per_class=1, num_classes=3)
    assert {name.split("/")[0] for name in data.part_names} == set(data.class_names)


def test_clouds_differ_within_a_class_between_splits_and_between_seeds(data: Dataset) -> None:
    other = shapes40(num_points=256, train_per_class=5, test_per_class=3, seed=1)
    clouds = torch.cat([d.points for d in (data.train, data.test, other.train, other.test)])
    distinct = torch.unique(clouds.flatten(1), dim=0)
    assert len(distinct) == len(clouds)


def test_point_order_carries_no_information(data: Dataset) -> None:
    assert data.train.parts is not None
    first, second = data.train.parts[:, :128], data.train.parts[:, 128:]
    count = len(data.part_names)
    shares = [torch.bincount(half.flatten(), minlength=count) / half.numel() for half in (first, second)]
    assert (shares[0] - shares[1]).abs().max() < 0.004
    # a trend along the order would shift the mean: under none, it is normal with this deviation
    points = data.train.points
    shift = points[:, :128].mean(dim=1) - points[:, 128:].mean(dim=1)
    deviation = points.var(dim=1).mul(4 / 256).sqrt()
    assert (shift / deviation).mean().abs() < 5 / (shift.numel() ** 0.5)
    assert (shift / deviation).std() == pytest.approx(1, abs=0.15)


def test_neighbouring_points_are_not_closer_than_any(data: Dataset) -> None:
    points = data.train.points
    beside = (points[:, 1:] - points[:, :-1]).norm(dim=2).mean()
    apart = (points[:, 100:] - points[:, :-100]).norm(dim=2).mean()
    assert beside == pytest.approx(float(apart), rel=0.02)


def test_noise_lifts_points_off_the_surface() -> None:
    data = shapes40(num_points=2048, train_per_class=1, test_per_class=1, num_classes=5)
    table = data.train.of_class(data.class_names.index("table"))
    assert table.parts is not None
    top = table.points[table.parts == data.part_names.index("table/top")]
    # within a small patch, what is left off the best plane is the noise
    near = top[(top - top[0]).norm(dim=1) < 0.15]
    residual = torch.linalg.svdvals(near - near.mean(dim=0))[-1] / len(near) ** 0.5
    assert 0.3 * JITTER < residual < 5 * JITTER


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        ({"num_points": 1}, "from 2"),
        ({"num_points": 10.0}, "from 2"),
        ({"train_per_class": 0}, "from 1"),
        ({"test_per_class": -3}, "from 1"),
        ({"num_classes": 0}, "from 1 to 40"),
        ({"num_classes": 41}, "from 1 to 40"),
        ({"num_classes": True}, "from 1 to 40"),
        ({"seed": "a"}, "any integer"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, int], allowed: str) -> None:
    (name,) = arguments
    with pytest.raises(InputError, match=f"{name} is .* must be .*{allowed}"):
        shapes40(**arguments)


def test_clouds_are_turned_each_by_its_own_angle(data: Dataset) -> None:
    """The same shapes, turned about the up axis or in any way; fewer are the first of the same."""
    for how in ("y", "so3"):
        turned = shapes40(num_points=256, train_per_class=5, test_per_class=3, rotation=how)
        assert torch.equal(turned.train.labels, data.train.labels)
        assert turned.train.parts is not None
        assert data.train.parts is not None
        assert torch.equal(turned.train.parts, data.train.parts)
        for ours, theirs in (
            (turned.train.points, data.train.points),
            (turned.test.points, data.test.points),
        ):
            torch.testing.assert_close(ours.norm(dim=2), theirs.norm(dim=2), atol=1e-5, rtol=0)
            same_heights = torch.isclose(ours[..., 1], theirs[..., 1], atol=1e-5).all(dim=1)
            assert bool(same_heights.all()) == (how == "y")
            turns = torch.linalg.lstsq(theirs, ours).solution.flatten(1)
            assert float(torch.pdist(turns).min()) > 1e-4, "no two clouds are turned alike"
        fewer = shapes40(num_points=256, train_per_class=1, test_per_class=1, num_classes=2, rotation=how)
        assert torch.equal(fewer.train.points, turned.train.points[[0, 5]])
    with pytest.raises(InputError, match="rotation is 'x'; give None"):
        shapes40(rotation="x")


def test_kept_clouds_are_the_same_and_are_not_made_again(tmp_path, monkeypatch) -> None:
    settings = {"num_points": 16, "train_per_class": 2, "test_per_class": 1, "num_classes": 3}
    made = shapes40(**settings)
    first = shapes40(**settings, cache=tmp_path)
    monkeypatch.setattr(shapes, "_cloud", None)
    kept = shapes40(**settings, cache=tmp_path)
    assert made.fingerprint() == first.fingerprint() == kept.fingerprint()
    assert made.part_names == kept.part_names
    assert kept.train.parts is not None
    assert made.train.parts is not None
    assert torch.equal(made.train.parts, kept.train.parts)
    monkeypatch.setattr(shapes, "_source_digest", lambda: "of another version")
    with pytest.raises(TypeError, match="not callable"):
        shapes40(**settings, cache=tmp_path)
