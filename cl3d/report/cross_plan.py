"""From the command line of cross.py to rows and columns: refuses what cannot be before anything is made."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cl3d.config_paths import CONFIGS
from cl3d.data import Dataset
from cl3d.distill import SyntheticSet, load
from cl3d.distill.cost import condensing_passes, seconds_to_start
from cl3d.errors import InputError
from cl3d.report.cross import Column, Cross, Row
from cl3d.report.distill import check_fits
from cl3d.report.jobs import distilling, listed, seeds_of, slug
from cl3d.settings import NUMERICS, budget, build, build_condenser, handed_on, whole
from cl3d.tasks import build_model, parts_to_learn

GROWS = ("sets", "condensers", "distil_with", "models", "seeds")
"""Settings that only say which cells there are: a folder keeps those of earlier runs."""

CLOUDS = ("shots", "imbalance", "holdout", "canonical", *NUMERICS)


def plan(config: DictConfig, dataset: Dataset, folder: Path) -> Cross:
    """What ``configs/cross.yaml`` with the command line's settings asks for.

    Args:
        dataset: that of the config.
        folder: absolute.

    Raises:
        InputError: if a name, a file or a setting does not fit.
    """
    given = OmegaConf.to_container(OmegaConf.masked_copy(config, list(GROWS)), resolve=True)
    assert isinstance(given, dict)
    if not given["sets"] and not given["condensers"]:
        raise InputError("there is nothing to evaluate: give sets=[FILE,...] or condensers=[random,dm]")
    if given["distil_with"] is None:
        given["distil_with"] = [_chosen_model(config)]
    seeds, runs = seeds_of(given["seeds"]), whole(config, "runs", 1)
    both, num_parts = handed_on(config, ("task", "dataset", "data"), CLOUDS), parts_to_learn(config, dataset)
    making = [*both, *handed_on(config, (), ("ppc", "ratio", "budget", "resolution"))]
    testing = handed_on(config, ("training",), ("runs", "fresh_decoding", "decode_points"))
    testing = [*both, *testing]
    listed("models", given["models"], str, "[pointnet,dgcnn]")
    columns = [column_of(text, testing, num_parts) for text in given["models"]]
    rows = []
    if given["sets"]:
        listed("sets", given["sets"], str, "[runs/pcc/synthetic.safetensors]")
        rows += [given_row(text, columns, seeds, dataset) for text in given["sets"]]
    if given["condensers"]:
        listed("condensers", given["condensers"], str, "[random,dm]")
        listed("distil_with", given["distil_with"], str, "[pointnet]")
        rows += _condensed(config, given, making, columns, seeds, dataset, folder)
    for what in ("name", "folder"):
        if len({getattr(row, what) for row in rows}) < len(rows):
            raise InputError(f"sets={given['sets']}: give each set once")
    if config.decode_points is not None:
        wanted = whole(config, "decode_points", 1)
        rows = [row if row.points is None else replace(row, points=wanted) for row in rows]
    return Cross(rows, columns, seeds, folder, testing, runs)


def column_of(text: str, testing: Sequence[str], num_parts: int | None = None) -> Column:
    """A choice of ``model=`` with settings, tried once.

    Args:
        testing: settings of ``evaluate.py`` that all columns have.
        num_parts: see :func:`cl3d.tasks.build_model`.
    """
    settings = _model_settings("models", text, ("model", "training"))
    config = compose("evaluate", [*testing, *settings])
    model, training = build_model(config.model, num_parts), build(config.training)
    return Column(text, tuple(settings), _plain(config.model), model, training)


def _condensed(
    config: DictConfig,
    given: dict[Any, Any],
    making: Sequence[str],
    columns: Sequence[Column],
    seeds: Sequence[int],
    dataset: Dataset,
    folder: Path,
) -> list[Row]:
    """A row for each condenser and model to distil with; one where the condenser looks through none."""
    rows = []
    for condenser in given["condensers"]:
        for model in given["distil_with"]:
            settings = [*making, *_model_settings("distil_with", model, ("model",))]
            name, *changes = condenser.split()
            composed = compose("distill", [f"condenser={name}", *settings, *changes])
            network = build_model(composed.model, parts_to_learn(config, dataset))
            built, looks = build_condenser(composed), looks_through_networks(_plain(composed.condenser))
            built.check_model(network)
            train, finest = dataset.train, dataset.train.num_points
            there = dict(zip(train.classes, train.clouds_of_each_class(), strict=True))
            shares, picks = built.plan(list(there.values()), finest, budget(config))
            clouds = built.size(there, finest, budget(config)).clouds
            place = slug(condenser) + (f"_by_{slug(model)}" if looks else "")
            jobs = {
                seed: distilling(
                    f"{condenser} by {model}, seed {seed}" if looks else f"{condenser}, seed {seed}",
                    condenser,
                    [*settings, f"seed={seed}"],
                    folder / "sets" / place / f"seed_{seed}",
                )
                for seed in seeds
            }
            row = Row(
                name=f"{condenser} by {model}" if looks and len(given["distil_with"]) > 1 else condenser,
                folder=place,
                distilled_with=model if looks else None,
                own=_own(_plain(composed.model), columns) if looks else frozenset(),
                clouds=clouds,
                sets={seed: job.product for seed, job in jobs.items()},
                making=jobs,
                build=network,
                passes=condensing_passes(built, len(dataset.train), len(there), finest, clouds),
                points=built.parameterization.decoded_points(finest),
                seconds_to_start=partial(seconds_to_start, built, sum(picks), sum(shares), finest),
            )
            rows.append(row)
            if not looks:
                break
    return rows


def given_row(text: str, columns: Sequence[Column], seeds: Sequence[int], dataset: Dataset) -> Row:
    """The row of a file, or of all real clouds."""
    if text == "data":
        return Row(text, text, None, frozenset(), len(dataset.train), dict.fromkeys(seeds, text))
    path = Path(text).absolute()
    synthetic = load(path)
    check_fits(synthetic, dataset, columns[0].build)
    model = _model_of(synthetic)
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:12]  # another set in its place is another row
    return Row(
        name=text,
        folder=f"{slug(path.parent.name)}-{content}",
        distilled_with=None if model is None else _name_of(model, columns),
        own=frozenset() if model is None else _own(model, columns),
        clouds=len(synthetic),
        points=synthetic.decode().num_points,
        sets=dict.fromkeys(seeds, path),
    )


def looks_through_networks(condenser: dict[str, Any]) -> bool:
    """Whether what a condenser makes hangs on the model: by its objective, or by how it picks clouds."""
    return condenser.get("objective") is not None or "training" in (condenser.get("initializer") or {})


def _model_of(synthetic: SyntheticSet) -> dict[str, Any] | None:
    """The config of the model that a set was distilled with, as its file says."""
    origin = synthetic.info.get("provenance", {})
    condenser, model = origin.get("condenser"), origin.get("model")
    known = isinstance(condenser, dict) and isinstance(model, dict)
    return model if known and looks_through_networks(condenser) else None


def _name_of(model: dict[str, Any], columns: Sequence[Column]) -> str:
    for column in columns:
        if column.config == model:
            return column.name
    for name in sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml")):
        if _plain(compose("evaluate", [f"model={name}"]).model) == model:
            return name
    return f"{str(model.get('_target_')).rsplit('.', 1)[-1]}, other settings"


def _chosen_model(config: DictConfig) -> str:
    """The choice of ``model=`` with its settings, as an entry of ``distil_with``."""
    settings = [text for text in handed_on(config, ("model",), ()) if not text.startswith("model=")]
    return " ".join([str(HydraConfig.get().runtime.choices["model"]), *settings])


def _own(model: dict[str, Any], columns: Sequence[Column]) -> frozenset[str]:
    return frozenset(column.name for column in columns if column.config == model)


def _model_settings(what: str, text: str, heads: Sequence[str]) -> list[str]:
    """The overrides that a text stands for: a choice of ``model=``, then settings."""
    name, *changes = text.split()
    for change in changes:
        found = re.match(r"[+~]*(\w+)", change)
        if "=" in name or found is None or found.group(1) not in heads:
            raise InputError(
                f"{what}: {text!r} has {change}: give a choice of model=, then settings of "
                f"{' and '.join(heads)} alone"
            )
    return [f"model={name}", *changes]


def _plain(config: Any) -> dict[str, Any]:
    """A config as a file's header gives it back."""
    plain = json.loads(json.dumps(OmegaConf.to_container(config, resolve=True)))
    assert isinstance(plain, dict)
    return plain
