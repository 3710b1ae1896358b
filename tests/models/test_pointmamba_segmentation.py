"""PointMamba for part segmentation: the contract, and the size of the authors' net."""

from __future__ import annotations

from typing import Any

import pytest

from cl3d.errors import InputError
from cl3d.models import PointMambaSegmentation
from cl3d.testing.segmentation import check_segmentation

NARROW: dict[str, Any] = {
    "width": 7,
    "depth": 3,
    "fetched": (1, 3),
    "count": 11,
    "k": 5,
    "propagation": (13, 7),
    "label": 5,
    "hidden": (11, 7),
}


@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_segmentation(lambda s, p: PointMambaSegmentation(s, p, norm=norm, **NARROW))


def test_features_of_points_keep_the_contract() -> None:
    check_segmentation(lambda s, p: PointMambaSegmentation(s, p, in_channels=6, **NARROW))


def test_it_has_the_size_of_the_authors_net() -> None:
    # github.com/LMD0311/PointMamba, part_segmentation/models/pt_mamba.py, layer by layer: twelve blocks with
    # their LayerNorm, patches and places as in the classifier, and two norms; but for biases before a norm
    block = 2 * 384 + 384 * 1536 + 5 * 768 + 768 * 56 + (24 * 768 + 768) + 768 * 16 + 768 + 768 * 384
    patch = (3 * 128 + 256) + (128 * 256 + 256) + (512 * 512 + 1024) + (512 * 384 + 384)
    place = (3 * 128 + 128) + (128 * 384 + 384)
    normed = [(1155, 1536), (1536, 1024), (16, 64), (3392, 512), (512, 256)]
    last = sum(a * b + 2 * b for a, b in normed) + 256 * 50 + 50
    # the order indicators of the two curves come on top
    expected = 12 * block + patch + place + 4 * 384 + last + 4 * 384
    assert sum(p.numel() for p in PointMambaSegmentation(16, 50).parameters()) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_parts": 0}, "num_parts=0"),
        ({"fetched": (0, 3)}, "give blocks from 1 to 12"),
        ({"fetched": ()}, "give blocks from 1 to 12"),
        ({"depth": 8}, "give blocks from 1 to 8"),
        ({"count": 0}, "count=0"),
        ({"hidden": ()}, "hidden=\\(\\)"),
        ({"drop_path": 1.0}, "drop_path=1.0"),
        ({"norm": "instance"}, "give one of batch, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PointMambaSegmentation(**{"num_shapes": 2, "num_parts": 3, **arguments})
