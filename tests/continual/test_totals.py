"""Memories under one total: never exceeded, shared by the classes seen so far."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import Naive
from hypothesis import given, settings
from hypothesis import strategies as st

from cl3d.clouds import PointClouds
from cl3d.continual import (
    CondensedBuffer,
    CondensedReplay,
    ContinualRun,
    Rehearse,
    ReservoirBuffer,
    Scratch,
    class_incremental,
)
from cl3d.continual.estimate import training_passes
from cl3d.data import shapes40
from cl3d.distill import (
    Anchors,
    Budget,
    Condenser,
    Generator,
    Points,
    Reservoir,
    ShapeModel,
    Training,
    load,
    loop,
    presets,
)
from cl3d.distill.parameterizations import generated
from cl3d.errors import InputError
from cl3d.models import PointNet

SMALL = partial(PointNet, channels=(8, 16), head=(8,))
QUICK = Training(epochs=2, batch_size=8)
CLOUD = 12 * 32
DM = replace(presets.dm(), iterations=3, real_batch=3)
STORED = {
    "points": Points(),
    "coarse": Points(num_points=24),
    "anchors": Anchors(anchors=2, blends=2),
    "generator": Generator(),
    "shape_model": ShapeModel(clouds=5, samples=3),
}
pytestmark = pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")


@pytest.fixture(scope="module")
def dataset():
    return shapes40(num_points=32, num_classes=7, train_per_class=5, test_per_class=2)


@pytest.fixture
def quick_refits(monkeypatch):
    monkeypatch.setattr(generated, "REFIT_ITERATIONS", 3)


def run_under(dataset, total, condenser=DM, strategy=None, **changes) -> ContinualRun:
    made = {"steps": 4, "seed": 0} | changes
    return ContinualRun(dataset, SMALL, strategy or Scratch(QUICK), condenser, Budget(total=total), **made)


class Counted(list):
    """The sets of a buffer; whoever puts one in is counted."""

    def __init__(self, sets, count):
        super().__init__(sets)
        self.count = count

    def __setitem__(self, place, synthetic):
        super().__setitem__(place, synthetic)
        self.count()

    def append(self, synthetic):
        super().append(synthetic)
        self.count()


@pytest.mark.usefixtures("quick_refits")
@pytest.mark.parametrize("stored", STORED)
def test_the_total_holds_at_every_moment(dataset, tmp_path, monkeypatch, stored):
    """Counted: whenever a set is put in its place; with the set in the making, at every update."""
    total, moments = 9 * CLOUD + 5, []
    post_adapt, step, call = CondensedBuffer.post_adapt, loop.Loop._step, Condenser.__call__
    buffers = []

    def counting(buffer, *args):
        buffers[:] = [buffer]
        if not isinstance(buffer.sets, Counted):
            buffer.sets = Counted(buffer.sets, lambda: moments.append(buffer.nbytes))
        post_adapt(buffer, *args)

    def condensing(condenser, clouds, *, budget, **rest):
        moments.append(buffers[0].nbytes + budget.nbytes)  # all that the new set is allowed
        return call(condenser, clouds, budget=budget, **rest)

    def updating(self):
        step(self)
        moments.append(buffers[0].nbytes + self.synthetic.nbytes)

    monkeypatch.setattr(CondensedBuffer, "post_adapt", counting)
    monkeypatch.setattr(Condenser, "__call__", condensing)
    monkeypatch.setattr(loop.Loop, "_step", updating)
    condenser = replace(DM, parameterization=STORED[stored])
    results = run_under(dataset, total, condenser).start(tmp_path)
    assert len(moments) > 4 * (1 + DM.iterations)
    assert max(moments) <= total
    assert max(moments) > 0.5 * total
    assert all(step.memory_bytes <= total for step in results.steps)


def experience(step: int, labels: range, per_class: int, points: int):
    draws = torch.Generator().manual_seed(step)
    items = [(torch.randn(points, 3, generator=draws), label) for label in labels for _ in range(per_class)]
    return SimpleNamespace(dataset=items, current_experience=step)


def prefix(shorter: PointClouds, longer: PointClouds) -> bool:
    return torch.equal(shorter.points, longer.points[: len(shorter)])


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    per_class=st.integers(1, 7),
    points=st.integers(3, 9),
    coarse=st.booleans(),
    spare=st.integers(0, 3000),
    seed=st.integers(0, 3),
)
def test_any_stream_under_any_total(sizes, per_class, points, coarse, spare, seed):
    stored = Points(num_points=3, storage="uint8") if coarse else Points()
    condenser = Condenser(parameterization=stored)
    total = sum(sizes) * condenser.least_bytes(points) + spare
    held: list[int] = []

    def condense(clouds, *, budget, **rest):
        held.append(buffer.nbytes + budget.nbytes)
        return condenser(clouds, budget=budget, **rest)

    buffer = CondensedBuffer(condense, Budget(total=total), SMALL, seed=seed)
    before: dict[int, PointClouds] = {}
    for step, size in enumerate(sizes):
        new = range(len(before), len(before) + size)
        buffer.post_adapt(None, experience(step, new, per_class, points))
        assert held[-1] <= total
        assert buffer.nbytes <= total
        now = {label: s.decode().of_class(label) for s in buffer.sets for label in s.clouds_per_class}
        assert list(now) == list(range(sum(sizes[: step + 1])))
        assert all(prefix(now[label], clouds) for label, clouds in before.items())
        counts = [len(clouds) for clouds in now.values()]
        # shares are whole reference clouds, and the rest: of coarse clouds that is several
        uneven = 2 * 12 * points // condenser.least_bytes(points) if coarse else 1
        assert max(counts) - min(counts) <= uneven
        before = now


@given(st.integers(1, 4000), st.integers(1, 12), st.integers(1, 40))
def test_shares_only_shrink_and_add_up(total, points, classes):
    total = max(total, classes)
    rows = [Budget(total=total).shares([1] * seen, points, least=1) for seen in range(1, classes + 1)]
    assert all(sum(row) == total for row in rows)
    for wide, narrow in pairwise(rows):
        assert all(b <= a for a, b in zip(wide, narrow, strict=False))


def test_a_part_of_a_total_is_what_is_left_for_the_new():
    # 7 clouds of 84 bytes and 10 more, four classes seen: 2, 2, 2 and 1, the rest to the first
    budget = Budget(total=7 * 84 + 10)
    assert budget.shares([1] * 4, 7) == [2 * 84 + 10, 2 * 84, 2 * 84, 84]
    assert budget.part(2, 2, None, 7) == Budget(nbytes=3 * 84)
    assert budget.part(0, 2, None, 7) == Budget(nbytes=7 * 84 + 10)


@pytest.mark.usefixtures("quick_refits")
@pytest.mark.parametrize("stored", STORED)
def test_the_files_are_the_memory_at_every_step(dataset, tmp_path, stored):
    condenser = replace(DM, parameterization=STORED[stored])
    run_under(dataset, 9 * CLOUD, condenser, Rehearse(QUICK)).start(tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    steps = zip(
        results["memory_files_per_step"],
        results["memory_bytes_per_step"],
        results["memory_clouds_per_step"],
        strict=True,
    )
    seen: list[int] = []
    for step, (names, nbytes, clouds) in enumerate(steps):
        sets = [load(tmp_path / "memory" / name) for name in names]
        assert len(sets) == step + 1
        assert sum(s.nbytes for s in sets) == nbytes <= 9 * CLOUD
        assert sum(map(len, sets)) == clouds
        until = len(seen) + len(sets[-1].clouds_per_class)
        seen += sorted(results["settings"]["class_order"][len(seen) : until])
        assert [label for s in sets for label in s.clouds_per_class] == seen
    assert names[0] != results["memory_files_per_step"][0][0], "nothing has shrunk"
    assert {path.name for path in (tmp_path / "memory").iterdir()} == {
        name for names in results["memory_files_per_step"] for name in names
    }


@pytest.mark.parametrize("stored", STORED)
def test_a_total_that_cannot_hold_all_classes_in_the_end_is_refused_before_anything_runs(dataset, stored):
    condenser = replace(DM, parameterization=STORED[stored])
    least = 7 * condenser.least_bytes(32)
    run_under(dataset, least, condenser)
    with pytest.raises(InputError, match=rf"total={least - 1} is .* give at least {least} bytes"):
        run_under(dataset, least - 1, condenser)


def test_a_buffer_of_your_own_refuses_before_anything_is_lost():
    buffer = CondensedBuffer(presets.random(), Budget(total=5 * 12 * 6 + 3), SMALL)
    buffer.post_adapt(None, experience(0, range(3), 4, 6))
    before = [(s.nbytes, len(s)) for s in buffer.sets]
    with pytest.raises(InputError, match=r"total=363 is 363 bytes, below the 72 .* each of 6 classes"):
        buffer.post_adapt(None, experience(1, range(3, 6), 4, 6))
    assert [(s.nbytes, len(s)) for s in buffer.sets] == before
    buffer.post_adapt(None, experience(1, range(3, 5), 4, 6))
    assert [s.clouds_per_class for s in buffer.sets] == [{0: 1, 1: 1, 2: 1}, {3: 1, 4: 1}]


def test_a_condensation_that_failed_can_be_tried_again():
    fails = [True]

    def condense(clouds, **rest):
        if fails.pop() if fails else False:
            raise KeyboardInterrupt
        return presets.random()(clouds, **rest)

    buffer = CondensedBuffer(condense, Budget(total=8 * 12 * 6), SMALL)
    with pytest.raises(KeyboardInterrupt):
        buffer.post_adapt(None, experience(0, range(2), 4, 6))
    buffer.post_adapt(None, experience(0, range(2), 4, 6))
    assert buffer.sets[0].clouds_per_class == {0: 4, 1: 4}


def test_a_generator_too_wide_for_the_last_share_is_refused(dataset):
    condenser = replace(DM, parameterization=Generator(width=10))
    with pytest.raises(InputError, match="a generator of width 10 with 2 clouds takes"):
        run_under(dataset, 7 * CLOUD, condenser)


def test_what_is_planned_is_what_is_held(dataset, tmp_path):
    run = run_under(dataset, 16 * CLOUD, presets.random())
    results = run.start(tmp_path)
    assert run.plan().clouds() == [step.memory_clouds for step in results.steps] == [10, 16, 16, 16]
    # 2 epochs on the memory, and 0.4 forward passes of test clouds: of the classes seen, the next, the own
    assert training_passes(run) == pytest.approx(2 * 58 + 0.4 * 2 * ((2 + 4 + 6 + 7) + 5 + 7))


def test_the_first_herded_clouds_stay(dataset, tmp_path):
    condenser = replace(presets.herding(), initializer=replace(presets.herding().initializer, training=QUICK))
    results = run_under(dataset, 14 * CLOUD, condenser).start(tmp_path)
    first, last = (load(tmp_path / "memory" / results.steps[i].memory_files[0]) for i in (0, -1))
    for label, count in last.clouds_per_class.items():
        assert count == 2 < first.clouds_per_class[label] == 5
        assert prefix(last.decode().of_class(label), first.decode().of_class(label))


@pytest.mark.parametrize("balanced", [False, True])
def test_a_reservoir_fills_the_total_and_no_more(dataset, tmp_path, balanced):
    reservoir = Reservoir(balanced=balanced)
    results = run_under(dataset, 12 * CLOUD + 9, reservoir, Rehearse(QUICK)).start(tmp_path)
    assert [step.memory_bytes for step in results.steps] == [10 * CLOUD, *[12 * CLOUD] * 3]
    assert [step.memory_files for step in results.steps][-1] == ("step_01_after_04.safetensors",)
    last = load(tmp_path / "memory" / "step_01_after_04.safetensors")
    counts = list(last.clouds_per_class.values())
    assert sum(counts) == 12
    if balanced:
        assert len(counts) == 7
        assert max(counts) - min(counts) <= 1
    real = {cloud.numpy().tobytes() for cloud in dataset.train.points}
    assert all(cloud.numpy().tobytes() in real for cloud in last.decode().points.detach())


@pytest.mark.parametrize("buffer_class", [CondensedBuffer, ReservoirBuffer])
def test_a_stock_strategy_rehearses_a_memory_under_a_total(dataset, buffer_class):
    condenser = presets.random() if buffer_class is CondensedBuffer else presets.balanced_reservoir()
    buffer = buffer_class(condenser, Budget(total=8 * CLOUD + 1), SMALL)
    net = SMALL(7)
    strategy = Naive(
        model=net,
        optimizer=torch.optim.SGD(net.parameters(), 0.01),
        criterion=torch.nn.CrossEntropyLoss(),
        train_mb_size=8,
        plugins=[CondensedReplay(buffer, batch_size=3)],
        evaluator=EvaluationPlugin(),
    )
    for experience in class_incremental(dataset, 3, range(7)).train_stream:
        strategy.train(experience, eval_streams=[])
        assert buffer.nbytes == 8 * CLOUD
    assert sorted(label for s in buffer.sets for label in s.clouds_per_class) == list(range(7))
    (clouds,) = buffer.clouds()
    assert len(clouds) == len(buffer.buffer) == buffer.max_size == 8


def test_a_reservoir_needs_a_total(dataset):
    with pytest.raises(InputError, match="give total=BYTES, not ppc=2"):
        ContinualRun(dataset, SMALL, Scratch(QUICK), presets.reservoir(), Budget(ppc=2), 4)
    with pytest.raises(InputError, match="give total=BYTES"):
        ReservoirBuffer(presets.reservoir(), Budget(nbytes=10_000))


def test_a_reservoir_is_not_made_anew_at_each_step():
    with pytest.raises(InputError, match="goes along the whole stream"):
        CondensedBuffer(presets.reservoir(), Budget(total=10_000))
