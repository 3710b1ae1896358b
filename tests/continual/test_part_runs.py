"""Whole runs of part segmentation: figures, memories, breaks, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from killed import Killed, killed_at
from safetensors.torch import load_file
from tiny_parts import CLASSES, GROUPS, ORDER, STEPS, a_net, model_for

from cl3d.continual import (
    ContinualRun,
    Cumulative,
    Joint,
    Naive,
    Online,
    PartStepResult,
    Rehearse,
    Scratch,
    templates,
)
from cl3d.continual.clock import Clock
from cl3d.continual.estimate import expected_seconds, training_passes
from cl3d.continual.metrics import backward_transfer, forgetting_max_minus_last, forward_transfer
from cl3d.continual.run_parts import buffer_of, condense_of
from cl3d.continual.segmenting import batch_of
from cl3d.data import Dataset
from cl3d.distill import Augmentation, Budget, PointMixup, Training, checkpoint, load, presets, save
from cl3d.distill.parameterizations import generated
from cl3d.distill.part_evaluation import PartTest
from cl3d.errors import InputError
from cl3d.peak_memory import PeakMemory
from cl3d.progress import silent
from cl3d.random import generator
from cl3d.testing.condensers import small

pytestmark = pytest.mark.filterwarnings("ignore:class .* clouds, .* are asked for")

QUICK = Training(epochs=1, batch_size=8)
MEMORY = {"scratch": Scratch(QUICK), "rehearse": Rehearse(QUICK, 4), "online": Online(QUICK, 4)}
BOUNDS = {"naive": Naive(QUICK), "cumulative": Cumulative(QUICK), "joint": Joint(QUICK)}
TOTAL = Budget(total=CLASSES * 2 * 48 * 12)


def tiny_run(data, strategy="scratch", preset="random", **changes) -> ContinualRun:
    condenser = small(getattr(presets, preset)())
    settings = {"budget": Budget(ppc=2), "steps": STEPS, "given_order": ORDER} | changes
    return ContinualRun(data, model_for(data), (MEMORY | BOUNDS)[strategy], condenser, **settings)


def outcome(folder: Path) -> dict[str, bytes]:
    files = [folder / "results.json", *folder.glob("*_matrix.csv"), *(folder / "memory").glob("step_*")]
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.parametrize("strategy", [*MEMORY, *BOUNDS])
def test_every_protocol_and_bound_learns_parts(shapes, tmp_path, strategy):
    results = tiny_run(shapes, strategy).start(tmp_path)
    told = results.to_dict()
    steps = 1 if strategy == "joint" else STEPS
    assert all(isinstance(step, PartStepResult) for step in results.steps)
    assert told["settings"]["task"] == "part_segmentation"
    assert told["settings"]["part_names"] == list(shapes.part_names)
    assert not [key for key in told if key.startswith("task_incremental")]
    for figure, head in (("instance_miou", ""), ("class_miou", "class_miou_"), ("accuracy", "accuracy_")):
        matrix, values = told[f"{figure}_matrix"], told[f"{figure}_per_step"]
        assert [sum(v is not None for v in row) for row in matrix] == list(range(1, steps + 1))
        assert told[f"final_{figure}"] == values[-1]
        assert told[f"average_{figure}"] == pytest.approx(sum(values) / steps)
        ahead, untrained = told[f"next_step_{figure}_per_step"], told[f"untrained_{figure}_per_step"]
        assert ahead[-1] is None
        assert None not in ahead[:-1]
        assert told[f"{head}forgetting"]["max_minus_last"] == forgetting_max_minus_last(matrix)
        assert told[f"{head}backward_transfer"] == backward_transfer(matrix)
        assert told[f"{head}forward_transfer"] == forward_transfer(ahead, untrained)
    last = told["class_iou_per_step"][-1]
    assert sorted(last) == list(range(CLASSES))
    assert told["final_class_miou"] == pytest.approx(sum(last.values()) / CLASSES)
    assert told["seen_parts_instance_miou_per_step"][-1] <= told["final_instance_miou"] + 1e-9
    header = (tmp_path / "instance_miou_matrix.csv").read_text().splitlines()[0]
    assert header.count("classes_of_step") == steps
    assert not (tmp_path / "accuracy_matrix.csv").exists()


def test_figures_of_a_step_are_those_of_its_network(shapes, tmp_path):
    """The network that a run leaves, tested alone."""
    results = tiny_run(shapes, "joint").start(tmp_path)
    net = a_net(shapes)
    (state,) = (tmp_path / "state").glob("step_*")
    found = {n.removeprefix("net."): t for n, t in load_file(state).items() if n.startswith("net.")}
    net.load_state_dict(found)
    expected = PartTest(shapes.test, shapes.class_parts)(net)
    step = results.steps[0]
    assert step.instance_miou.value == step.headline == pytest.approx(expected.instance_miou)
    assert step.accuracy.value == pytest.approx(expected.accuracy)
    assert step.class_iou == pytest.approx(expected.per_class)


@pytest.mark.parametrize(
    ("preset", "budget"),
    [(name, Budget(ppc=2)) for name in ("random", "herding", "dc", "dd3d", "morphing")]
    + [(name, TOTAL) for name in ("random", "dd3d", "morphing")],
)
def test_memories_keep_parts(shapes, tmp_path, monkeypatch, preset, budget):
    monkeypatch.setattr(generated, "REFIT_ITERATIONS", 2)
    results = tiny_run(shapes, "scratch", preset, budget=budget).start(tmp_path)
    step, seen = results.steps[-1], []
    assert step.memory_bytes <= CLASSES * 2 * 48 * 12
    for name in step.memory_files:
        clouds = load(tmp_path / "memory" / name).decode()
        assert clouds.parts is not None
        for label in clouds.classes:
            of_class = clouds.of_class(label).parts.unique().tolist()
            assert set(of_class) <= set(shapes.class_parts[label]), "parts are those of the shape's class"
        seen += clouds.classes
    assert sorted(seen) == list(range(CLASSES))


def poisoned(data: Dataset, kept: list[int]) -> Dataset:
    """Points of all other training shapes and of all test shapes are noise, with any parts of their class."""

    def noise(clouds, labels):
        draws, points, parts = generator(0, "poison"), clouds.points.clone(), clouds.parts.clone()
        for row, label in enumerate(clouds.labels.tolist()):
            if label in labels:
                own = torch.tensor(data.class_parts[label])
                points[row] = torch.randn(points[row].shape, generator=draws)
                parts[row] = own[torch.randint(len(own), parts[row].shape, generator=draws)]
        return replace(clouds, points=points, parts=parts)

    others = set(range(CLASSES)) - set(kept)
    return replace(data, train=noise(data.train, others), test=noise(data.test, set(range(CLASSES))))


@pytest.mark.parametrize("preset", ["herding", "dc", "dd3d"])
def test_what_a_step_leaves_hangs_on_its_own_shapes_alone(shapes, tmp_path, preset):
    step, files = 1, []
    for name, data in (("clean", shapes), ("poisoned", poisoned(shapes, GROUPS[1]))):
        run = tiny_run(data, "scratch", preset)
        buffer = buffer_of(run, silent, Clock(PeakMemory(run.device)))
        buffer.add(data.train.of_classes(GROUPS[0]), 0)
        buffer.add(data.train.of_classes(GROUPS[step]), step)
        for place, synthetic in enumerate(buffer.sets):
            save(synthetic, tmp_path / name / f"{place}.safetensors")
        files.append([(tmp_path / name / f"{place}.safetensors").read_bytes() for place in range(2)])
    assert files[0][step] == files[1][step]
    assert files[0][0] != files[1][0], "poison works"


@pytest.mark.parametrize("preset", ["herding", "morphing"])
def test_the_leaking_control_hands_parts_on(shapes, tmp_path, preset):
    run = tiny_run(shapes, "scratch", preset, joint_condensed=True, budget=Budget(ppc=2))
    results = run.start(tmp_path)
    whole = small(getattr(presets, preset)())(
        shapes.train, budget=Budget(ppc=2), model=model_for(shapes), seed=condense_of(run).seed
    )
    for name, group in zip(results.steps[-1].memory_files, GROUPS, strict=True):
        part, expected = load(tmp_path / "memory" / name).decode(), whole.decode().of_classes(group)
        assert torch.equal(part.parts, expected.parts)
        assert torch.equal(part.points, expected.points)


@pytest.mark.parametrize(("strategy", "count"), [("scratch", 5), ("rehearse", 12)])
def test_killed_runs_go_on_to_the_same_bytes(shapes, tmp_path, monkeypatch, strategy, count):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", 0.0)
    tiny_run(shapes, strategy, "dc").start(tmp_path / "whole")
    with pytest.raises(Killed):
        tiny_run(shapes, strategy, "dc").start(tmp_path / "killed", killed_at(count))
    tiny_run(shapes, strategy, "dc").start(tmp_path / "killed")
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "whole")
    assert any(name.startswith("step_") for name in outcome(tmp_path / "whole"))


def test_a_run_of_other_part_labels_is_not_gone_on_with(shapes, tmp_path):
    tiny_run(shapes).start(tmp_path)
    other = replace(shapes, part_names=tuple(f"{name} again" for name in shapes.part_names))
    assert other.fingerprint() == shapes.fingerprint()
    with pytest.raises(InputError):
        tiny_run(other).start(tmp_path)


def test_augmentation_that_drops_points_takes_their_parts_along(shapes, monkeypatch, tmp_path):
    changed, batches = [], []

    def watched(strategy):
        shapes = batch_of(strategy)
        batches.append(shapes)
        return shapes

    class Watched(Augmentation):
        def of(self, clouds, generator):
            augmented = super().of(clouds, generator)
            changed.append((clouds, augmented))
            return augmented

    monkeypatch.setattr(templates, "batch_of", watched)
    training = replace(QUICK, augmentation=Watched(jitter=0.0, angle=0.0, scale=(1, 1), dropout=0.9))
    run = tiny_run(shapes, "rehearse")
    replace(run, strategy=Rehearse(training, 4)).start(tmp_path)
    assert batches
    assert len(changed) > len(batches), "those of the memory, too"
    for clouds, augmented in changed:
        where = (augmented.points[:, :, None] == clouds.points[:, None]).all(dim=3)
        first = where.int().argmax(dim=2)
        assert torch.equal(clouds.parts.gather(1, first), augmented.parts)
        assert not torch.equal(clouds.parts, augmented.parts)


def test_forecasts_ask_networks_that_segment(shapes):
    run = tiny_run(shapes, "rehearse", "dc")
    assert training_passes(run) > 0
    assert 0 < expected_seconds(run) < 600


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classifier": "nearest_mean"}, "nearest_mean tells classes"),
        ({"strategy": Scratch(replace(QUICK, mixup=PointMixup()))}, "mixup mixes classes"),
        ({"condenser": presets.mtt()}, "mtt: TrajectoryMatching knows nothing of parts"),
        ({"condenser": presets.shape_model()}, "another parameterization"),
        ({"condenser": presets.reservoir(), "budget": Budget(total=9999)}, "without their parts"),
        ({"condenser": presets.balanced_reservoir(), "budget": Budget(total=9999)}, "without their parts"),
    ],
)
def test_what_cannot_segment_is_refused_before_the_run(shapes, changes, words):
    with pytest.raises(InputError, match=words):
        replace(tiny_run(shapes), **changes)


def test_data_that_cannot_be_learnt_is_refused_before_the_run(shapes):
    wrong = {
        "the train clouds of shapes40: its points have no part labels": replace(
            shapes, train=shapes.train.without_parts()
        ),
        "the test clouds of shapes40: its points have no part labels": replace(
            shapes, test=shapes.test.without_parts()
        ),
        "the train clouds of class 0 have parts": replace(shapes, part_names=("x/y",) * shapes.num_parts),
    }
    for words, dataset in wrong.items():
        with pytest.raises(InputError, match=words):
            tiny_run(dataset)
    with pytest.raises(InputError, match="4 outputs"):
        replace(tiny_run(shapes), model=partial(model_for(shapes), num_parts=4))
    unused = replace(shapes, part_names=(*shapes.part_names, f"{shapes.class_names[1]}/lid"))
    with pytest.raises(InputError, match="class_parts: class 1 has parts"):
        replace(tiny_run(unused), model=model_for(shapes))
    mixed = shapes.train.parts.where(shapes.train.labels.unsqueeze(1) != 0, shapes.class_parts[1][0])
    with pytest.raises(InputError, match="the train clouds of class 0 have parts"):
        tiny_run(replace(shapes, train=replace(shapes.train, parts=mixed)))
