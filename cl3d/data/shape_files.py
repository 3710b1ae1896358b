"""Source files that hold one shape each: a cloud, or a mesh whose surface is sampled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from cl3d.clouds import PointClouds
from cl3d.data.formats import Geometry, read
from cl3d.data.mesh import sample_surface
from cl3d.data.source import SourceFile
from cl3d.random import generator

SURFACE_POINTS = 2048
"""Points drawn from the surface of a mesh; they then count as what is stored."""


def shape_file(path: Path, label: int, surface_points: int = SURFACE_POINTS, up: str = "y") -> SourceFile:
    """A file in one of the formats of :mod:`cl3d.data.formats`, as a source file with one cloud.

    Args:
        path: of the file.
        label: the shape's class.
        surface_points: points drawn from the surface where the file holds a mesh, uniformly by area.
            They depend on the mesh alone, so that copies of it stay copies.
        up: the axis that points up in the file, ``"y"`` or ``"z"``; y does in what is read.
    """
    return SourceFile(path, partial(_read, path, label, surface_points, up), label)


def one_cloud(points: Tensor, label: int, parts: Tensor | None = None) -> PointClouds:
    """A single cloud: points (p, 3), its class, and the part of each point (p,) where known."""
    return PointClouds(
        points.unsqueeze(0), torch.tensor([label]), None if parts is None else parts.unsqueeze(0)
    )


def _read(path: Path, label: int, surface_points: int, up: str) -> Iterator[PointClouds]:
    geometry = read(path)
    if geometry.faces is None:
        points = torch.from_numpy(geometry.points)
    else:
        draws = generator(0, "surface", _digest(geometry))
        points = sample_surface(geometry, surface_points, draws, str(path))
    if up == "z":
        x, y, z = points.unbind(1)
        points = torch.stack((x, z, -y), dim=1)
    yield one_cloud(points, label)


def _digest(geometry: Geometry) -> str:
    digest = hashlib.blake2b(geometry.points.tobytes(), digest_size=16)
    if geometry.faces is not None:
        digest.update(geometry.faces.tobytes())
    return digest.hexdigest()
