"""The plain twin of each fast operation: what it computes, written down as directly as it can be.

Tests compare values and derivatives with these; benchmarks compare times.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cl3d.ops.orientation import Odd
from cl3d.ops.shared_linear import PointNorm


def shared_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, norm: PointNorm | None = None
) -> Tensor:
    """Twin of :func:`cl3d.ops.shared_linear.shared_linear`: a convolution of width 1, then the norm."""
    y = nn.functional.conv1d(x.mT, weight.unsqueeze(-1), bias)
    return (y if norm is None else norm(y)).mT


def pooled_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, norm: PointNorm | None = None, relu: bool = False
) -> Tensor:
    """Twin of :func:`cl3d.ops.pooled_linear.pooled_linear`: (b, n, d) → (b, n, c) → max → (b, c)."""
    y = shared_linear(x, weight, bias, norm).mT
    return (y.relu() if relu else y).max(dim=2).values


def farthest_points(points: Tensor, count: int, start: int = 0) -> Tensor:
    """Twin of :func:`cl3d.ops.fps.farthest_points`: (n, p, 3) → (n, count)."""
    return torch.tensor([_farthest(cloud, range(len(cloud)), count, start) for cloud in points])


def fps_partition(points: Tensor, parts: int, size: int) -> Tensor:
    """Twin of :func:`cl3d.ops.fps.fps_partition`: (n, p, 3) → (n, parts, size)."""
    result = []
    for cloud in points:
        remaining = list(range(len(cloud)))
        picks = []
        for _ in range(parts):
            picks.append(_farthest(cloud, remaining, size, remaining[0]))
            remaining = [i for i in remaining if i not in picks[-1]]
        result.append(picks)
    return torch.tensor(result)


def _farthest(cloud: Tensor, allowed: range | list[int], count: int, start: int) -> list[int]:
    picks = [start]
    while len(picks) < count:
        candidates = [i for i in allowed if i not in picks]
        # max gives the first of those that tie
        picks.append(max(candidates, key=lambda i: min(_squared(cloud[i], cloud[j]) for j in picks)))
    return picks


def _squared(a: Tensor, b: Tensor) -> float:
    x, y, z = (a - b).square()
    return float(x + y + z)


def nearest_neighbours(points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Twin of :func:`cl3d.ops.knn.nearest_neighbours`: (n, p, 3) → twice (n, p, k), lower index first."""
    found = [
        [sorted((math.dist(a, b), j) for j, b in enumerate(cloud) if j != i)[:k] for i, a in enumerate(cloud)]
        for cloud in points.tolist()
    ]
    distances, indices = torch.tensor(found, dtype=torch.float64).unbind(dim=3)
    return distances.to(points), indices.long()


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


def align(points: Tensor, reference: Tensor) -> Tensor:
    """Twin of :func:`cl3d.ops.assignment.align`: the best of all permutations."""
    own, partners = points.tolist(), reference.tolist()

    def total(order: tuple[int, ...]) -> float:
        return sum(math.dist(own[i], partner) for i, partner in zip(order, partners, strict=True))

    return torch.tensor(min(itertools.permutations(range(len(own))), key=total))


def pairwise_chamfer(clouds: Tensor) -> Tensor:
    """Twin of :func:`cl3d.ops.chamfer.pairwise_chamfer`: (n, p, 3) → (n, n)."""

    def one_way(first: Tensor, second: Tensor) -> float:
        nearest = [min(_squared(a, b) for b in second) for a in first]
        return sum(nearest) / len(nearest)

    rows = [[one_way(a, b) + one_way(b, a) for b in clouds] for a in clouds]
    return torch.tensor(rows, dtype=torch.float64).to(clouds)


def mean_and_modes(clouds: Tensor, modes: int, rounds: int = 2) -> Tensor:
    """Twin of :func:`cl3d.ops.modes.mean_and_modes`: by eigenvectors of the covariance in 3 p dimensions."""
    template = clouds[0]
    for _ in range(rounds):
        rows = torch.stack([cloud[align(cloud, template)].flatten() for cloud in clouds])
        template = rows.mean(dim=0).view(-1, 3)
    shapes = [template]
    variances, axes = torch.linalg.eigh(torch.cov(rows.T))
    for k in range(1, min(modes, len(clouds) - 1, template.numel()) + 1):
        mode = axes[:, -k] * variances[-k].clamp_min(0).sqrt()
        shapes.append((mode if mode[mode.abs().argmax()] > 0 else -mode).view(-1, 3))
    return torch.stack(shapes)


