"""What tests of strategies share."""

from tiny_parts import shapes
from tiny_stream import benchmark, data

__all__ = ["benchmark", "data", "shapes"]
