"""The plain twins of searches for near points, and of what is made from them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cl3d.ops.naive.sampling import squared_distance


def nearest_neighbours(points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Twin of :func:`cl3d.ops.knn.nearest_neighbours`: (n, p, 3) → twice (n, p, k), lower index first."""
    found = [
        [sorted((math.dist(a, b), j) for j, b in enumerate(cloud) if j != i)[:k] for i, a in enumerate(cloud)]
        for cloud in points.tolist()
    ]
    distances, indices = torch.tensor(found, dtype=torch.float64).unbind(dim=3)
    return distances.to(points), indices.long()


def nearest_points(points: Tensor, queries: Tensor, k: int) -> Tensor:
    """Twin of :func:`cl3d.ops.grouping.nearest_points`: lower index first, (n, q, min(k, p))."""
    pairs = zip(points.tolist(), queries.tolist(), strict=True)
    return torch.tensor([[_nearest(cloud, query, k) for query in asked] for cloud, asked in pairs])


def ball_query(points: Tensor, centres: Tensor, radius: float, k: int) -> Tensor:
    """Twin of :func:`cl3d.ops.ball_query.ball_query`: lower index first, (n, q, min(k, p))."""
    result = []
    for cloud, asked in zip(points.tolist(), centres.tolist(), strict=True):
        near = [(_nearest(cloud, centre, k), centre) for centre in asked]
        result.append(
            [[i if math.dist(cloud[i], c) < radius else found[0] for i in found] for found, c in near]
        )
    return torch.tensor(result)


def _nearest(cloud: list[list[float]], query: list[float], k: int) -> list[int]:
    return sorted(range(len(cloud)), key=lambda i: (math.dist(cloud[i], query), i))[:k]


def interpolate(features: Tensor, points: Tensor, queries: Tensor) -> Tensor:
    """Twin of :func:`cl3d.ops.interpolate.interpolate`: (n, p, d), (n, p, 3), (n, q, 3) → (n, q, d)."""
    result = []
    for values, cloud, asked in zip(features, points, queries, strict=True):
        for query in asked:
            squares = torch.stack([(point - query).square().sum() for point in cloud])
            near = squares.argsort()[:3]
            weights = 1 / (squares[near] + 1e-8)
            result.append((weights.unsqueeze(1) * values[near]).sum(dim=0) / weights.sum())
    return torch.stack(result).view(*queries.shape[:2], -1)


def uniformity(points: Tensor, k: int = 16) -> Tensor:
    """Twin of :func:`cl3d.ops.uniformity.uniformity`: (n, p, 3) → (n,)."""
    scores = []
    for cloud in nearest_neighbours(points, min(k, points.shape[1] - 1))[0].tolist():
        score = 0.0
        for near in cloud:
            mean = sum(near) / len(near)
            variance = sum((distance - mean) ** 2 for distance in near) / (len(near) - 1)
            score += math.sqrt(variance) / mean if mean else 0.0
        scores.append(score / len(cloud))
    return torch.tensor(scores, dtype=torch.float64).to(points)


def pairwise_chamfer(clouds: Tensor) -> Tensor:
    """Twin of :func:`cl3d.ops.chamfer.pairwise_chamfer`: (n, p, 3) → (n, n)."""

    def one_way(first: Tensor, second: Tensor) -> float:
        nearest = [min(squared_distance(a, b) for b in second) for a in first]
        return sum(nearest) / len(nearest)

    rows = [[one_way(a, b) + one_way(b, a) for b in clouds] for a in clouds]
    return torch.tensor(rows, dtype=torch.float64).to(clouds)
