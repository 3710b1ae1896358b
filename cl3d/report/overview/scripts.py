"""How far the runs of each script are, and what they have come to, from the files that they leave."""

from __future__ import annotations

import csv
import json
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cl3d.report.headline import headline, measured

Config = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """What a folder says of its run.

    Attributes:
        what: was run, in a few words.
        done, planned: units of work: steps, iterations, networks, sets or cells; None where not known.
        headline: its figure in words, where it has one.
        figures: its figures by name; accuracies in [0, 1].
        nbytes: of its memory or set.
    """

    what: str
    done: int | None = None
    planned: int | None = None
    finished: bool = False
    failed: bool = False
    headline: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    nbytes: int | None = None


def _continual(folder: Path, config: Config) -> Facts:
    strategy = _choice(config["strategy"])
    memory = [str(config["condenser"]["name"])] if strategy in ("scratch", "rehearse", "online") else []
    what = ", ".join([*memory, strategy, _choice(config["data"]), f"seed {config['seed']}"])
    planned = 1 if strategy == "joint" else int(config["steps"])
    results = _json(folder / "results.json")
    if not results:
        return Facts(what, 0, planned)
    told = headline(results)
    done, prefix = len(told.per_step), _prefix(told.name)
    figures = {f"final_{told.key}": told.final, f"average_{told.key}": told.average}
    known = {name: float(value) for name, value in figures.items() if value is not None}
    return Facts(
        what,
        done,
        len(results["settings"]["classes_per_step"]),
        finished=results["status"] == "finished",
        failed=results["status"] == "failed",
        headline=prefix + "{:.1f} % (average {:.1f} %)".format(*(100 * x for x in known.values()))
        if known
        else "",
        figures=known,
        nbytes=int(results["memory_bytes"]) if memory and done else None,
    )


def _distilled(folder: Path, config: Config) -> Facts:
    condenser = config["condenser"]
    what = f"{condenser['name']}, {_choice(config['data'])}, seed {config['seed']}"
    planned = int(condenser["iterations"])
    if not (folder / "synthetic.safetensors").exists():
        return Facts(what, _iterations(folder / "checkpoint.safetensors"), planned)
    cost = _json(folder / "cost.json")
    moved = cost.get("moved_mean")
    headline, figures = ("", {}) if moved is None else (f"moved {moved:.3f}", {"moved_mean": float(moved)})
    return Facts(what, planned, planned, True, headline=headline, figures=figures, nbytes=cost.get("nbytes"))


def _evaluated(folder: Path, config: Config) -> Facts:
    of = config["set"] if config["set"] == "data" else Path(config["set"]).parent.name
    what = f"{_choice(config['model'])} on {of}, seed {config['seed']}"
    found, planned = _json(folder / "evaluation.json"), int(config["runs"])
    if not found:
        return Facts(what, None, planned)
    mean, std = float(found["mean"]), float(found["std"])
    told = f"{_prefix(measured(found)[0])}{100 * mean:.1f} ± {100 * std:.1f} %"
    return Facts(what, planned, planned, True, headline=told, figures={"mean": mean, "std": std})


def _compared(folder: Path, config: Config) -> Facts:
    what = f"{_named(config['condensers'], 'condensers')}, {_choice(config['data'])}"
    planned = len(config["condensers"]) * _count(config["seeds"])
    done = len(list(folder.glob("*/seed_*/evaluation/evaluation.json")))
    best = _best(folder / "comparison.csv", "condenser")
    return Facts(what, min(done, planned), planned, _newest(folder / "comparison.csv"), **best)


def _crossed(folder: Path, config: Config) -> Facts:
    sets = len(config["sets"]) + len(config["condensers"]) * len(config["distil_with"] or ["model="])
    planned = sets * len(config["models"]) * _count(config["seeds"])
    done = len(list(folder.glob("cells/*/*/seed_*/evaluation.json")))
    whole = (folder / "cross.csv").exists() and done >= planned
    what = f"{sets} sets, {_named(config['models'], 'models')}, {_choice(config['data'])}"
    return Facts(what, min(done, planned), planned, whole)


def _compared_continually(folder: Path, config: Config) -> Facts:
    what = f"{_named(config['buffers'], 'memories')}, {_choice(config['data'])}"
    whole = _newest(folder / "comparison.md")
    return Facts(what, finished=whole, **_best(folder / "runs.csv", "memory"))


SCRIPTS: dict[str, Callable[[Path, Config], Facts]] = {
    "cl_run": _continual,
    "distill": _distilled,
    "evaluate": _evaluated,
    "compare": _compared,
    "compare_cl": _compared_continually,
    "cross": _crossed,
}


def _newest(table: Path) -> bool:
    """Whether a table is there, of the last command: one that asks for more writes the config anew."""
    config = table.with_name("config.yaml")
    return table.exists() and table.stat().st_mtime >= config.stat().st_mtime


def _best(path: Path, label: str) -> dict[str, Any]:
    """The best mean in a table of runs, as it is told."""
    rows = list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []
    if not rows:
        return {}
    figure, column = measured(rows[0])
    if "final" in rows[0]:  # of continual runs, whose figure has a column of its own where it is not accuracy
        figure, column = rows[0].get("figure", figure), "final"
    groups: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        groups[row[label]].append(float(row[column]))
    name, value = max(((n, statistics.fmean(v)) for n, v in groups.items()), key=lambda found: found[1])
    return {"headline": f"{_prefix(figure)}{100 * value:.1f} % by {name}", "figures": {"best": value}}


def _prefix(figure: str) -> str:
    """What a figure is called, where it is not accuracy."""
    return "" if figure == "accuracy" else f"{figure} "


def _iterations(path: Path) -> int:
    """How far a condensation is, from its checkpoint's header alone (safetensors: its length, then JSON)."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return len(json.loads(header["__metadata__"]["cl3d"])["facts"]["losses"])


def _choice(config: Config) -> str:
    """What a constructor's config is called: cl3d.data.modelnet40 is modelnet40."""
    return str(config["_target_"]).rsplit(".", 1)[-1].lower()


def _named(choices: list[str], what: str) -> str:
    """A few choices by name, without their settings; many by their number."""
    names = list(dict.fromkeys(choice.split()[0] for choice in choices))
    return " ".join(names) if len(names) <= 4 else f"{len(choices)} {what}"


def _count(seeds: object) -> int:
    return seeds if isinstance(seeds, int) else len(seeds)  # type: ignore[arg-type]


def _json(path: Path) -> dict[str, Any]:
    """The content; empty where there is no file."""
    return dict(json.loads(path.read_text())) if path.exists() else {}
