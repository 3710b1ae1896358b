"""Backbones: classifiers of point clouds, one architecture per file, under one contract (``base``)."""

from cl3d.models.base import Backbone
from cl3d.models.dgcnn import DGCNN
from cl3d.models.pct import PCT
from cl3d.models.point_transformer import PointTransformer
from cl3d.models.pointconv import PointConv
from cl3d.models.pointmamba import PointMamba
from cl3d.models.pointmlp import PointMLP, pointmlp, pointmlp_elite
from cl3d.models.pointnet import PointNet, pointnet_large, pointnet_light, pointnet_small
from cl3d.models.pointnet2 import PointNet2, pointnet2_msg, pointnet2_ssg
from cl3d.models.pointnext import PointNeXt
from cl3d.models.rotated import Rotated, rotated
from cl3d.models.rotator import Rotator, canonical
from cl3d.models.voxelnet import VoxelNet

__all__ = [
    "DGCNN",
    "PCT",
    "Backbone",
    "PointConv",
    "PointMLP",
    "PointMamba",
    "PointNeXt",
    "PointNet",
    "PointNet2",
    "PointTransformer",
    "Rotated",
    "Rotator",
    "VoxelNet",
    "canonical",
    "pointmlp",
    "pointmlp_elite",
    "pointnet2_msg",
    "pointnet2_ssg",
    "pointnet_large",
    "pointnet_light",
    "pointnet_small",
    "rotated",
]
