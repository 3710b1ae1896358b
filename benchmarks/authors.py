"""The papers' updates in the formulation of their authors' public code, restated in few lines.

The same mathematics as the library's, and none of its shortcuts: dense feature maps (the networks come
unfused), one graph over all classes that is walked back once, sorts by ``torch.sort``, kernels of all pairs
of rows by broadcasting, farthest points by a loop over tensors, training through a ``DataLoader``. Where
features are matched, the network's weights ask for no gradient, as in DM's public code. Each function takes
what one update takes, leaves gradients on the synthetic set's parameters and returns the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cl3d.models import Backbone

Batches = Sequence[Tensor]
"""Real clouds of each class, (b, n, 3)."""

Update = Callable[[Backbone, Batches, Tensor, Tensor], float]
"""One update: a network, real clouds, the decoded synthetic clouds with a graph, their labels."""


def freeze(net: nn.Module, reference: Tensor) -> None:
    """Statistics of real clouds, which then stay (DC)."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm1d)]
    for norm in norms:
        norm.momentum = None  # from here on running statistics are those of this batch
        norm.reset_running_stats()
    net.train()
    with torch.no_grad():
        net(reference)
    net.eval()


def dm(net: Backbone, batches: Batches, points: Tensor, labels: Tensor) -> float:
    """Mean features (Zhao and Bilen)."""
    net.requires_grad_(False)
    loss = points.new_zeros(())
    for label, real in enumerate(batches):
        wanted = net.features(real).detach().mean(dim=0)
        found = net.features(points[labels == label]).mean(dim=0)
        loss = loss + ((wanted - found) ** 2).sum()
    loss.backward()
    return loss.item()


def gradients(distance: Callable[[Tensor, Tensor], Tensor]) -> Update:
    """Gradient matching (Zhao, Mopuri and Bilen; PCC; DD3D)."""

    def update(net: Backbone, batches: Batches, points: Tensor, labels: Tensor) -> float:
        weights = [p for p in net.parameters() if p.ndim > 1]
        loss = points.new_zeros(())
        for label, real in enumerate(batches):
            loss_real = _cross_entropy(net, real, label)
            wanted = [g.detach().clone() for g in torch.autograd.grad(loss_real, weights)]
            mine = points[labels == label]
            loss_mine = _cross_entropy(net, mine, label)
            found = torch.autograd.grad(loss_mine, weights, create_graph=True)
            for one, other in zip(wanted, found, strict=True):
                loss = loss + distance(one, other)
        loss.backward()
        return loss.item()

    return update


def _cross_entropy(net: Backbone, clouds: Tensor, label: int) -> Tensor:
    return nn.functional.cross_entropy(net(clouds), torch.full((len(clouds),), label, device=clouds.device))


def layer_cosine(wanted: Tensor, found: Tensor) -> Tensor:
    """1 - cos of whole layers (PCC, eq. 18)."""
    product = (wanted * found).sum()
    return 1 - product / (wanted.norm() * found.norm() + 1e-6)


def row_cosine(wanted: Tensor, found: Tensor) -> Tensor:
    """1 - cos of each output row; rows that the real clouds do not move count 0 (DC, DD3D)."""
    wanted, found = wanted.flatten(1), found.flatten(1)
    moved = wanted.norm(dim=1) > 0
    wanted, found = wanted[moved], found[moved]
    product = (wanted * found).sum(dim=1)
    return (1 - product / (wanted.norm(dim=1) * found.norm(dim=1) + 1e-6)).sum()


def sadm(net: Backbone, batches: Batches, points: Tensor, labels: Tensor) -> float:
    """Sorted feature maps and pooled features, both by kernels (SADM)."""
    net.requires_grad_(False)
    loss = points.new_zeros(())
    for label, real in enumerate(batches):
        maps = [net.point_features(clouds) for clouds in (real, points[labels == label])]
        maps[0] = maps[0].detach()
        wanted, found = (torch.sort(m.mT, dim=-1, descending=True).values.flatten(1) for m in maps)
        pooled = [m.max(dim=1).values for m in maps]
        loss = loss + 0.2 * mmd(wanted, found) + 1e-3 * mmd(pooled[0], pooled[1])
    loss.backward()
    return loss.item()


def morphing(net: Backbone, batches: Batches, points: Tensor, labels: Tensor) -> float:
    """Sorted feature maps of anchors and blends against parts of the real clouds (Morphing)."""
    net.requires_grad_(False)
    loss = points.new_zeros(())
    size = points.shape[1]
    for label, real in enumerate(batches):
        mine = net.point_features(points[labels == label]).abs()
        found = torch.sort(mine.mT, dim=-1, descending=True).values.flatten(1)
        whole, rest = unevenness(real).mean(), real
        for _ in range(real.shape[1] // size):
            picks = farthest(rest, size)
            part = rest.gather(1, picks.unsqueeze(-1).expand(-1, -1, 3))
            left = torch.ones_like(rest[..., 0], dtype=torch.bool).scatter(1, picks, False)
            rest = rest[left].view(len(rest), -1, 3)
            weight = torch.exp(-1000 * (whole - unevenness(part).mean()) ** 2)
            wanted = torch.sort(net.point_features(part).abs().detach().mT, dim=-1, descending=True).values
            loss = loss + weight * 0.2 * mmd(wanted.flatten(1), found)
    loss.backward()
    return loss.item()


def mmd(x: Tensor, y: Tensor) -> Tensor:
    """A sum of five Gaussians over all pairs, whose differences are formed."""
    joint = torch.cat([x, y])
    count = len(joint)
    distances = ((joint.unsqueeze(0) - joint.unsqueeze(1)) ** 2).sum(dim=2)
    width = distances.detach().sum() / (count**2 - count)
    kernel = torch.stack([torch.exp(-distances / (width * 2**k)) for k in range(-2, 3)]).sum(dim=0)
    n = len(x)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - kernel[:n, n:].mean() - kernel[n:, :n].mean()


def farthest(points: Tensor, count: int) -> Tensor:
    """Farthest point sampling from the first point, one pick of all clouds after the other."""
    nearest = torch.full_like(points[..., 0], 1e10)
    pick = torch.zeros(len(points), dtype=torch.long, device=points.device)
    picks = []
    for _ in range(count):
        picks.append(pick)
        chosen = points[torch.arange(len(points), device=points.device), pick].unsqueeze(1)
        nearest = torch.minimum(nearest, ((points - chosen) ** 2).sum(dim=-1))
        pick = nearest.argmax(dim=1)
    return torch.stack(picks, dim=1)


def unevenness(points: Tensor, neighbours: int = 16) -> Tensor:
    """Mean over points of std / mean of the distances to their neighbours (Morphing, eq. 8)."""
    distances = torch.cdist(points, points).topk(neighbours + 1, dim=2, largest=False).values[..., 1:]
    return (distances.std(dim=2) / distances.mean(dim=2)).mean(dim=1)


def train(
    net: nn.Module, clouds: TensorDataset, epochs: int, batch_size: int, optimizer: torch.optim.Optimizer
) -> None:
    """Epochs over the clouds through a ``DataLoader``."""
    net.train()
    loader = DataLoader(clouds, batch_size, shuffle=True)
    for _ in range(epochs):
        for points, targets in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(points), targets).backward()
            optimizer.step()
