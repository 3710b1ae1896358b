"""The contract that every condenser keeps."""

from __future__ import annotations

import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch

from cl3d.clouds import PointClouds
from cl3d.distill import Budget, Condenser, Training, load, save
from cl3d.distill.networks import BuildModel, trial
from cl3d.distill.synthetic import SyntheticSet
from cl3d.models import SegmentationNet
from cl3d.random import generator


def small(condenser: Condenser, iterations: int = 2, num_points: int = 5) -> Condenser:
    """The same composition for tiny clouds and in a moment: few iterations, few points, short trainings.

    Args:
        num_points: of coarse clouds, and of the real ones that they are compared with.
    """
    changes: dict[str, Any] = {"iterations": min(condenser.iterations, iterations)}
    if condenser.real_points is not None:
        changes["real_points"] = num_points
    tiny = {"num_points": num_points, "anchors": 2, "blends": 2, "width": 5, "fit_iterations": 1, "span": 1}
    for name in ("initializer", "parameterization", "surrogates"):
        changes[name] = _smaller(getattr(condenser, name), tiny)
    return replace(condenser, **changes)


def _smaller(part: Any, tiny: dict[str, int]) -> Any:
    """A part whose numbers among ``tiny``, where they are set, are those; and which trains for one epoch."""
    changes: dict[str, Any] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name in tiny and value is not None and value:
            changes[field.name] = tiny[field.name]
        if isinstance(value, Training):
            changes[field.name] = replace(value, epochs=1)
    return replace(part, **changes)


def check_condenser(
    condenser: Condenser, model: BuildModel, *, draws: bool = True, every_class: bool = True
) -> None:
    """Runs all checks below on a small made-up data set; raises AssertionError where one fails.

    Give a condenser with few iterations and a small network.

    Args:
        model: one that segments, its ``num_parts`` (9 at least) bound, has the parts of sets checked, too.
        draws: False for a method whose set follows from the data, whatever the seed.
        every_class: False for a method that may leave a class out.
    """
    clouds = blobs()
    check_budget(condenser, model, clouds, every_class)
    check_same_seed_same_bytes(condenser, model, clouds, draws)
    check_global_state_untouched(condenser, model, clouds)
    check_input_untouched(condenser, model, clouds)
    check_parts(condenser, model, clouds)
    check_round_trip(condenser(clouds, budget=Budget(ppc=2), model=model))
    check_shrink(condenser(clouds, budget=Budget(ppc=3), model=model), 12 * clouds.num_points)
    if every_class:
        check_size(condenser, model, clouds)
    check_differentiable(condenser(clouds, budget=Budget(ppc=2), model=model))


def blobs(num_points: int = 13, per_class: int = 5, labels: tuple[int, ...] = (2, 5, 11)) -> PointClouds:
    """Clouds of three classes (not numbered 0, 1, 2) that differ in their proportions, interleaved.

    The parts of class i are 3 i to 3 i + 2: points below, in and above the middle, in other shares each.
    """
    order = torch.tensor(labels).repeat(per_class)
    points = torch.randn(len(order), num_points, 3, generator=generator(0, "blobs"))
    stretch = 0.2 + torch.rand(len(labels), 1, 3, generator=generator(1, "blobs"))
    ranks = torch.arange(len(labels)).repeat(per_class).unsqueeze(1)
    parts = 3 * ranks + (points[..., 1] > -0.5).long() + (points[..., 1] > 0.3 * ranks).long()
    return PointClouds(points * stretch.repeat(per_class, 1, 1), order, parts)


def check_budget(
    condenser: Condenser, model: BuildModel, clouds: PointClouds, every_class: bool = True
) -> None:
    """A set never exceeds its budget, however that is written, and has every class."""
    cloud = 12 * clouds.num_points
    for budget, limit in (
        (Budget(ppc=2), 2 * cloud * len(clouds.classes)),
        (Budget(ratio=0.5), int(0.5 * len(clouds)) * cloud),
        (Budget(nbytes=5 * cloud + 7), 5 * cloud + 7),
        (Budget(total=5 * cloud + 7), 5 * cloud + 7),
    ):
        synthetic = condenser(clouds, budget=budget, model=model)
        assert synthetic.nbytes <= limit, f"{synthetic.nbytes} bytes of {limit} ({budget})"
        stored = sum(t.numel() * t.element_size() for t in synthetic.stored().values())
        assert synthetic.nbytes == stored, "nbytes is not what is stored"
        if every_class:
            assert list(synthetic.clouds_per_class) == clouds.classes, "a class is missing"


def check_same_seed_same_bytes(
    condenser: Condenser, model: BuildModel, clouds: PointClouds, draws: bool = True
) -> None:
    """The seed, and nothing else, decides; another seed gives another set."""
    first, again, other = (
        condenser(clouds, budget=Budget(ppc=2), model=model, seed=seed).decode() for seed in (3, 3, 4)
    )
    assert torch.equal(first.points, again.points), "the same seed gave different clouds"
    assert _same_parts(first, again), "the same seed gave different parts"
    if draws:
        assert not torch.equal(first.points, other.points), "another seed gave the same clouds"


