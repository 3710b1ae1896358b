"""The training loop, batches, batch statistics."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from cl3d.distill import SGD, Adam, Augmentation, Condenser, Networks, Training, fit, statistics
from cl3d.distill.optimizers import rate_factor, scale_rates
from cl3d.distill.statistics import frozen_statistics, guarded_statistics
from cl3d.distill.training import batches
from cl3d.errors import InputError
from cl3d.models import PointNet
from cl3d.random import generator
from cl3d.testing.condensers import blobs

SMALL = partial(PointNet, channels=(5, 11), head=(7,))
CPU = torch.device("cpu")


def local_blobs(**kwargs):
    clouds = blobs(labels=(0, 1, 2), **kwargs)
    return clouds.with_points(clouds.points)


@pytest.mark.parametrize(("clouds", "batch_size"), [(10, 8), (7, 3), (9, 8), (1, 8), (16, 8), (33, 32)])
def test_batches_are_equally_large_and_cover_everything_once(clouds, batch_size):
    data = local_blobs(per_class=11)[:clouds]
    sizes = [len(batch) for batch in batches([data], batch_size, generator(0))]
    assert sum(sizes) == clouds
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    points = torch.cat([batch.points for batch in batches([data], batch_size, generator(0))])
    assert torch.equal(points.sum(dim=(1, 2)).sort().values, data.points.sum(dim=(1, 2)).sort().values)


def test_clouds_of_different_resolution_never_meet():
    groups = [local_blobs(), local_blobs(num_points=7)]
    seen = [batch.num_points for batch in batches(groups, 4, generator(0))]
    assert sorted(seen) == [7] * 4 + [13] * 4
    net = Networks(SMALL, 3, CPU, 0).draw()
    fit(net, groups, Training(epochs=1, batch_size=4), seed=0)
    assert all(torch.isfinite(p).all() for p in net.parameters())


def test_training_learns_repeats_and_leaves_the_global_generator_alone():
    clouds = local_blobs(per_class=11)
    training = Training(epochs=60, batch_size=8, optimizer=Adam(lr=1e-2), augmentation=Augmentation())
    before = torch.get_rng_state()
    first, second = (Networks(partial(SMALL, dropout=0.1), 3, CPU, 0).draw() for _ in range(2))
    fit(first, clouds, training, seed=5)
    fit(second, clouds, training, seed=5)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert (first(clouds.points).argmax(dim=1) == clouds.labels).float().mean() > 0.8


def test_schedules():
    assert [rate_factor("constant", e, 4) for e in range(4)] == [1, 1, 1, 1]
    assert [rate_factor("half", e, 4) for e in range(4)] == [1, 1, 0.1, 0.1]
    cosine = [rate_factor("cosine", e, 4) for e in range(4)]
    assert cosine == pytest.approx([1, 0.853553, 0.5, 0.146447], abs=1e-6)
    with pytest.raises(InputError, match="constant, half, cosine"):
        Training(schedule="linear")
    with pytest.raises(InputError, match="constant, half, cosine"):
        Condenser(schedule="linear")


def test_scaled_rates_start_from_the_first_one():
    optimizer = SGD(lr=0.5)([torch.zeros(3, requires_grad=True)])
    for factor in (1.0, 0.1, 0.5):
        scale_rates(optimizer, factor)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.5 * factor)


def test_one_step_of_sgd_by_hand():
    clouds = local_blobs()
    net, twin = (Networks(partial(SMALL, norm="none"), 3, CPU, 0).draw() for _ in range(2))
    fit(net, clouds, Training(epochs=1, batch_size=100, optimizer=SGD(lr=0.5)), seed=0)
    nn.functional.cross_entropy(twin(clouds.points), clouds.labels).backward()
    for trained, start in zip(net.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(trained, start - 0.5 * start.grad, atol=1e-6)


@pytest.mark.parametrize("clouds", [1, 2])
def test_tiny_batches_do_not_reach_batch_statistics(clouds):
    net = Networks(SMALL, 3, CPU, 0).draw()
    before = {name: value.clone() for name, value in net.named_buffers()}
    fit(net, local_blobs()[:clouds], Training(epochs=2), seed=0)
    assert all(torch.equal(before[name], value) for name, value in net.named_buffers())


def test_enough_clouds_do():
    net = Networks(SMALL, 3, CPU, 0).draw().train()
    with guarded_statistics(net, 3):
        assert all(m.training for m in net.modules())


def test_frozen_statistics_are_those_of_the_reference_and_are_put_back():
    net = Networks(SMALL, 3, CPU, 0).draw().train()
    net.dropout_probe = nn.Dropout()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    clouds = local_blobs(per_class=11)
    norm = next(m for m in net.modules() if isinstance(m, nn.BatchNorm1d))
    with frozen_statistics(net, clouds):
        assert not net.training
        inside = net(clouds.points)
        assert not torch.equal(
            norm.running_mean, before[next(n for n in before if n.endswith("running_mean"))]
        )
    assert net.training
    assert norm.momentum == 0.1
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    train_mode = net(clouds.points)  # statistics of the same clouds, up to the unbiased variance
    assert torch.allclose(inside, train_mode, atol=0.05)


def test_statistics_of_many_clouds_are_pooled_over_passes(monkeypatch):
    """What the first norm sees does not hang on other norms, so pooling is exact there."""
    net = Networks(SMALL, 3, CPU, 0).draw().double()
    clouds = local_blobs(per_class=40).points.double()
    doubles = local_blobs(per_class=40).with_points(clouds)
    norm = next(m for m in net.modules() if isinstance(m, nn.BatchNorm1d))
    seen = []
    for at_once in (120, 60):
        monkeypatch.setattr(statistics, "CLOUDS_AT_ONCE", at_once)
        with frozen_statistics(net, doubles):
            seen.append((norm.running_mean.clone(), norm.running_var.clone(), net(clouds)))
    (mean, variance, whole), (pooled_mean, pooled_variance, parts) = seen
    assert torch.allclose(mean, pooled_mean, rtol=1e-12)
    assert torch.allclose(variance, pooled_variance, rtol=0.02)  # each pass divides by its own n - 1
    assert not torch.equal(whole, parts)
    assert torch.allclose(whole, parts, atol=0.1)


def test_augmentation_repeats_by_generator_and_stays_within_its_bounds():
    points = local_blobs().points
    augment = Augmentation(scale=(0.8, 1.25), jitter=0.01, jitter_clip=0.05, angle=0.0)
    first, second = (augment(points, generator(3)) for _ in range(2))
    assert torch.equal(first, second)
    noise_free = Augmentation(scale=(0.8, 1.25), jitter=0.0)(points, generator(3))
    ratio = noise_free.norm(dim=2) / points.norm(dim=2)  # a rotation keeps norms
    assert torch.allclose(ratio, ratio[:, :1].expand_as(ratio), atol=1e-4)
    assert ratio.min() >= 0.8 - 1e-4
    assert ratio.max() <= 1.25 + 1e-4
