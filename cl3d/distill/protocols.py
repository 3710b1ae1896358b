"""Protocols: how the papers train networks on a set to see what it is worth.

Every figure is of the last epoch unless it is said to be of the best, which is selected on the test set.
The same values stand in ``configs/training/`` for the command line.
"""

from __future__ import annotations

from dataclasses import replace

from cl3d.distill.augment import Augmentation
from cl3d.distill.optimizers import SGD, Adam
from cl3d.distill.training import Training


def default() -> Training:
    """Short and steady: 100 epochs of Adam with a cosine schedule and augmentation."""
    return Training(
        epochs=100, batch_size=32, optimizer=Adam(lr=1e-3), schedule="cosine", augmentation=Augmentation()
    )


def pcc() -> Training:
    """The PCC paper, section 6: 300 epochs of SGD, no augmentation; clouds of 2,048 points, 5 networks.

    The paper reports the best of its networks, this library their mean.
    """
    return Training(epochs=300, batch_size=128, optimizer=SGD(lr=1e-3, momentum=0.9, weight_decay=5e-4))


def dd3d() -> Training:
    """The DD3D paper, section 5.1: 200 epochs of Adam, a tenth of the rate after 100.

    Clouds of 1,024 points; two sets, five networks for each.
    """
    return Training(
        epochs=200,
        batch_size=8,
        optimizer=Adam(lr=1e-3, weight_decay=5e-4),
        schedule="half",
        augmentation=Augmentation(),
    )


def morph() -> Training:
    """The morphing paper, appendix B: 500 epochs of SGD, a tenth of the rate after 250; no augmentation.

    Clouds of 1,024 points; ten networks. Taken literally: batches of 8 leave 2 of 10 clouds over, which
    ruins the batch statistics, and with them the accuracy at one cloud per class;
    :func:`morph_balanced` is the same without that.
    """
    return replace(morph_balanced(), leftovers=True)


def morph_balanced() -> Training:
    """:func:`morph` with equally large batches."""
    return Training(
        epochs=500,
        batch_size=8,
        optimizer=SGD(lr=1e-2, momentum=0.9, weight_decay=5e-4),
        schedule="half",
    )
