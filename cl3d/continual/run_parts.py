"""The parts that a run is made of, built from what defines it and put together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from cl3d.continual.benchmark import class_incremental, parted
from cl3d.continual.buffer import Condense, CondensedBuffer
from cl3d.continual.clock import Clock
from cl3d.continual.joint_condensed import JointCondensed
from cl3d.continual.nearest_mean import NearestMeanEvaluation
from cl3d.continual.part_recorder import PartRecorder
from cl3d.continual.recalled import Recalled
from cl3d.continual.recorder import AccuracyRecorder, Recorder
from cl3d.continual.reservoir import ReservoirBuffer
from cl3d.continual.stepping import Stepping
from cl3d.distill import Networks, Reservoir
from cl3d.distill.networks import model_name
from cl3d.errors import InputError
from cl3d.peak_memory import PeakMemory
from cl3d.progress import Progress
from cl3d.random import fold

if TYPE_CHECKING:
    from cl3d.continual.run import ContinualRun


def put_together(run: ContinualRun, progress: Progress, keep_initial: bool) -> Stepping:
    """The run at work.

    Args:
        progress: told of training and condensing.
        keep_initial: whether what each set started from is kept, for pictures.
    """
    clock, sizes = Clock(PeakMemory(run.device)), run.classes_per_step
    buffer = buffer_of(run, progress, clock)
    networks = Networks(run.model, run.dataset.num_classes, run.device, fold(run.seed, "networks"))
    strategy = run.strategy.build(networks, buffer, fold(run.seed, "strategy"), progress)
    recorder = _recorder(run)
    if buffer is not None and run.classifier == "nearest_mean":
        strategy.plugins.append(NearestMeanEvaluation(buffer))
    strategy.plugins.append(recorder)
    return Stepping(
        dataset=run.dataset,
        benchmark=class_incremental(run.dataset, len(sizes), run.order, parts=run.segments),
        groups=parted(run.order, sizes),
        networks=networks,
        strategy=strategy,
        buffer=buffer,
        recorder=recorder,
        clock=clock,
        resumable=run.resumable,
        progress=progress,
        keep_initial=keep_initial,
    )


def buffer_of(run: ContinualRun, progress: Progress, clock: Clock) -> CondensedBuffer | None:
    """The memory, still empty, its condensing timed; None for strategies without one."""
    if not run.strategy.needs_buffer or run.condenser is None:
        return None
    settings: dict[str, Any] = {
        "total_classes": run.dataset.num_classes,
        "seed": fold(run.seed, "buffer"),
        "device": run.device,
        "progress": progress,
    }
    if isinstance(run.condenser, Reservoir):
        buffer: CondensedBuffer = ReservoirBuffer(run.condenser, run.budget, run.model, **settings)
    else:
        condense = condense_of(run, partial(clock.count, "condense"))
        buffer = CondensedBuffer(condense, run.budget, run.model, **settings)
    buffer.post_adapt = clock.timed("condense", buffer.post_adapt)  # type: ignore[method-assign]
    return buffer


def condense_of(
    run: ContinualRun, count: Callable[[float, int], None] = lambda seconds, nbytes: None
) -> Condense:
    """What a step's memory is made with.

    Args:
        count: told the seconds and the peak memory of sets that another run has condensed.

    Raises:
        InputError: if all classes are to be condensed together, and what comes out cannot be parted; or the
            run that has condensed the memory has none that fits, or its model has no name to tell it by.
    """
    assert run.condenser is not None
    if run.memory_of is not None:
        if not run.resumable:
            raise InputError(
                f"memory_of={run.memory_of}: a model without a name ({model_name(run.model)}) may be another "
                "there: give a function or a class that has one"
            )
        return Recalled(run.memory_of, run.settings(), run.condenser, count)
    if not run.joint_condensed:
        return run.condenser
    seed = fold(run.seed, "buffer", "condense jointly")
    return JointCondensed(run.condenser, run.dataset.train, run.budget, seed)


def _recorder(run: ContinualRun) -> Recorder[Any]:
    if run.segments:
        return PartRecorder(run.dataset.class_parts)
    return AccuracyRecorder(parted(run.order, run.classes_per_task))