def check_global_state_untouched(condenser: Condenser, model: BuildModel, clouds: PointClouds) -> None:
    """Torch's global generator is left as it was, and does not matter."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = condenser(clouds, budget=Budget(ppc=1), model=model)
    assert torch.equal(before, torch.get_rng_state()), "the global generator has moved"
    torch.manual_seed(2)
    second = condenser(clouds, budget=Budget(ppc=1), model=model)
    assert torch.equal(first.decode().points, second.decode().points), "the global generator matters"


def check_input_untouched(condenser: Condenser, model: BuildModel, clouds: PointClouds) -> None:
    """The real clouds are not changed."""
    before = {name: tensor.clone() for name, tensor in vars(clouds).items() if tensor is not None}
    condenser(clouds, budget=Budget(ppc=1), model=model)
    for name, tensor in before.items():
        assert torch.equal(tensor, getattr(clouds, name)), f"the real {name} have changed"


def check_parts(condenser: Condenser, model: BuildModel, clouds: PointClouds) -> None:
    """Where networks segment, points have parts of their class and keep them; elsewhere they have none."""
    synthetic = condenser(clouds, budget=Budget(ppc=3), model=model)
    decoded = synthetic.decode()
    if not isinstance(trial(model), SegmentationNet):
        assert decoded.parts is None, "parts of clouds that are only to be classified"
        return
    assert decoded.parts is not None, "points have lost their parts"
    assert clouds.parts is not None
    for shown in (decoded, synthetic.decode(generator(7, "parts"), decoded.num_points - 1)):
        for label in shown.classes:
            real, own = clouds.of_class(label).parts, shown.of_class(label).parts
            assert real is not None
            assert own is not None
            assert bool(torch.isin(own, real).all()), f"class {label} has parts of another"
    fewer = synthetic.decode(num_points=decoded.num_points - 1)
    assert fewer.parts is not None
    same = (fewer.points.unsqueeze(2) == decoded.points.unsqueeze(1)).all(dim=3)
    moved = same & (fewer.parts.unsqueeze(2) != decoded.parts.unsqueeze(1))
    assert not bool(moved.any()), "a point that is decoded alone has another part"
    kept = synthetic.prune(1).decode()
    assert kept.parts is not None, "a pruned set has lost its parts"


def check_round_trip(synthetic: SyntheticSet) -> None:
    """Saved and loaded, a set decodes to the same clouds, and saving is deterministic."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "a.safetensors", Path(folder) / "b.safetensors"
        save(synthetic, first)
        loaded = load(first, kinds=[type(synthetic)])
        save(loaded, second)
        assert first.read_bytes() == second.read_bytes(), "saving what was loaded gives other bytes"
    before, after = synthetic.decode(), loaded.decode()
    assert torch.equal(before.points, after.points), "the points differ after loading"
    assert torch.equal(before.labels, after.labels), "the labels differ after loading"
    assert _same_parts(before, after), "the parts differ after loading"
    assert loaded.nbytes == synthetic.nbytes, "the bytes differ after loading"


def _same_parts(one: PointClouds, other: PointClouds) -> bool:
    if one.parts is None or other.parts is None:
        return one.parts is other.parts
    return torch.equal(one.parts, other.parts)


def check_shrink(synthetic: SyntheticSet, cloud: int) -> None:
    """A set shrinks into ever smaller shares, keeps every class, and is not changed itself."""
    before = {name: tensor.clone() for name, tensor in synthetic.stored().items()}
    smaller = synthetic
    for clouds in (2, 1):
        shares = dict.fromkeys(synthetic.clouds_per_class, clouds * cloud)
        smaller = smaller.shrink(shares, seed=1)
        assert smaller.nbytes <= sum(shares.values()), f"{smaller.nbytes} bytes of {sum(shares.values())}"
        assert list(smaller.clouds_per_class) == list(synthetic.clouds_per_class), "a class is missing"
        assert smaller.shrink(shares, seed=2) is smaller, "a set that fits was changed"
        assert bool(torch.isfinite(smaller.decode().points).all()), "shrunk points are not finite"
        check_round_trip(smaller)
    assert all(torch.equal(before[name], t) for name, t in synthetic.stored().items()), (
        "shrinking changed the set itself"
    )


def check_size(condenser: Condenser, model: BuildModel, clouds: PointClouds) -> None:
    """What a set will hold, and without parts what shrinking leaves of it, is known before it is made."""
    parts, there = isinstance(trial(model), SegmentationNet), clouds.clouds_of_each_class()
    counted, budget = dict(zip(clouds.classes, there, strict=True)), Budget(ppc=3)
    size = condenser.size(counted, clouds.num_points, budget, parts=parts)
    synthetic = condenser(clouds, budget=budget, model=model)
    for each in (3,) if parts else (3, 2, 1):
        shares = dict.fromkeys(clouds.classes, each * 12 * clouds.num_points)
        synthetic, size = synthetic.shrink(shares, seed=1), size.shrunk(shares)
        assert len(synthetic) == size.clouds, f"{len(synthetic)} clouds, but {size.clouds} are planned"


def check_differentiable(synthetic: SyntheticSet) -> None:
    """Decoded points lead back to every parameter, and nowhere to NaN; labels are in class order."""
    decoded = synthetic.decode()
    decoded.points.square().sum().backward()
    for name, parameter in synthetic.named_parameters():
        assert parameter.grad is not None, f"{name} has no gradient"
        assert bool(torch.isfinite(parameter.grad).all()), f"{name} has gradients that are not finite"
    assert torch.equal(decoded.labels, decoded.labels.sort().values), "clouds are not in class order"
