"""Class-incremental learning on Avalanche; the only folder that imports avalanche."""

from cl3d.continual import alone  # noqa: F401 - before all else that imports avalanche
from cl3d.continual.benchmark import class_incremental, class_order, experience_clouds, split_classes
from cl3d.continual.bounds import Cumulative, Joint, Naive
from cl3d.continual.buffer import CondensedBuffer
from cl3d.continual.joint_condensed import JointCondensed
from cl3d.continual.nearest_mean import NearestMeanEvaluation
from cl3d.continual.orders import read_order
from cl3d.continual.part_recorder import PartRecorder
from cl3d.continual.part_steps import PartStepResult
from cl3d.continual.recorder import AccuracyRecorder
from cl3d.continual.replay import CondensedReplay
from cl3d.continual.reservoir import ReservoirBuffer
from cl3d.continual.results import Results, finished
from cl3d.continual.run import ContinualRun
from cl3d.continual.segmenting import SegmentsParts
from cl3d.continual.steps import StepResult
from cl3d.continual.strategies import Online, Rehearse, Scratch, Strategy

__all__ = [
    "AccuracyRecorder",
    "CondensedBuffer",
    "CondensedReplay",
    "ContinualRun",
    "Cumulative",
    "Joint",
    "JointCondensed",
    "Naive",
    "NearestMeanEvaluation",
    "Online",
    "PartRecorder",
    "PartStepResult",
    "Rehearse",
    "ReservoirBuffer",
    "Results",
    "Scratch",
    "SegmentsParts",
    "StepResult",
    "Strategy",
    "class_incremental",
    "class_order",
    "experience_clouds",
    "finished",
    "read_order",
    "split_classes",
]
