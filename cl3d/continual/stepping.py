"""Stepping: how a run trains on its steps, one after the other, and tests after each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from avalanche.training.templates import SupervisedTemplate

from cl3d.continual.buffer import CondensedBuffer
from cl3d.continual.clock import Clock
from cl3d.continual.memory_files import PROVENANCE, MemoryFiles, initial_file
from cl3d.continual.recorder import Recorder
from cl3d.continual.results import Results
from cl3d.continual.state import RunStates, restore
from cl3d.continual.steps import Step
from cl3d.data import Dataset
from cl3d.distill import Networks, SyntheticSet
from cl3d.distill.checkpoint import State
from cl3d.distill.initial import save_initial
from cl3d.progress import Progress, silent

PHASES = 2
"""Of a step: learning, which is condensing and training in the order of the strategy, and testing."""


@dataclass(frozen=True, eq=False)
class Stepping:
    """The parts of a run at work; :func:`cl3d.continual.run_parts.put_together` does so.

    Attributes:
        dataset: what ``benchmark`` is a stream over.
        benchmark: see :func:`cl3d.continual.benchmark.class_incremental`.
        groups: the classes of each of its steps.
        networks: draws the initial weights.
        strategy: trains, with ``recorder`` among its plugins.
        buffer: the memory that ``strategy`` fills; None where it has none.
        recorder: the scores of the latest test.
        clock: of each step; condensing is timed by whoever puts the parts together.
        resumable: whether a condensation keeps how far it is.
        progress: told of each step's phases.
        keep_initial: whether what each set started from is kept, for pictures.
    """

    dataset: Dataset
    benchmark: Any
    groups: list[list[int]]
    networks: Networks
    strategy: SupervisedTemplate
    buffer: CondensedBuffer | None
    recorder: Recorder[Any]
    clock: Clock
    resumable: bool
    progress: Progress = silent
    keep_initial: bool = False

    def run(self, results: Results, states: RunStates, state: State | None) -> Iterator[Step]:
        """Runs the steps that are left, and adds each to ``results`` when its state is kept.

        Args:
            results: of the steps that are finished.
            states: where states are kept, and the memory's files.
            state: what the last of these steps left; None to begin with the first.
        """
        provenance = {key: results.settings[key] for key in PROVENANCE}
        files, done = MemoryFiles(states.memory), len(results.steps)
        if self.buffer is not None and self.keep_initial:
            self.buffer.on_condensed = partial(_keep_initial, states.folder)
        if state is not None:
            self._restore(state, files, results.steps[-1])
        for step, experience in enumerate(self.benchmark.train_stream[done:], done):
            self.clock.reset()
            if self.buffer is not None and self.resumable:
                self.buffer.checkpoint = states.condensing_file(step)
            with self.progress(f"step {step + 1}", PHASES) as advance:
                with self.clock("train"):
                    self.strategy.train(experience, eval_streams=[])
                names = [] if self.buffer is None else files.write(self.buffer.sets, step, provenance)
                advance("testing")
                with self.clock("test"):
                    untrained, ahead = self._untrained(step), self._ahead(step)
                    self.strategy.eval(self.benchmark.test_stream[: step + 1])
                advance()
            results.steps.append(self._result(step, untrained, ahead, names))
            states.write(results.steps, self.strategy)
            yield results.steps[-1]

    def _restore(self, state: State, files: MemoryFiles, last: Step) -> None:
        restore(self.strategy, state)
        if self.buffer is not None:
            self.buffer.restore(files.read(last.memory_files))

    def _untrained(self, step: int) -> Any:
        """The score on a step's test clouds before any training; its classes alone stand to choice."""
        return self.recorder.untrained(
            self.networks.draw("step", 0), self.dataset.test.of_classes(self.groups[step])
        )

    def _ahead(self, step: int) -> Any:
        """The score on the next step's test clouds, its classes alone standing to choice; None at the end."""
        if step + 1 == len(self.groups):
            return None
        self.strategy.eval(self.benchmark.test_stream[step + 1 : step + 2])
        return self.recorder.ahead()

    def _result(self, step: int, untrained: Any, ahead: Any, names: list[str]) -> Step:
        """The step's result, once all classes seen so far have been tested."""
        sets = [] if self.buffer is None else self.buffer.sets
        return self.recorder.result(
            self.groups,
            ahead,
            untrained,
            step=step,
            classes=tuple(self.groups[step]),
            memory_bytes=0 if self.buffer is None else self.buffer.nbytes,
            memory_clouds=sum(len(synthetic) for synthetic in sets),
            memory_files=tuple(names),
            condensing=sets[-1].info if sets else {},
            seconds=self.clock.seconds(),
            peak_bytes=self.clock.peak_bytes(),
        )


def _keep_initial(folder: Path, step: int, synthetic: SyntheticSet) -> None:
    if synthetic.initial is not None:
        save_initial(synthetic.initial, initial_file(folder, step))
