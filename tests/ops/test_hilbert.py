"""The Hilbert curve: what makes it one, its twin, and the order of points along it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cl3d.errors import InputError
from cl3d.ops import naive
from cl3d.ops.grouping import take
from cl3d.ops.hilbert import BITS, MOST_BITS, hilbert_index, hilbert_order
from cl3d.random import generator

SIZES = [1, 2, 3, 4]


def lattice(bits: int) -> Tensor:
    side = torch.arange(2**bits)
    return torch.stack(torch.meshgrid(side, side, side, indexing="ij"), dim=-1).flatten(0, 2)


def along_the_curve(bits: int) -> Tensor:
    cells = lattice(bits)
    return cells[hilbert_index(cells, bits).argsort()]


@pytest.mark.parametrize("bits", SIZES)
def test_it_visits_each_cell_once(bits: int) -> None:
    assert torch.equal(hilbert_index(lattice(bits), bits).sort().values, torch.arange(8**bits))


@pytest.mark.parametrize("bits", SIZES)
def test_it_moves_by_one_cell_along_one_axis(bits: int) -> None:
    assert (along_the_curve(bits).diff(dim=0).abs().sum(dim=1) == 1).all()


@pytest.mark.parametrize("bits", SIZES)
def test_it_leaves_a_coarser_cell_only_when_it_is_full(bits: int) -> None:
    cells = along_the_curve(bits).view(8 ** (bits - 1), 8, 3) // 2
    assert (cells == cells[:, :1]).all()


@pytest.mark.parametrize("bits", SIZES)
def test_it_is_its_twin(bits: int) -> None:
    assert torch.equal(along_the_curve(bits), torch.tensor(naive.hilbert_curve(bits)))


def test_fine_lattices_keep_to_single_steps() -> None:
    draws = generator(0, "hilbert")
    cells = torch.randint(2**MOST_BITS, (97, 3), generator=draws)
    around = cells.unsqueeze(1) + torch.cat([torch.eye(3, dtype=torch.int64), -torch.eye(3).long()])
    around = around.clamp(0, 2**MOST_BITS - 1)
    places = hilbert_index(cells, MOST_BITS)
    # whatever the curve's ends, the cells before and after one are among its six neighbours
    steps = (hilbert_index(around, MOST_BITS) - places.unsqueeze(1)).tolist()
    assert all({-1, 1} <= set(row) for row in steps)
    assert int(places.max()) < 8**MOST_BITS


@pytest.mark.parametrize("transposed", [False, True])
def test_points_follow_the_curve_through_their_cells(transposed: bool) -> None:
    points = torch.randn(3, 41, 3, generator=generator(1, "hilbert"), dtype=torch.float64)
    axes = [1, 0, 2] if transposed else [0, 1, 2]
    for cloud, order in zip(points, hilbert_order(points, 0.1, transposed), strict=True):
        cells = ((cloud - cloud.amin(dim=0)) / 0.1).floor().long()[:, axes]
        assert (hilbert_index(cells, BITS)[order].diff() >= 0).all()
        assert sorted(order.tolist()) == list(range(41))


@pytest.mark.parametrize("cell", [0.02, 1e3])
def test_places_do_not_hang_on_the_order_of_points(cell: float) -> None:
    # in cells of 1,000 all points tie, and every second one is there twice
    points = torch.randn(2, 31, 3, generator=generator(2, "hilbert"))
    points = torch.cat([points, points[:, ::2]], dim=1)
    order = torch.randperm(47, generator=generator(3, "hilbert"))
    first, second = (take(cloud, hilbert_order(cloud, cell)) for cloud in (points, points[:, order]))
    assert torch.equal(first, second)


def test_a_cloud_moved_by_whole_cells_keeps_its_order() -> None:
    points = torch.randint(50, (2, 29, 3), generator=generator(4, "hilbert")).double() / 4
    assert torch.equal(hilbert_order(points, 0.5), hilbert_order(points + 3, 0.5))


def test_clouds_beyond_the_lattice_and_single_points_have_an_order() -> None:
    far = torch.tensor([[[0.0, 0, 0], [1e9, 0, 0], [5e9, 0, 0]]])
    assert hilbert_order(far).tolist() == [[0, 1, 2]]
    assert hilbert_order(far[:, :1]).tolist() == [[0]]


@pytest.mark.parametrize(
    ("cells", "bits", "message"),
    [
        (torch.zeros(5, 2, dtype=torch.int64), 3, "give \\(..., 3\\) in int64"),
        (torch.zeros(5, 3), 3, "give \\(..., 3\\) in int64"),
        (torch.zeros(5, 3, dtype=torch.int64), 0, "bits=0: give a whole number from 1 to 20"),
        (torch.zeros(5, 3, dtype=torch.int64), 21, "bits=21"),
    ],
)
def test_what_is_no_cell_is_refused(cells: Tensor, bits: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        hilbert_index(cells, bits)


def test_what_is_no_cloud_is_refused() -> None:
    with pytest.raises(InputError, match="give \\(n, p, 3\\) with at least one point"):
        hilbert_order(torch.zeros(5, 3))
    with pytest.raises(InputError, match="cell=0: give a number above 0"):
        hilbert_order(torch.zeros(1, 5, 3), cell=0)
