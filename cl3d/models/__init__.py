"""Backbones: classifiers of point clouds, one architecture per file, under one contract (``base``)."""

from cl3d.models.base import Backbone
from cl3d.models.pointnet import PointNet, pointnet_large, pointnet_light, pointnet_small

__all__ = ["Backbone", "PointNet", "pointnet_large", "pointnet_light", "pointnet_small"]
