"""Geometry and layers that have to be fast, each with a plain twin in :mod:`cl3d.ops.naive`."""