def orient(points: Tensor, odd: Odd) -> Tensor:
    """Twin of :func:`cl3d.ops.orientation.orient`: the axes of each cloud by a decomposition of itself."""
    turned = []
    for cloud in points:
        centred = cloud - cloud.mean(dim=0)
        _, _, axes = torch.linalg.svd(centred.detach(), full_matrices=False)
        columns = [centred @ axis for axis in axes]
        signs = odd(torch.stack(columns, dim=1).unsqueeze(0))[0]
        turned.append(
            torch.stack([-c if sign < 0 else c for c, sign in zip(columns, signs, strict=True)], dim=1)
        )
    return torch.stack(turned)


def farthest_from_centre(points: Tensor, count: int) -> Tensor:
    """Twin of :func:`cl3d.ops.grouping.farthest_from_centre`: (n, p, 3) → (n, min(count, p))."""
    picks = []
    for cloud in points:
        far = [_squared(point, cloud.mean(dim=0)) for point in cloud]
        start = far.index(max(far))
        picks.append(_farthest(cloud, range(len(cloud)), min(count, len(cloud)), start))
    return torch.tensor(picks)


def lexicographic_order(keys: Sequence[Tensor]) -> Tensor:
    """Twin of :func:`cl3d.ops.sorting.lexicographic_order`: Python's sort of tuples."""
    rows = [list(zip(*row, strict=True)) for row in zip(*(key.tolist() for key in keys), strict=True)]
    return torch.tensor([sorted(range(len(row)), key=row.__getitem__) for row in rows])


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


def selective_scan(x: Tensor, steps: Tensor, rates: Tensor, inputs: Tensor, outputs: Tensor) -> Tensor:
    """Twin of :func:`cl3d.ops.selective_scan.selective_scan`: one place after the other, (b, l, d)."""
    state = x.new_zeros(len(x), *rates.shape)
    result = []
    for place in range(x.shape[1]):
        step = steps[:, place].unsqueeze(2)
        added = step * x[:, place].unsqueeze(2) * inputs[:, place].unsqueeze(1)
        state = torch.exp(step * rates) * state + added
        result.append((state * outputs[:, place].unsqueeze(1)).sum(dim=2))
    return torch.stack(result, dim=1)


def hilbert_curve(bits: int) -> list[tuple[int, int, int]]:
    """Twin of :func:`cl3d.ops.hilbert.hilbert_index`, the other way round: the cells along the curve."""
    return [_hilbert_cell(place, bits) for place in range(8**bits)]


def _hilbert_cell(place: int, bits: int) -> tuple[int, int, int]:
    gray = place ^ place >> 1
    cell = [sum((gray >> 3 * bit + 2 - axis & 1) << bit for bit in range(bits)) for axis in range(3)]
    for bit in range(1, bits):
        below = (1 << bit) - 1
        for axis in (2, 1, 0):
            if cell[axis] >> bit & 1:
                cell[0] ^= below
            else:
                exchanged = (cell[0] ^ cell[axis]) & below
                cell[0] ^= exchanged
                cell[axis] ^= exchanged
    return cell[0], cell[1], cell[2]


def _nearest(cloud: list[list[float]], query: list[float], k: int) -> list[int]:
    return sorted(range(len(cloud)), key=lambda i: (math.dist(cloud[i], query), i))[:k]


def class_means(features: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Twin of :func:`cl3d.ops.nearest_mean.class_means`: (n, d), (n,) → (num_classes, d)."""
    means = []
    for label in range(num_classes):
        units = [f / f.square().sum().sqrt() for f, own in zip(features, labels, strict=True) if own == label]
        mean = sum(units, torch.zeros_like(features[0])) / max(len(units), 1)
        means.append(mean / mean.square().sum().sqrt())
    return torch.stack(means)


def nearest_mean_scores(features: Tensor, means: Tensor) -> Tensor:
    """Twin of :func:`cl3d.ops.nearest_mean.nearest_mean_scores`: (n, d), (k, d) → (n, k)."""
    rows = []
    for feature in features:
        unit = feature / feature.square().sum().sqrt()
        far = [(unit - mean).square().sum().sqrt() for mean in means]
        rows.append(torch.stack([-d if bool(torch.isfinite(d)) else d.new_tensor(-torch.inf) for d in far]))
    return torch.stack(rows)


def shape_ious(
    predicted: Tensor, truth: Tensor, labels: Tensor, class_parts: Sequence[Sequence[int]]
) -> Tensor:
    """Twin of :func:`cl3d.ops.part_iou.shape_ious`: sets of points, one shape and part after the other."""
    ious = []
    for found, true, label in zip(predicted.tolist(), truth.tolist(), labels.tolist(), strict=True):
        of_parts = []
        for part in class_parts[label]:
            one = {point for point, own in enumerate(found) if own == part}
            other = {point for point, own in enumerate(true) if own == part}
            of_parts.append(len(one & other) / len(one | other) if one | other else 1.0)
        ious.append(sum(of_parts) / len(of_parts))
    return torch.tensor(ious, dtype=torch.float64)
