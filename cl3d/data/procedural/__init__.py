"""Procedural shapes: the makers of the 40 classes of :func:`cl3d.data.shapes.shapes40`."""
