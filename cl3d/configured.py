"""A continual run from the config of ``cl_run.py``, and the log that a config asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cl3d.config_paths import order_file
from cl3d.settings import budget, build, build_condenser, flag, whole
from cl3d.tasks import build_task


def continual_run(config: DictConfig, dataset: Any = None) -> Any:
    """Builds the :class:`cl3d.continual.ContinualRun` that a config describes.

    Args:
        dataset: the config's own, where it is there already; otherwise it is loaded.

    Raises:
        InputError: if a value does not fit; where no data is needed to know, before any is loaded.
    """
    # late: importing avalanche takes seconds, and --help should not
    from cl3d.continual import ContinualRun, read_order
    from cl3d.distill import resolve_device

    device = resolve_device(str(config.device))
    steps, seed = whole(config, "steps", 1), whole(config, "seed", 0)
    orders = None if config.class_order is None else order_file(str(config.class_order))
    order_seed = seed if config.order_seed is None else whole(config, "order_seed", 0)
    cost, strategy, condenser = budget(config), build(config.strategy), build_condenser(config)
    dataset, model = build_task(config, dataset)
    return ContinualRun(
        dataset=dataset,
        model=model,
        strategy=strategy,
        condenser=condenser,
        budget=cost,
        steps=steps,
        seed=seed,
        order_seed=order_seed,
        device=device,
        classifier=str(config.classifier),
        joint_condensed=flag(config, "joint_condensed"),
        memory_of=None if config.memory_of is None else Path(str(config.memory_of)),
        given_order=None if orders is None else read_order(orders, dataset.class_names, order_seed),
    )


def build_log(config: DictConfig) -> Any:
    """The :class:`cl3d.loggers.Log` of the loggers that a script's config chooses.

    Raises:
        InputError: if one of them is not installed, or a value does not fit.
    """
    from cl3d.loggers import Log

    settings = OmegaConf.to_container(config, resolve=True)
    assert isinstance(settings, dict)
    loggers = [build(chosen) for chosen in (config.logger or {}).values()]
    return Log(loggers, {str(name): value for name, value in settings.items()})
