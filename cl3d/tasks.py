"""The task of a script: which networks it builds, and what these are told of the data."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from omegaconf import DictConfig

from cl3d.errors import InputError
from cl3d.random import isolated
from cl3d.settings import build, build_dataset

PART_SEGMENTATION = "part_segmentation"


def segments(config: DictConfig) -> bool:
    """Whether networks tell the part of each point, and not the class of each cloud."""
    return bool(config.get("task") == PART_SEGMENTATION)


def build_task(config: DictConfig, dataset: Any = None) -> tuple[Any, Any]:
    """The data set of a script's config, and the constructor of networks for its ``task``.

    Args:
        dataset: the config's own, where it is there already; otherwise it is loaded.

    Raises:
        InputError: if a value does not fit, the networks are for the other task, or the data has no parts to
            learn.
    """
    model = build_model(config.model, 2 if segments(config) else None)  # tried before data is loaded
    dataset = build_dataset(config) if dataset is None else dataset
    num_parts = parts_to_learn(config, dataset)
    return dataset, model if num_parts is None else build_model(config.model, num_parts)


def parts_to_learn(config: DictConfig, dataset: Any) -> int | None:
    """How many parts networks tell apart, those of all classes together; None where they classify.

    Raises:
        InputError: if the data has none to learn.
    """
    if not segments(config):
        return None
    if dataset.train.parts is None or dataset.test.parts is None:
        raise InputError(
            f"task={PART_SEGMENTATION}, but {dataset.name} has no part labels: give dataset=shapes40, "
            "dataset=labeled_parts, dataset=shapenetpart, or dataset=folder with a file that has parts and "
            "part_names"
        )
    return int(dataset.num_parts)


def build_model(config: Any, num_parts: int | None = None) -> Any:
    """Builds the constructor of networks that a config describes, having tried it once.

    Args:
        num_parts: outputs of networks that segment; None: they classify.

    Raises:
        InputError: if a value does not fit, or the networks are for the other task.
    """
    model = build(config)
    name = config._target_.rpartition(".")[2]
    takes_parts = "num_parts" in inspect.signature(model).parameters
    if takes_parts and num_parts is None:
        raise InputError(
            f"model: {name} segments, and here networks classify: give another model, or "
            f"task={PART_SEGMENTATION} to a script that has it"
        )
    if num_parts is not None:
        if not takes_parts:
            raise InputError(
                f"model: {name} classifies, and task={PART_SEGMENTATION} takes networks that segment: "
                "give e.g. model=pointnet_light_segmentation"
            )
        model = partial(model, num_parts=num_parts)
    with isolated(0, "trial"):
        try:
            model(2)
        except TypeError as error:
            raise InputError(f"model: {error}") from error
    return model
