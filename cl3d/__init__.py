"""Class-incremental learning of point clouds with distilled memories.

The parts, lowest first; imports go one way only:

- :mod:`cl3d.clouds`, :mod:`cl3d.rotations`, :mod:`cl3d.random`: labelled clouds, turning them,
  and keyed randomness
- :mod:`cl3d.ops`: geometry and layers that have to be fast
- :mod:`cl3d.data`, :mod:`cl3d.models`: data sets and backbones
- :mod:`cl3d.distill`: data set distillation, usable without Avalanche
- :mod:`cl3d.continual`: the Avalanche side
- :mod:`cl3d.report`: what a person sees
"""

__version__ = "0.1.0"
