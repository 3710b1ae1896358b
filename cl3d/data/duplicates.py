"""Exact copies among the clouds of a release.

Releases hold some clouds more than once; ModelNet40 has test clouds that stand in train, too, so
that a model is tested on what it has seen. Clouds count as copies where their stored coordinates are
the same bytes, whatever their labels. Where copies are dropped it is those in test: what is learned
from stays the same as everybody's, and the test set becomes honest. Copies within a split are
counted and stay.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Duplicates:
    """How many clouds are exact copies of others.

    Attributes:
        train: train clouds that repeat an earlier one of train.
        test: test clouds that repeat an earlier one of test.
        test_in_train: test clouds that stand in train, too.
        dropped: whether those are left out.
    """

    train: int = 0
    test: int = 0
    test_in_train: int = 0
    dropped: bool = False


class CopyCounter:
    """Counts copies while the clouds pass by, first those of train, then those of test.

    Args:
        drop: whether test clouds that stand in train are dropped.
    """

    def __init__(self, drop: bool) -> None:
        self.found = Duplicates(dropped=drop)
        self._seen: dict[str, set[bytes]] = {"train": set(), "test": set()}

    @classmethod
    def of(cls, train: Tensor, test: Tensor) -> Self:
        """Has counted the clouds (n, p, 3) of both splits."""
        counter = cls(drop=False)
        counter.staying("train", train)
        counter.staying("test", test)
        return counter

    def staying(self, split: str, points: Tensor) -> Tensor:
        """Counts clouds of ``split``, and says which of them stay.

        Args:
            points: (n, p, 3) as stored.

        Returns:
            (n,) booleans.
        """
        staying = torch.ones(len(points), dtype=torch.bool)
        seen = self._seen[split]
        for index, cloud in enumerate(points.cpu().contiguous().numpy()):
            digest = hashlib.blake2b(cloud.tobytes(), digest_size=16).digest()
            repeats, in_train = digest in seen, split == "test" and digest in self._seen["train"]
            seen.add(digest)
            staying[index] = not (in_train and self.found.dropped)
            if repeats or in_train:
                self._count(split, repeats, in_train)
        return staying

    def _count(self, split: str, repeats: bool, in_train: bool) -> None:
        found = self.found
        self.found = replace(
            found,
            train=found.train + (split == "train" and repeats),
            test=found.test + (split == "test" and repeats),
            test_in_train=found.test_in_train + in_train,
        )
