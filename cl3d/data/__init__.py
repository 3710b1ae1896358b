"""Data sets, one per file, each a function that returns a :class:`Dataset`."""

from cl3d.data.dataset import Dataset
from cl3d.data.modelnet import modelnet10, modelnet40
from cl3d.data.shapes import shapes40

__all__ = ["Dataset", "modelnet10", "modelnet40", "shapes40"]
