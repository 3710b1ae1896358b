"""Data sets, one per file, each a function that returns a :class:`Dataset`."""

from cl3d.data.dataset import Dataset
from cl3d.data.folder import folder
from cl3d.data.labeled_parts import labeled_parts
from cl3d.data.modelnet import modelnet10, modelnet40
from cl3d.data.mvpnet import mvpnet100
from cl3d.data.omniobject3d import omniobject3d
from cl3d.data.scanobjectnn import scanobjectnn
from cl3d.data.shapenet55 import shapenet55
from cl3d.data.shapenetpart import shapenetpart
from cl3d.data.shapes import shapes40

__all__ = [
    "Dataset",
    "folder",
    "labeled_parts",
    "modelnet10",
    "modelnet40",
    "mvpnet100",
    "omniobject3d",
    "scanobjectnn",
    "shapenet55",
    "shapenetpart",
    "shapes40",
]
