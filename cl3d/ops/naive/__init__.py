"""The plain twin of each fast operation: what it computes, written down as directly as it can be.

Tests compare values and derivatives with these; benchmarks compare times.
"""

from cl3d.ops.naive.figures import class_means, nearest_mean_scores, shape_ious
from cl3d.ops.naive.layers import pooled_linear, shared_linear
from cl3d.ops.naive.neighbours import (
    ball_query,
    interpolate,
    nearest_neighbours,
    nearest_points,
    pairwise_chamfer,
    uniformity,
)
from cl3d.ops.naive.sampling import farthest_from_centre, farthest_points, fps_partition
from cl3d.ops.naive.sequences import hilbert_curve, lexicographic_order, selective_scan
from cl3d.ops.naive.shapes import align, mean_and_modes, orient

__all__ = [
    "align",
    "ball_query",
    "class_means",
    "farthest_from_centre",
    "farthest_points",
    "fps_partition",
    "hilbert_curve",
    "interpolate",
    "lexicographic_order",
    "mean_and_modes",
    "nearest_mean_scores",
    "nearest_neighbours",
    "nearest_points",
    "orient",
    "pairwise_chamfer",
    "pooled_linear",
    "selective_scan",
    "shape_ious",
    "shared_linear",
    "uniformity",
]
