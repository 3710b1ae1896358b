"""What processes do together: work shared out, rows gathered, means whose gradients may be differentiated."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from processes import in_processes

from cl3d import distributed, teams
from cl3d.atomic import write_text


def as_if(monkeypatch, rank: int, world: int) -> None:
    monkeypatch.setattr(distributed, "_place", distributed._Place(rank=rank, world=world))


@pytest.mark.parametrize("world", [1, 2, 3, 5, 7, 11])
@pytest.mark.parametrize("units", [1, 3, 5])
@pytest.mark.parametrize("divisible", [False, True])
def test_all_work_is_done_once(monkeypatch, world, units, divisible):
    monkeypatch.setattr(teams, "_team", lambda unit, units, divisible: None)
    rows, seen, busy = torch.arange(13), [], 0
    for rank in range(world):
        as_if(monkeypatch, rank, world)
        mine = teams.own_work(units, divisible)
        busy += bool(mine)
        for work in mine:
            assert teams.owner(work.unit, work.part, units) == rank
            assert work.share(13) == len(work.of(rows)) / 13
            seen += [(work.unit, int(row)) for row in work.of(rows)]
    assert sorted(seen) == [(unit, row) for unit in range(units) for row in range(13)]
    assert busy == (world if divisible else min(world, units))


def test_an_empty_part_borrows_a_row_that_does_not_count():
    work = teams.Work(unit=0, part=4, parts=5)
    assert work.of(torch.tensor([7, 8])).tolist() == [7]
    assert work.share(2) == 0


def test_one_process_does_it_all():
    rows = torch.randn(5, 2)
    before = rows.clone()
    distributed.merge_rows(rows, torch.zeros(5, dtype=torch.int64))
    assert torch.equal(rows, before)
    assert list(distributed.shared_out(3, lambda i: i * i)) == [0, 1, 4]
    assert distributed.by_main(lambda: 7) == 7
    assert distributed.is_main()


def statistic(points: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """A gradient, as gradient matching compares: of a nonlinear mean over points by a weight."""
    (slope,) = torch.autograd.grad((points @ weight).tanh().mean(), weight, create_graph=True)
    return slope


def test_an_attempt_is_told_from_earlier_ones(tmp_path):
    """Each process may come late, and find in the store what an earlier attempt's has left."""
    store = torch.distributed.FileStore(str(tmp_path / "store"), 3)
    names = []
    for late in (0, 1, 2):

        def name(number: int, late: int = late) -> str:
            time.sleep(0.1 * (number == late))
            return distributed._attempt(store, number, 3)

        with ThreadPoolExecutor(3) as threads:
            found = set(threads.map(name, range(3)))
        assert len(found) == 1
        names += found
    assert len(set(names)) == 3


def in_teams(folder: str) -> None:
    """A gradient penalty of points of which each process has a part: second and third derivatives."""
    draws = torch.Generator().manual_seed(0)
    points = torch.randn(7, 3, generator=draws, dtype=torch.float64)
    weight = torch.randn(3, generator=draws, dtype=torch.float64, requires_grad=True)
    (work,) = teams.own_work(1, divisible=True)
    mine = work.of(torch.arange(7))
    part = points[mine].requires_grad_()
    (whole,) = teams.team_mean([statistic(part, weight)], work.share(7), work)
    (slope,) = torch.autograd.grad(whole.square().sum() / work.parts, part, create_graph=True)
    all_of_it = points.clone().requires_grad_()
    alone = statistic(all_of_it, weight)
    (wanted,) = torch.autograd.grad(alone.square().sum(), all_of_it, create_graph=True)
    assert torch.allclose(whole, alone, rtol=1e-12)
    assert torch.allclose(slope, wanted[mine], rtol=1e-12)
    # the third: processes hold parts of a sum over all points, so that cotangents differ
    (curve,) = torch.autograd.grad(slope.square().sum(), part)
    (wanted_curve,) = torch.autograd.grad(wanted.square().sum(), all_of_it)
    assert torch.allclose(curve, wanted_curve[mine], rtol=1e-12)
    rows = torch.full((5, 2), float(distributed.rank()))
    distributed.merge_rows(rows, torch.tensor([1, 0, 1, 1, 0]))
    assert rows[:, 0].tolist() == [1, 0, 1, 1, 0]
    found = list(distributed.shared_out(5, lambda i: (i, distributed.rank())))
    assert found == [(i, i % distributed.world()) for i in range(5)]
    write_text(Path(folder) / "done", "")


@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_processes_come_to_what_one_finds(tmp_path, count):
    in_processes(count, "test_distributed:in_teams", tmp_path)
    assert (tmp_path / "done").exists()
