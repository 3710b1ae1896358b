"""A pooled layer behind layers of single points: against the dense twin, and what is mapped for it."""

from __future__ import annotations

import pytest
import torch
from layer_cases import NORMS, assert_all_close, derivatives, make_norm
from torch import Tensor, nn
from torch.func import grad, vmap

from cl3d.errors import InputError
from cl3d.models.layers import pooled_layers, shared_layers
from cl3d.ops import naive
from cl3d.ops.pooled_chain import pooled_chain
from cl3d.ops.shared_linear import PointNorm
from cl3d.random import generator, isolated

B, N, INPUTS, D, C = 3, 17, 2, 5, 13


class Watched(nn.Module):
    """A map of single points that notes how many it was given."""

    def __init__(self) -> None:
        super().__init__()
        with isolated(3, "watched"):
            self.map = nn.Sequential(nn.Linear(INPUTS, 7), nn.Tanh(), nn.Linear(7, D)).double()
        self.mapped: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.mapped.append(x.shape[:2].numel())
        y: Tensor = self.map(x)
        return y


def given(*key: str | int, points: int = N) -> tuple[Tensor, Tensor, Tensor]:
    draws = generator(7, *key)
    shapes = [(B, points, INPUTS), (C, D), (C,)]
    x, weight, bias = (torch.randn(s, generator=draws, dtype=torch.float64) for s in shapes)
    return x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_()


@pytest.mark.parametrize("name", [name for name in NORMS if not name.startswith("group")])
@pytest.mark.parametrize("relu", [False, True])
def test_it_equals_the_dense_layers_to_the_second_derivative(name: str, relu: bool) -> None:
    x, weight, bias = given(name)
    before, results = Watched(), []
    for chained in (True, False):
        norm = make_norm(name, C)

        def call(m: PointNorm | None = norm, chain: bool = chained) -> Tensor:
            if chain:
                return pooled_chain(before, x, weight, bias, m, relu)
            return naive.pooled_linear(before(x), weight, bias, m, relu)

        own = [weight, bias, *before.parameters(), *(norm.parameters() if norm else [])]
        results.append(derivatives(call, x, own))
    assert_all_close(*results, rtol=1e-10)


@pytest.mark.parametrize("name", ["none", "batch eval"])
def test_finite_differences(name: str) -> None:
    x, weight, bias = given("finite differences", name)
    before, norm = Watched(), make_norm(name, C)
    call = lambda x, weight, bias: pooled_chain(before, x, weight, bias, norm)  # noqa: E731
    assert torch.autograd.gradcheck(call, (x, weight, bias), fast_mode=True)
    assert torch.autograd.gradgradcheck(call, (x, weight, bias), fast_mode=True)


def test_winners_alone_are_mapped_with_a_graph() -> None:
    x, weight, bias = given("winners")
    before = Watched()
    pooled_chain(before, x, weight, bias).sum().backward()
    moved = int((x.grad != 0).any(dim=2).sum())
    assert before.mapped == [B * N, moved]
    assert 0 < moved < B * N


@pytest.mark.parametrize("why", ["no gradient", "few points", "statistics of the points"])
def test_where_it_would_not_pay_all_points_are_mapped_once(why: str) -> None:
    x, weight, bias = given(why, points=C - 2 if why == "few points" else N)
    before, norm = Watched(), make_norm("batch" if why.startswith("statistics") else "none", C)
    with torch.set_grad_enabled(why != "no gradient"):
        got = pooled_chain(before, x, weight, bias, norm)
    assert before.mapped == [x.shape[:2].numel()]
    fresh = make_norm("batch" if why.startswith("statistics") else "none", C)
    torch.testing.assert_close(got, naive.pooled_linear(before(x), weight, bias, fresh))


def test_what_does_not_fit_is_refused_either_way() -> None:
    x, weight, bias = given("refused")
    for graph in (True, False):
        with torch.set_grad_enabled(graph), pytest.raises(InputError, match="a bias of shape"):
            pooled_chain(Watched(), x, weight, bias[:1])


def test_transforms_of_torch_func_see_the_same() -> None:
    x, weight, bias = given("func")
    before = Watched()

    def loss(weight: Tensor, cloud: Tensor) -> Tensor:
        return pooled_chain(before, cloud.unsqueeze(0), weight, bias).square().sum()

    for argument, shape in enumerate((weight.shape, x.shape[1:])):
        got = vmap(grad(loss, argnums=argument), in_dims=(None, 0))(weight, x)
        assert got.shape == (B, *shape)
        for cloud, mine in zip(x.unbind(), got, strict=True):
            value = naive.pooled_linear(before(cloud.unsqueeze(0)), weight, bias).square().sum()
            torch.testing.assert_close(mine, torch.autograd.grad(value, (weight, cloud)[argument])[0])


@pytest.mark.parametrize("frozen", [False, True])
def test_shared_layers_choose_by_their_norms(frozen: bool) -> None:
    with isolated(5, "layers"):
        layers = shared_layers((INPUTS, 7, D, C), "batch").double().train(not frozen)
    plain = shared_layers((INPUTS, 7, D, C), "batch", fused=False).double().train(not frozen)
    plain.load_state_dict(layers.state_dict())
    mapped: list[int] = []
    layers[0].register_forward_hook(lambda layer, args, out: mapped.append(out.shape[:2].numel()))
    x, results = given("shared layers")[0], []
    for chain in (layers, plain):
        call = lambda c=chain: pooled_layers(c, x)  # noqa: E731
        results.append(derivatives(call, x, [*chain.parameters()]))
    assert_all_close(*results)
    assert mapped[0] == B * N
    assert len(mapped) == 1 + frozen
