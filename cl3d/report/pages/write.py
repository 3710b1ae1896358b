"""Writes reports, and never lets one come between a run and its results."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from cl3d.atomic import write_text
from cl3d.clouds import PointClouds
from cl3d.distill.initial import save_initial
from cl3d.distributed import is_main
from cl3d.errors import InputError, Note, check_whole
from cl3d.report.pages import comparison, continual, distilled, sets
from cl3d.report.pages.found import find

NAME, OF_SEVERAL = "report.html", "comparison.html"


def write_report(
    folders: Sequence[Path],
    out: Path | None = None,
    *,
    resolutions: Sequence[int] = (),
    beside: Sequence[Path] = (),
    reference: str | None = None,
) -> Path:
    """Writes the report of a run, or one page that compares several.

    Args:
        folders: of runs, or of the runs of a sweep.
        out: the file; by default ``report.html`` in the run's folder, or ``comparison.html`` here.
        resolutions: points to decode to, of sets that decode to any number, as a generator's do.
        beside: further runs whose accuracy stands beside that of a single one.
        reference: of several, what the others are compared with.

    Returns:
        The file.

    Raises:
        InputError: if there is no run, the runs cannot stand side by side, or nothing can be written.
    """
    for wanted in resolutions:
        check_whole("points", wanted, 1)
    runs = [run for folder in folders for run in _runs_in(folder)]
    if len(runs) > 1:
        out = Path(OF_SEVERAL) if out is None else out
        found = [find(run) for run in runs]
        if any(one.script == "cl_run" for one in found):
            write_text(out, comparison.report(found, resolutions, reference))
        else:
            write_text(out, sets.report(found, resolutions))
        return out
    run = find(runs[0])
    text = (
        continual.report(run, resolutions, beside)
        if run.script == "cl_run"
        else distilled.report(run, resolutions)
    )
    out = runs[0] / NAME if out is None else out
    write_text(out, text)
    return out


def report_after(folder: Path, initial: PointClouds | None = None) -> None:
    """Writes the report of a run that has just ended; what hinders that is noted, whatever it is.

    Of a run's processes the first alone does so: to the others the folder may not be whole yet.

    Args:
        initial: what the set of ``distill.py`` started from, which is kept beside it.
    """
    if not is_main():
        return
    try:
        if initial is not None:
            save_initial(initial, folder / "initial.safetensors")
        print(f"report: {write_report([folder])}")
    except Exception as error:  # the run is finished and its results are there: nothing here may undo that
        told = error if isinstance(error, InputError) else repr(error)
        warnings.warn(
            f"no report was written ({told}): scripts/report.py {folder} tries again", Note, stacklevel=2
        )


def _runs_in(folder: Path) -> list[Path]:
    """The folder, if a run lies in it; otherwise those of its folders in which one does."""
    marks = ("config.yaml", "results.json", "synthetic.safetensors", "evaluation.json", "state")
    if any((folder / mark).exists() for mark in marks):
        return [folder]
    inner = sorted({path.parent for mark in marks for path in folder.glob(f"*/{mark}")})
    if not inner:
        raise InputError(
            f"there is no run in {folder}: give a folder that cl_run.py, distill.py or evaluate.py wrote"
        )
    return inner
