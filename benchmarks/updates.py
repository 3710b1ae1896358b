"""One update of each method: python benchmarks/updates.py [--cases dm pcc ...] [--classes 10] [--json FILE].

Three sides take turns on the same weights, clouds and draws: the library; the library with unfused networks;
and the authors' formulation (``benchmarks/authors.py``). Prints seconds and ratios (medians over rounds, the
least and the most in brackets) with glibc's allocator as it is and tuned, on both sides alike; how far the
first losses are apart; peak memory above that of the process before; operators; and the share of the time
that the product of the widest layer with all points would take at the machine's best rate: the floor.
"""

from __future__ import annotations

import argparse
import functools
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import authors
import torch
from measuring import MIB, against_others, apart, both_allocators, gemm_rate, in_turns, operators, peak
from torch import Tensor
from torch.utils.data import TensorDataset
from workload import SEED, classes_of

from cl3d.atomic import write_text
from cl3d.clouds import PointClouds, normalize
from cl3d.distill import Budget, Condenser, Networks, presets
from cl3d.distill.loop import Loop
from cl3d.distill.networks import BuildModel
from cl3d.distill.objectives import GradientMatching
from cl3d.distill.optimizers import SGD
from cl3d.distill.parameterizations.generator import Generator
from cl3d.distill.surrogates import Fresh, Trained
from cl3d.distill.synthetic import SyntheticSet
from cl3d.distill.training import Training
from cl3d.models import PointNet, pointnet_light
from cl3d.ops.allocator import tune_allocator
from cl3d.progress import silent
from cl3d.random import generator
from cl3d.report.text_tables import markdown

SIDES = ("cl3d", "unfused", "authors")
WIDEST = 128 * 1024
"""Weights of the layer before the pool, in both networks."""


@dataclass(frozen=True)
class Case:
    """A method as its paper runs it.

    Attributes:
        condenser: the library's.
        theirs: the update of its authors.
        model: takes ``fused=``.
        ppc: raw clouds per class that its bytes are worth.
        classes: None is what the command asks for.
    """

    condenser: Condenser
    theirs: authors.Update
    model: Callable[..., Any]
    ppc: int = 1
    classes: int | None = None


LIGHT = Trained(inner=1 << 30, training=Training(epochs=1, batch_size=256, optimizer=SGD(lr=1e-3)))
"""A network that goes on learning from the set: DD3D's inner loop."""

PCC = replace(
    presets.pcc(), objective=GradientMatching("layer_cosine"), surrogates=Fresh(), schedule="constant"
)

CASES = {
    "dm": Case(replace(presets.dm(), real_batch=32), authors.dm, PointNet),
    "pcc": Case(replace(PCC, real_batch=32), authors.gradients(authors.layer_cosine), PointNet),
    "pcc_32": Case(
        replace(PCC, real_batch=8), authors.gradients(authors.layer_cosine), PointNet, ppc=32, classes=2
    ),
    "dd3d": Case(
        replace(
            presets.dd3d_paper(),
            parameterization=Generator(codes_per_class=1),
            surrogates=LIGHT,
            schedule="constant",
        ),
        authors.gradients(authors.row_cosine),
        pointnet_light,
    ),
    "sadm": Case(presets.sadm(), authors.sadm, PointNet),
    "morphing": Case(presets.morphing(), authors.morphing, PointNet),
}


