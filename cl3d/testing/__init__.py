"""Contracts as checks: what a component of your own has to pass to be used like those of the library."""

from cl3d.testing.backbones import check_backbone
from cl3d.testing.condensers import check_condenser
from cl3d.testing.segmentation import check_segmentation

__all__ = ["check_backbone", "check_condenser", "check_segmentation"]
