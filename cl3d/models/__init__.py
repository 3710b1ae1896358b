"""Backbones and part segmentation nets, one architecture per file, under two contracts (``base``)."""

from cl3d.models.base import Backbone, Net, SegmentationNet
from cl3d.models.dgcnn import DGCNN
from cl3d.models.dgcnn_segmentation import DGCNNSegmentation
from cl3d.models.pct import PCT
from cl3d.models.pct_segmentation import PCTSegmentation
from cl3d.models.point_transformer import PointTransformer
from cl3d.models.point_transformer_segmentation import PointTransformerSegmentation
from cl3d.models.pointconv import PointConv
from cl3d.models.pointconv_segmentation import PointConvSegmentation
from cl3d.models.pointmamba import PointMamba
from cl3d.models.pointmamba_segmentation import PointMambaSegmentation
from cl3d.models.pointmlp import PointMLP, pointmlp, pointmlp_elite
from cl3d.models.pointmlp_segmentation import PointMLPSegmentation
from cl3d.models.pointnet import PointNet, pointnet_large, pointnet_light, pointnet_small
from cl3d.models.pointnet2 import PointNet2, pointnet2_msg, pointnet2_ssg
from cl3d.models.pointnet2_segmentation import (
    PointNet2Segmentation,
    pointnet2_msg_segmentation,
    pointnet2_ssg_segmentation,
)
from cl3d.models.pointnet_segmentation import PointNetSegmentation
from cl3d.models.pointnext import PointNeXt
from cl3d.models.pointnext_segmentation import PointNeXtSegmentation
from cl3d.models.rotated import Rotated, rotated
from cl3d.models.rotator import Rotator, canonical
from cl3d.models.voxelnet import VoxelNet

__all__ = [
    "DGCNN",
    "PCT",
    "Backbone",
    "DGCNNSegmentation",
    "Net",
    "PCTSegmentation",
    "PointConv",
    "PointConvSegmentation",
    "PointMLP",
    "PointMLPSegmentation",
    "PointMamba",
    "PointMambaSegmentation",
    "PointNeXt",
    "PointNeXtSegmentation",
    "PointNet",
    "PointNet2",
    "PointNet2Segmentation",
    "PointNetSegmentation",
    "PointTransformer",
    "PointTransformerSegmentation",
    "Rotated",
    "Rotator",
    "SegmentationNet",
    "VoxelNet",
    "canonical",
    "pointmlp",
    "pointmlp_elite",
    "pointnet2_msg",
    "pointnet2_msg_segmentation",
    "pointnet2_ssg",
    "pointnet2_ssg_segmentation",
    "pointnet_large",
    "pointnet_light",
    "pointnet_small",
    "rotated",
]