@dataclass(frozen=True)
class Workload:
    """One case at one size."""

    case: Case
    classes: int
    points: int
    device: str

    def side(self, name: str) -> Callable[[], float]:
        """One side, started: each call is its next update, and returns the loss before it."""
        if name == "authors":
            return self._authors()
        return self._library(fused=name == "cl3d")

    def _networks(self, fused: bool) -> Networks:
        build: BuildModel = functools.partial(self.case.model, fused=fused)
        return Networks(build, self.classes, torch.device(self.device), SEED)

    def _real(self) -> PointClouds:
        return classes_of(self.classes, self.case.condenser.real_batch, self.points).to(
            torch.device(self.device)
        )

    def _started(self) -> SyntheticSet:
        """The synthetic set, from clouds that are not among the real ones."""
        condenser, budget = self.case.condenser, Budget(ppc=self.case.ppc)
        shares, picks = condenser.plan([1 << 30] * self.classes, self.points, budget)
        each = max(picks[0], 1)
        picked = classes_of(self.classes, each + condenser.real_batch, self.points)
        picked = picked[torch.arange(len(picked)) % (each + condenser.real_batch) < each]
        start = condenser.parameterization.start(picked, dict(enumerate(shares)), SEED)
        return start.to(torch.device(self.device))

    def _library(self, fused: bool) -> Callable[[], float]:
        condenser, networks, real = self.case.condenser, self._networks(fused), self._real()
        assert condenser.objective is not None
        loop = Loop(
            synthetic=self._started(),
            real=real,
            classes=real.classes,
            networks=networks,
            objective=condenser.objective,
            surrogates=condenser.surrogates.prepare(real, networks, SEED, silent),
            optimizer=condenser.optimizer,
            schedule=condenser.schedule,
            iterations=0,
            real_batch=condenser.real_batch,
            real_points=None,
            statistics_batch=condenser.statistics_batch,
            seed=SEED,
            name="benchmark",
        )

        def step() -> float:
            loop.iterations += 1
            loop.run(silent, None, torch.empty(0))
            return loop.losses[-1]

        return step

    def _authors(self) -> Callable[[], float]:
        condenser, networks = self.case.condenser, self._networks(fused=False)
        synthetic, real = self._started(), self._real()
        optimizer = condenser.optimizer(synthetic.parameter_groups())
        carried, done = isinstance(condenser.surrogates, Trained), 0
        net = networks.draw("surrogate", 0)

        def step() -> float:
            nonlocal net, done
            decoded = synthetic.decode(generator(SEED, "decode", done))
            if carried and done:
                seen = TensorDataset(normalize(decoded.points.detach()), decoded.labels)
                authors.train(net, seen, 1, 256, torch.optim.SGD(net.parameters(), lr=1e-3))
            elif done:
                net = networks.draw("surrogate", done)
            batches = [self._batch(real, label, done) for label in range(self.classes)]
            authors.freeze(net, torch.cat([batch[: condenser.statistics_batch] for batch in batches]))
            optimizer.zero_grad()
            loss = self.case.theirs(net, batches, decoded.points, decoded.labels)
            optimizer.step()
            done += 1
            return loss

        return step

    def _batch(self, real: PointClouds, label: int, iteration: int) -> Tensor:
        """The real clouds that the library draws."""
        mine = real.points[real.labels == label]
        order = torch.randperm(len(mine), generator=generator(SEED, "real-batch", label, iteration))
        return mine[order.to(mine.device)]

    @property
    def floor(self) -> float:
        """Flops of the widest layer's product with all points that an update looks at."""
        condenser = self.case.condenser
        synthetic = self._started().decode()
        points = self.classes * condenser.real_batch * self.points + synthetic.points.shape[:2].numel()
        return 2.0 * WIDEST * points


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--classes", type=int, default=10, help="10 as ModelNet10, 40 as ModelNet40")
    parser.add_argument("--points", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    parser.add_argument("--one", choices=("times", *SIDES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments)))
        return
    report: dict[str, Any] = {"torch": torch.__version__, "python": platform.python_version()}
    report |= {"device": arguments.device, "classes": arguments.classes, "points": arguments.points}
    report["cases"] = {name: measured(name, arguments) for name in arguments.cases}
    print(table(report["cases"]))
    if arguments.json:
        write_text(arguments.json, json.dumps(report, indent=1) + "\n")


def one(arguments: argparse.Namespace) -> dict[str, Any]:
    """In a process of its own: the times of all sides, or the peak memory of one."""
    tune_allocator()
    torch.set_num_threads(1)
    (name,) = arguments.cases
    case, device = CASES[name], arguments.device
    workload = Workload(case, case.classes or arguments.classes, arguments.points, device)
    if arguments.one != "times":
        step = workload.side(arguments.one)
        before = peak(device)
        step(), step()
        return {"bytes": peak(device) - before}
    sides = {side: workload.side(side) for side in SIDES}
    losses = {side: step() for side, step in sides.items()}  # the first warms up
    times = in_turns(sides, arguments.rounds, device)
    counts = {side: operators(step) for side, step in sides.items()}
    return {
        "losses": losses,
        "seconds": times,
        "operators": counts,
        "floor": workload.floor,
        "gemm": gemm_rate(device),
    }


def measured(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """All of one case, each measurement in a process of its own."""
    sizes = ["--classes", str(arguments.classes), "--points", str(arguments.points)]
    own = ["--cases", name, *sizes, "--rounds", str(arguments.rounds), "--device", arguments.device]
    found = both_allocators(__file__, [*own, "--one", "times"])
    memory = {side: apart(__file__, [*own, "--one", side])["bytes"] for side in SIDES}
    return found | {"bytes": memory}


def table(cases: dict[str, Any]) -> str:
    head = ["update", "seconds", "unfused / cl3d", "authors / cl3d", "the same, allocators tuned"]
    head += ["losses differ by", "peak MiB, cl3d and authors", "operators", "floor %"]
    return markdown(head, [line(name, found) for name, found in cases.items()])


def line(name: str, found: dict[str, Any]) -> list[str]:
    usual, tuned = found["default"]["seconds"], found["tuned"]["seconds"]
    losses, memory, counts = found["tuned"]["losses"], found["bytes"], found["tuned"]["operators"]
    floor = found["tuned"]["floor"] / found["tuned"]["gemm"]
    return [
        name,
        *against_others(usual, tuned),
        f"{abs(losses['cl3d'] / losses['authors'] - 1):.0e}",
        " and ".join(f"{memory[side] / MIB:,.0f}" for side in ("cl3d", "authors")),
        " and ".join(f"{counts[side]:,}" for side in ("cl3d", "authors")),
        f"{100 * floor / min(tuned['cl3d']):.0f}",
    ]


if __name__ == "__main__":
    main()
