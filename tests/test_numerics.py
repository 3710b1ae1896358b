"""Precision and determinism: float32 unless asked, put back afterwards, and telling results apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
import torch
from omegaconf import OmegaConf

from cl3d.clouds import PointClouds
from cl3d.config_paths import CONFIGS
from cl3d.continual import ContinualRun
from cl3d.continual.bounds import Naive
from cl3d.continual.strategies import Rehearse, Scratch
from cl3d.data import shapes40
from cl3d.distill import Budget, evaluate, presets
from cl3d.distill.kept import Kept
from cl3d.distill.networks import Networks
from cl3d.distill.objectives import DistributionMatching, GradientMatching
from cl3d.distill.training import Training
from cl3d.distill.views import mean_loss
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.numerics import check_precision, computed_on, numerics
from cl3d.progress import Advance
from cl3d.random import generator, isolated
from cl3d.settings import build, computing

CPU = torch.device("cpu")
SMALL = partial(PointNet, channels=(5, 11), head=(7,))
MODELS = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))


def clouds(n: int, p: int, seed: int) -> PointClouds:
    draws = generator(seed, "numerics")
    points, parts = torch.randn(n, p, 3, generator=draws), torch.randint(0, 3, (n, p), generator=draws)
    return PointClouds(points, torch.arange(n) % 3, parts)


def flags() -> tuple[bool, ...]:
    cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    return cuda.allow_tf32, cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("deterministic", [False, True])
def test_flags_are_set_and_put_back(precision, deterministic):
    before = flags()
    with numerics(precision, deterministic):
        assert flags() == (precision == "tf32", precision == "tf32", deterministic)
    assert flags() == before
    with pytest.raises(ZeroDivisionError), numerics(precision, deterministic):
        raise ZeroDivisionError
    assert flags() == before
    assert computed_on(CPU) == "cpu"


def test_a_warning_that_was_asked_for_instead_of_an_error_is_put_back():
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with numerics(deterministic=True):
            assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def test_the_device_is_named_with_the_precision():
    with numerics("bfloat16"):
        assert computed_on(CPU) == "cpu, bfloat16"
        with numerics("float32"):
            assert computed_on(CPU) == "cpu"
        assert computed_on(CPU) == "cpu, bfloat16"


@pytest.mark.parametrize("name", MODELS)
def test_bfloat16_goes_through_every_model(name):
    """Losses and gradients are float32, finite and near; those of float32 are what they were."""
    told = {"num_parts": 3} if name.endswith("_segmentation") else {}
    with isolated(0, "numerics"):
        net = build(OmegaConf.load(CONFIGS / "model" / f"{name}.yaml"))(3, **told).eval()
    data, found = clouds(3, 37, 0), []
    for precision in ("float32", "bfloat16", "float32"):
        leaf = data.points.clone().requires_grad_()
        with numerics(precision):
            loss = mean_loss(net, data.with_points(leaf))
        (gradient,) = torch.autograd.grad(loss, leaf)
        assert loss.dtype == gradient.dtype == torch.float32
        assert torch.isfinite(gradient).all()
        found.append((loss.detach(), gradient))
    exact, rounded, again = found
    assert torch.equal(exact[1], again[1])
    assert not torch.equal(exact[1], rounded[1])
    torch.testing.assert_close(rounded[0], exact[0], rtol=0.05, atol=0)


@pytest.mark.parametrize("objective", [DistributionMatching(), GradientMatching()], ids=repr)
@pytest.mark.parametrize("norm", ["batch", "instance", "group", "none"])
def test_objectives_differentiate_twice_under_bfloat16(objective, norm):
    channels = (8, 16) if norm == "group" else (5, 11)
    with isolated(0, "numerics"):
        net = PointNet(3, channels=channels, head=(), norm=norm).eval()
    real, synthetic = clouds(5, 37, 1).without_parts(), clouds(2, 23, 2).without_parts()
    losses = []
    for precision in ("float32", "bfloat16"):
        leaf = synthetic.points.clone().requires_grad_()
        with numerics(precision):
            loss = objective(net, real, synthetic.with_points(leaf))
            (gradient,) = torch.autograd.grad(loss, leaf)
        assert torch.isfinite(gradient).all()
        assert gradient.any()
        losses.append(float(loss.detach()))
    assert losses[1] == pytest.approx(losses[0], rel=0.35)  # networks this narrow average little
    assert losses[1] != losses[0]


def test_condensing_and_evaluating_under_bfloat16():
    data = clouds(12, 23, 3).without_parts()
    given = {"model": SMALL, "device": "cpu"}
    with numerics("bfloat16"):
        rounded = presets.dc(iterations=2)(data, budget=Budget(ppc=1), **given)
        worth = evaluate(rounded, data, training=Training(epochs=2), runs=1, **given)
    exact = presets.dc(iterations=2)(data, budget=Budget(ppc=1), **given)
    assert not torch.equal(rounded.decode().points, exact.decode().points)
    torch.testing.assert_close(rounded.decode().points, exact.decode().points, rtol=0, atol=0.05)
    assert 0 <= worth.mean <= 1


def test_checkpoints_and_kept_networks_of_another_precision_are_not_taken(tmp_path):
    data, networks = clouds(6, 11, 4).without_parts(), Networks(SMALL, 3, CPU, 0)

    def kept() -> Kept:
        return Kept(tmp_path, "net", data, networks, Training(epochs=1), 0)

    kept().write({"weight": torch.ones(2)})
    assert kept().read() is not None
    with numerics("bfloat16"):
        assert kept().read() is None


def test_wrong_settings_are_one_sentence():
    with pytest.raises(InputError, match=r"precision=half is unknown: give one of float32, tf32, bfloat16"):
        numerics("half").__enter__()
    with pytest.raises(InputError, match="precision=tf32 is what CUDA devices have: give device=cuda"):
        check_precision("tf32", CPU)
    config = {"device": "cpu", "precision": "tf32", "deterministic": False}
    with pytest.raises(InputError, match="CUDA devices"), computing(OmegaConf.create(config)):
        raise AssertionError("the task was begun")
    with pytest.raises(InputError, match="deterministic=yes: give true or false"):
        computing(OmegaConf.create(config | {"deterministic": "yes"})).__enter__()


def test_too_little_memory_is_told_in_one_sentence():
    told = "CUDA out of memory. Tried to allocate 9.00 GiB. GPU 0 has a total capacity of 8.00 GiB."
    config = OmegaConf.create({"device": "cpu", "precision": "float32", "deterministic": False})
    lacking = r"\(CUDA out of memory\. Tried to allocate 9\.00 GiB\): give smaller batches"
    with pytest.raises(InputError, match=lacking), computing(config):
        raise torch.OutOfMemoryError(told)


@pytest.mark.parametrize("strategy", [Scratch, Rehearse, Naive])
def test_streams_learn_in_the_precision_asked_for(strategy, tmp_path):
    data = shapes40(num_points=16, num_classes=4, train_per_class=8, test_per_class=2)
    given = {"dataset": data, "model": SMALL, "strategy": strategy(training=Training(epochs=2)), "steps": 2}
    losses: dict[str, list[float]] = {"float32": [], "bfloat16": []}

    @contextmanager
    def heard(description: str, total: int, done: int = 0, each: str = "") -> Iterator[Advance]:
        yield lambda note="", **figures: losses[precision].append(figures.get("loss", 0.0))

    for precision, device in (("float32", "cpu"), ("bfloat16", "cpu, bfloat16")):
        with numerics(precision):
            run = ContinualRun(**given, condenser=presets.random(), budget=Budget(ppc=3))
            assert run.start(tmp_path / precision, progress=heard).settings["device"] == device
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.1)
    assert losses["bfloat16"] != losses["float32"]
