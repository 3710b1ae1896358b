"""Mean shape and principal modes: the plain twin, known answers, symmetries."""

from __future__ import annotations

import pytest
import torch

from cl3d.ops import naive
from cl3d.ops.modes import mean_and_modes
from cl3d.random import generator


def shapes(n: int, p: int, spread: float = 0.05) -> torch.Tensor:
    """Clouds that are one shape with noise, each with its points in another order."""
    draws = generator(0, "modes", n, p)
    base = torch.randn(p, 3, generator=draws, dtype=torch.float64)
    noisy = base + spread * torch.randn(n, p, 3, generator=draws, dtype=torch.float64)
    return torch.stack([cloud[torch.randperm(p, generator=draws)] for cloud in noisy])


@pytest.mark.parametrize("rounds", [1, 2, 3])
@pytest.mark.parametrize(("n", "p", "modes"), [(7, 5, 3), (3, 5, 9), (2, 3, 1), (11, 2, 6)])
def test_as_the_plain_twin(n, p, modes, rounds):
    clouds = shapes(n, p)
    fast, plain = mean_and_modes(clouds, modes, rounds), naive.mean_and_modes(clouds, modes, rounds)
    assert len(fast) == 1 + min(modes, n - 1, 3 * p)
    torch.testing.assert_close(fast, plain, rtol=1e-6, atol=1e-9)


def test_one_direction_is_found_with_its_spread():
    draws = generator(1, "modes")
    base, way = torch.randn(2, 13, 3, generator=draws, dtype=torch.float64)
    along = torch.tensor([-0.03, 0.01, 0.02, -0.01, 0.01], dtype=torch.float64)
    clouds = base + along.view(-1, 1, 1) * way
    mean, mode = mean_and_modes(clouds, 1)
    torch.testing.assert_close(mean, base[(base - mean[:, None]).norm(dim=2).argmin(dim=1)])
    expected = way[(base - mean[:, None]).norm(dim=2).argmin(dim=1)] * along.std()
    torch.testing.assert_close(mode.abs(), expected.abs())


def test_the_order_of_points_changes_nothing_but_itself():
    clouds = shapes(5, 7, spread=1e-3)
    order = torch.randperm(7, generator=generator(2, "modes"))
    turned = clouds.clone()
    turned[0] = turned[0, order]  # the template: all follow it
    turned[3] = turned[3, order.flip(0)]
    torch.testing.assert_close(mean_and_modes(turned, 3), mean_and_modes(clouds, 3)[:, order])


def test_modes_are_orthogonal_and_descend():
    modes = mean_and_modes(shapes(11, 5, 0.3), 6)[1:].flatten(1)
    products = modes @ modes.T
    sizes = products.diagonal()
    assert torch.equal(sizes, sizes.sort(descending=True).values)
    torch.testing.assert_close(products, torch.diag(sizes), atol=1e-9, rtol=0)


def test_one_cloud_is_its_own_mean():
    (cloud,) = shapes(1, 5)
    torch.testing.assert_close(mean_and_modes(cloud.unsqueeze(0), 4), cloud.unsqueeze(0))
