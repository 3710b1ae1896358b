"""Spectral: picks one real cloud of each spectral cluster of a class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.distill.initializers import class_members
from cl3d.distill.networks import Networks
from cl3d.errors import check_whole
from cl3d.ops.chamfer import pairwise_chamfer
from cl3d.ops.fps import farthest_points
from cl3d.progress import Progress, silent
from cl3d.random import fold

K_MEANS_SEEDS = 2**32
"""scikit-learn takes seeds below it."""


@dataclass(frozen=True)
class Spectral:
    """Exemplars by spectral clustering of each class (Spectral, Resani et al., WACV 2025).

    With the Chamfer distances d_ij of a class's clouds and sigma their median::

        A_ij = exp(-d_ij² / (2 sigma²))         D = diag(sum_j A_ij)

    the n clouds are embedded by the ``count`` leading eigenvectors of D^(-1/2) A D^(-1/2), times D^(-1/2),
    and clustered by k-means there; the exemplar of a cluster is its cloud nearest to the centre. Exemplars of
    large clusters come first, so that the first ones are those to keep when a memory shrinks.

    The paper also clusters local and global features, and all together; here it is the input space, which
    needs no network. Distances are taken between some of the points, chosen farthest from each other.

    Attributes:
        points: of each cloud, which distances are taken between; None takes all, at a cost that grows with
            their square.

    Raises:
        InputError: if ``points`` is no whole number from 1.
    """

    points: int | None = 64

    def __post_init__(self) -> None:
        if self.points is not None:
            check_whole("points", self.points, 1)

    @property
    def training(self) -> None:
        """None is needed."""

    def pick(
        self,
        clouds: PointClouds,
        counts: dict[int, int],
        networks: Networks,
        seed: int,
        progress: Progress = silent,
    ) -> Tensor:
        """See :class:`Initializer`."""
        picked = []
        with progress("spectral clusters", len(counts)) as advance:
            for label, count, members in class_members(clouds, counts):
                points = clouds.points[members.to(clouds.points.device)]
                chosen = spectral_exemplars(self._distances(points), count, fold(seed, "spectral", label))
                picked.append(members[chosen])
                advance(f"class {label}")
        return torch.cat(picked)

    def _distances(self, points: Tensor) -> Tensor:
        """(n, n) Chamfer distances on the CPU."""
        if self.points is not None and self.points < points.shape[1]:
            chosen = farthest_points(points, self.points).unsqueeze(-1).expand(-1, -1, 3)
            points = points.gather(1, chosen)
        return pairwise_chamfer(points).cpu()


def spectral_exemplars(distances: Tensor, count: int, seed: int) -> Tensor:
    """One row for each of ``count`` spectral clusters, that of the largest cluster first.

    Args:
        distances: (n, n), symmetric, n >= count.
        seed: of where k-means starts.

    Returns:
        (count,) int64, none twice.
    """
    from sklearn.cluster import KMeans  # late: it takes long to import, and nothing else needs it

    embedding = spectral_embedding(distances, count)
    means = KMeans(count, n_init=10, random_state=seed % K_MEANS_SEEDS).fit(embedding.numpy())
    labels = torch.from_numpy(means.labels_).long()
    from_centre = (embedding - torch.from_numpy(means.cluster_centers_)[labels]).square().sum(dim=1)
    sizes = labels.bincount(minlength=count)
    found = [
        int(from_centre.masked_fill(labels != cluster, torch.inf).argmin())
        for cluster in sizes.argsort(descending=True, stable=True).tolist()
        if sizes[cluster]
    ]
    # rows that coincide leave clusters empty: the first that are free stand in
    free = [row for row in range(len(distances)) if row not in set(found)]
    return torch.tensor(found + free[: count - len(found)])


def spectral_embedding(distances: Tensor, dimensions: int) -> Tensor:
    """Rows of the leading eigenvectors of the normalised affinity, divided by the root of the degree.

    (Shi and Malik, "Normalized cuts and image segmentation", PAMI 2000, eq. 7.)

    Args:
        distances: (n, n), symmetric; the affinity is a Gaussian whose width is their median.

    Returns:
        (n, dimensions) float64.
    """
    distances = distances.double()
    apart = distances[distances > 0]
    sigma = float(apart.median()) if len(apart) else 1.0
    affinity = (-0.5 * (distances / sigma).square()).exp()
    root = affinity.sum(dim=1).sqrt()
    _, vectors = torch.linalg.eigh(affinity / (root.unsqueeze(0) * root.unsqueeze(1)))
    leading: Tensor = vectors[:, -dimensions:].flip(1) / root.unsqueeze(1)
    return leading
