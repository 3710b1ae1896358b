"""PCT for part segmentation: the contract, what a point is given, the size of the authors' net."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from cl3d.errors import InputError
from cl3d.models import PCTSegmentation
from cl3d.testing import segmentation
from cl3d.testing.backbones import clouds
from cl3d.testing.segmentation import check_segmentation

NARROW: dict[str, Any] = {"width": 7, "attentions": 2, "embedding": 11, "label": 5, "hidden": (13, 7)}


@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_every_norm_keeps_the_contract(norm: str) -> None:
    check_segmentation(lambda s, p: PCTSegmentation(s, p, norm=norm, **NARROW))


@pytest.mark.parametrize("channels", [4, 6])
def test_features_of_points_keep_the_contract(channels: int) -> None:
    check_segmentation(lambda s, p: PCTSegmentation(s, p, in_channels=channels, **NARROW))


def test_a_point_is_given_its_embedding_their_max_and_mean_and_the_class() -> None:
    net = segmentation.make(lambda s, p: PCTSegmentation(s, p, norm="none", **NARROW))
    x = net.layers(clouds())
    first = net.attentions[0](x)
    both = torch.cat([first, net.attentions[1](first)], dim=2)
    embedded = torch.nn.functional.leaky_relu(net.embedding.linear(both), 0.2)
    one_hot = torch.eye(3, dtype=torch.float64)[segmentation.classes()]
    label = torch.nn.functional.leaky_relu(net.label[0](one_hot), 0.2)
    whole = torch.cat([embedded.amax(dim=1), embedded.mean(dim=1), label], dim=1)
    given = torch.cat([embedded, whole.unsqueeze(1).expand(-1, x.shape[1], -1)], dim=2)
    joined = net.hidden.join.linear(given).relu()
    expected = net.classifier(net.hidden.layers[0].linear(joined).relu())
    torch.testing.assert_close(net(clouds(), segmentation.classes()), expected)


def test_it_has_the_size_of_the_authors_net() -> None:
    # github.com/MenghaoGuo/PCT, networks/seg/pct_partseg.py, layer by layer, but for biases before a norm
    attention = 128 * 32 + (128 * 128 + 128) + (128 * 128 + 2 * 128)
    normed = [(3, 128), (128, 128), (512, 1024), (16, 64), (3 * 1024 + 64, 512), (512, 256)]
    expected = 4 * attention + sum(a * b + 2 * b for a, b in normed) + 256 * 50 + 50
    assert sum(p.numel() for p in PCTSegmentation(16, 50).parameters()) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_parts": 0}, "num_parts=0"),
        ({"width": 3}, "width=3 leaves attention without a channel: give at least 4"),
        ({"attentions": 0}, "attentions=0"),
        ({"embedding": 0}, "embedding=0"),
        ({"label": 0}, "label=0"),
        ({"hidden": ()}, "hidden=\\(\\)"),
        ({"norm": "instance"}, "give one of batch, group, none"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PCTSegmentation(**{"num_shapes": 2, "num_parts": 3, **arguments})
