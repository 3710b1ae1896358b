"""States of a run: after each step, all that the next one needs, so that a killed run goes on."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from avalanche.training.templates import SupervisedTemplate
from torch import Tensor

from cl3d.atomic import remove
from cl3d.continual.memory_files import MEMORY
from cl3d.continual.results import Results, kind_of
from cl3d.continual.steps import Step
from cl3d.distill.checkpoint import (
    Checkpoint,
    Damaged,
    State,
    optimizer_tensors,
    read_checkpoint,
    restore_optimizer,
)
from cl3d.errors import Note

KEPT = 2
"""States that are kept: the newest, and the one before it in case that is damaged."""

COUNTERS = ("train_iterations", "train_exp_counter", "total_iterations")
"""What Avalanche's clock counts over a whole stream; draws are keyed by it."""


class RunStates:
    """The states in a run's folder.

    Args:
        folder: of the run.
        made_from: the run's settings: a state of other settings is refused.
    """

    def __init__(self, folder: Path, made_from: dict[str, Any]) -> None:
        self.folder, self.made_from = folder, made_from

    @property
    def memory(self) -> Path:
        """Where the sets of the memory are kept."""
        return self.folder / MEMORY

    def condensing_file(self, step: int) -> Path:
        """Where ``step`` keeps how far its condensation is."""
        return self.folder / "state" / f"condensing_{step + 1:02d}.safetensors"

    def write(self, steps: Sequence[Step], strategy: SupervisedTemplate) -> None:
        """Keeps what the finished ``steps`` left, and forgets older states.

        Raises:
            InputError: if it cannot be written.
        """
        digests = {name: _digest(self.memory / name) for name in steps[-1].memory_files}
        facts = {
            "steps": [asdict(step) for step in steps],
            "memory": digests,
            "counters": {name: getattr(strategy.clock, name) for name in COUNTERS},
        }
        tensors = {f"net.{name}": t for name, t in strategy.model.state_dict().items()}
        tensors |= {f"optimizer.{name}": t for name, t in optimizer_tensors(strategy.optimizer).items()}
        self._checkpoint(len(steps)).write(State(tensors, facts))
        remove(self.condensing_file(len(steps) - 1))
        for old in range(1, len(steps) - KEPT + 1):
            remove(self._path(old))

    def read(self) -> State | None:
        """The newest state that is whole, and whose memory is; None where there is none.

        Raises:
            InputError: if it belongs to a run of other settings.
        """
        for path in _newest_first(self.folder / "state"):
            try:
                state = Checkpoint(path, self.made_from).read()
                assert state is not None
                self._check_memory(state)
            except Damaged as error:
                warnings.warn(
                    f"{error}; going on from the state before it, or from the beginning", Note, stacklevel=2
                )
                continue
            return state
        return None

    def _check_memory(self, state: State) -> None:
        for name, digest in state.facts["memory"].items():
            if _digest(self.memory / name) != digest:
                raise Damaged(f"{self.memory / name} is not what its step left")

    def _checkpoint(self, steps: int) -> Checkpoint:
        return Checkpoint(self._path(steps), self.made_from)

    def _path(self, steps: int) -> Path:
        return self.folder / "state" / f"step_{steps:02d}.safetensors"


def left_results(folder: Path) -> Results | None:
    """The results of an unfinished run's newest state that is whole; None where there is none."""
    for path in _newest_first(folder / "state"):
        try:
            made_from, state = read_checkpoint(path)
        except Damaged:
            continue
        settings = {name: value for name, value in made_from.items() if name != "cl3d_version"}
        return Results(settings, finished_steps(state, settings), "interrupted")
    return None


def finished_steps(state: State, settings: Mapping[str, Any]) -> list[Step]:
    """The steps that lie behind a state of a run with these settings."""
    return [kind_of(settings).of_facts(facts) for facts in state.facts["steps"]]


def restore(strategy: SupervisedTemplate, state: State) -> None:
    """Puts a strategy where it was after the state's last step."""
    groups: dict[str, dict[str, Tensor]] = {"net": {}, "optimizer": {}}
    for key, tensor in state.tensors.items():
        group, _, name = key.partition(".")
        groups[group][name] = tensor
    strategy.model.load_state_dict(groups["net"])
    strategy.make_optimizer()  # Avalanche resets an optimizer when it first meets it: let that be now
    restore_optimizer(strategy.optimizer, groups["optimizer"])
    for name, count in state.facts["counters"].items():
        setattr(strategy.clock, name, count)


def _newest_first(folder: Path) -> list[Path]:
    """The states; not what else lies there, such as a copy that somebody made."""
    numbers = {path: path.stem.removeprefix("step_") for path in folder.glob("step_*.safetensors")}
    states = [path for path, number in numbers.items() if number.isdecimal()]
    return sorted(states, key=lambda path: int(numbers[path]), reverse=True)


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
