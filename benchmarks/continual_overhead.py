"""What the continual loop costs beside plain PyTorch: python benchmarks/continual_overhead.py [REPEATS].

A step of ``strategy=rehearse`` (Avalanche's loop with this library's plugins: a batch of the step's clouds
and one of the memory at each iteration, then condensing, then testing) against the same work written out
with nothing but PyTorch: PointNet at 1,024 points, one thread, same draws. The two take turns; that both
end in the same weights, byte for byte, shows that the work is the same. Prints one JSON object: medians and
quartiles of the seconds and of the paired ratios, wall-clock and CPU. The goal is a ratio below 1.05.
"""

from __future__ import annotations

import json
import math
import platform
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cl3d.clouds import PointClouds, normalize
from cl3d.continual import CondensedBuffer, Rehearse, class_incremental, experience_clouds
from cl3d.data import shapes40
from cl3d.distill import Adam, Augmentation, Budget, Networks, Training, distill, presets
from cl3d.models import PointNet
from cl3d.progress import silent
from cl3d.random import fold, generator, isolated

CLASSES, STEP = 8, [4, 5, 6, 7]
SEED = 0
TRAINING = Training(epochs=2, batch_size=32, optimizer=Adam(lr=1e-3), augmentation=Augmentation())
STRATEGY = Rehearse(TRAINING, memory_batch=32)
BUDGET = Budget(ppc=5)


def main(repeats: int) -> None:
    torch.set_num_threads(1)
    data = shapes40(num_points=1024, num_classes=CLASSES, train_per_class=24, test_per_class=8)
    benchmark = class_incremental(data, steps=2, order=range(CLASSES))
    earlier = distill(data.train.of_classes(range(CLASSES - len(STEP))), presets.random(), ppc=5)

    def continual() -> dict[str, Tensor]:
        buffer = CondensedBuffer(presets.random(), BUDGET, PointNet, total_classes=CLASSES, seed=SEED)
        buffer.restore([earlier])
        strategy = STRATEGY.build(networks(), buffer, SEED, silent)
        strategy.train(benchmark.train_stream[1], eval_streams=[])
        strategy.eval(benchmark.test_stream[1:2])
        return strategy.model.state_dict()

    step = experience_clouds(benchmark.train_stream[1])  # in the order in which Avalanche has them
    test = data.test.of_classes(STEP)
    memory = earlier.decode().with_points(normalize(earlier.decode().points.detach()))
    loops = {"continual": continual, "plain": lambda: plain(step, memory, test)}
    ends = {name: loop() for name, loop in loops.items()}  # this also warms up
    for name, tensor in ends["plain"].items():
        assert torch.equal(tensor, ends["continual"][name]), f"the loops do not do the same work: {name}"
    wall, cpu = measured(loops, repeats)
    report: dict[str, Any] = {
        "iterations": TRAINING.epochs * math.ceil(len(data.train) / 2 / TRAINING.batch_size),
        "clouds_per_iteration": TRAINING.batch_size + STRATEGY.memory_batch,
        "repeats": repeats,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    for clock, seconds in (("wall", wall), ("cpu", cpu)):
        ratios = [one / other for one, other in zip(seconds["continual"], seconds["plain"], strict=True)]
        report |= {f"{clock}_seconds_{name}": spread(values) for name, values in seconds.items()}
        report[f"{clock}_ratio"] = spread(ratios)
    print(json.dumps(report, indent=1))


def networks() -> Networks:
    return Networks(PointNet, CLASSES, torch.device("cpu"), SEED)


def plain(clouds: PointClouds, memory: PointClouds, test: PointClouds) -> dict[str, Tensor]:
    """One step of rehearsal as one would write it out, drawing by the same keys."""
    net = networks().draw("step", 0)
    optimizer = TRAINING.optimizer(net.parameters())
    augment, replay = TRAINING.augmentation, fold(SEED, "replay")
    assert augment is not None
    net.train()
    iteration = 0
    with isolated(SEED, "dropout", 1, device=torch.device("cpu")):
        for epoch in range(TRAINING.epochs):
            order = torch.randperm(len(clouds), generator=generator(fold(SEED, "order", 1), epoch))
            for picks in order.tensor_split(math.ceil(len(clouds) / TRAINING.batch_size)):
                optimizer.zero_grad()
                points = augment(clouds.points[picks], generator(SEED, "augment", iteration))
                loss = nn.functional.cross_entropy(net(points), clouds.labels[picks])
                draws = generator(replay, "memory-batch", iteration)
                picks = torch.randperm(len(memory), generator=draws)[: STRATEGY.memory_batch]
                points = augment(memory.points[picks], draws)
                loss = loss + nn.functional.cross_entropy(net(points), memory.labels[picks])
                loss.backward()
                optimizer.step()
                iteration += 1
    presets.random()(clouds, budget=BUDGET, model=PointNet, seed=fold(SEED, "condense", 1))
    net.eval()
    with torch.no_grad():
        for batch in torch.arange(len(test)).split(64):
            int((net(test.points[batch]).argmax(dim=1) == test.labels[batch]).sum())
    return net.state_dict()


def measured(
    loops: dict[str, Callable[[], object]], repeats: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Wall-clock and CPU seconds of each loop; the one that begins changes from turn to turn."""
    wall: dict[str, list[float]] = {name: [] for name in loops}
    cpu: dict[str, list[float]] = {name: [] for name in loops}
    for turn in range(repeats):
        for name in sorted(loops, reverse=turn % 2 == 1):
            start = time.perf_counter(), time.process_time()
            loops[name]()
            wall[name].append(time.perf_counter() - start[0])
            cpu[name].append(time.process_time() - start[1])
    return wall, cpu


def spread(values: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": round(middle, 3), "low": round(low, 3), "high": round(high, 3)}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
