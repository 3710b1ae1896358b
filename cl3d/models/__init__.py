"""Backbones: classifiers of point clouds, one architecture per file, under one contract (``base``)."""

from cl3d.models.base import Backbone
from cl3d.models.dgcnn import DGCNN
from cl3d.models.pointnet import PointNet, pointnet_large, pointnet_light, pointnet_small
from cl3d.models.rotated import Rotated, rotated
from cl3d.models.rotator import Rotator, canonical

__all__ = [
    "DGCNN",
    "Backbone",
    "PointNet",
    "Rotated",
    "Rotator",
    "canonical",
    "pointnet_large",
    "pointnet_light",
    "pointnet_small",
    "rotated",
]
