"""Memories of continual learning that no network is needed for."""

from __future__ import annotations

from cl3d.distill.condenser import Condenser
from cl3d.distill.initializers import Random
from cl3d.distill.parameterizations.shape_model import ShapeModel
from cl3d.distill.reservoir import Reservoir
from cl3d.distill.spectral import Spectral


def spectral() -> Condenser:
    """One cloud of each spectral cluster of a class (Resani et al., WACV 2025)."""
    return Condenser(name="spectral", initializer=Spectral())


def shape_model() -> Condenser:
    """Mean shape and principal modes of each class (MIRACLE3D, Resani and Nasihatkon, 2024)."""
    return Condenser(name="shape_model", initializer=Random(), parameterization=ShapeModel())


def reservoir() -> Reservoir:
    """A uniform sample of all clouds of a stream (Vitter, 1985)."""
    return Reservoir(name="reservoir")


def balanced_reservoir() -> Reservoir:
    """A sample of a stream with equally many clouds of each class (CBRS, Chrysakis and Moens, ICML 2020)."""
    return Reservoir(name="balanced_reservoir", balanced=True)
