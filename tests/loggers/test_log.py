"""A log watches progress, and never stands in the way."""

from __future__ import annotations

import warnings

import pytest

from cl3d import distributed
from cl3d.errors import InputError, Note
from cl3d.loggers import Log, Row
from cl3d.progress import silent


class Kept:
    """A logger that keeps rows in memory, and fails when it is told to."""

    name = "kept"

    def __init__(self, fails: str = "") -> None:
        self.rows: list[Row] = []
        self.fails, self.status = fails, ""

    def open(self, folder, settings):
        if self.fails == "open":
            raise RuntimeError("no key\nand more " + 500 * "x")

    def write(self, row):
        if self.fails == "write":
            raise OSError(28, "No space left on device")
        self.rows.append(row)

    def close(self, status):
        if self.fails == "close":
            raise RuntimeError
        self.status = status


def work(progress, steps=2, iterations=3, done=0):
    with progress("steps", steps, done, each="step") as step:
        for _ in range(steps - done):
            with (
                progress("step", 2) as phase,
                progress("condensing", iterations, each="iteration") as advance,
            ):
                for i in range(iterations):
                    advance(loss=float(i))
                phase()
            step("a note")
    with progress("fitting", 1) as advance:
        advance(distance=1.0)


def test_figures_of_progress_are_rows_in_their_places(tmp_path):
    kept = Kept()
    with Log([kept]) as log:
        log.open(tmp_path)
        work(log.watching(silent))
    assert [(r.task, dict(r.place), r.figures) for r in kept.rows] == [
        *(
            ("condensing", {"step": step, "iteration": i}, {"loss": i - 1.0})
            for step in (1, 2)
            for i in (1, 2, 3)
        ),
        ("fitting", {"unit": 1}, {"distance": 1.0}),
    ]
    assert kept.status == "finished"


def test_what_was_done_earlier_is_counted(tmp_path):
    kept = Kept()
    with Log([kept]) as log:
        log.open(tmp_path)
        work(log.watching(silent), steps=4, done=3)
    assert {dict(row.place)["step"] for row in kept.rows if row.task == "condensing"} == {4}


def test_what_is_shown_stays_the_same(tmp_path):
    shown: list[tuple[object, ...]] = []
    from contextlib import contextmanager

    @contextmanager
    def progress(description, total, done=0, each=""):
        shown.append((description, total, done, each))
        yield lambda note="", **figures: shown.append((note, figures))

    work(progress)
    alone = list(shown)
    shown.clear()
    with Log([Kept()]) as log:
        log.open(tmp_path)
        work(log.watching(progress))
    assert shown == alone


def test_work_that_nothing_tells_apart_is_noted(tmp_path):
    kept = Kept()
    with Log([kept]) as log:
        log.open(tmp_path)
        same = [Row("steps", (("step", 1),), {"a": 1.0})]
        log.write(same)
        log.write(same)
        several = [Row("condensing", (("iteration", 1),), {"loss": loss}) for loss in (1.0, 2.0, 3.0)]
        with pytest.warns(Note, match="there are several of iteration 1.*open a task around each") as told:
            log.write(several)
        assert len(told) == 1
    assert [row.figures for row in kept.rows] == [{"a": 1.0}, {"loss": 1.0}]


def test_without_loggers_nothing_stands_between():
    assert Log().watching(silent) is silent


@pytest.mark.parametrize("when", ["write", "close"])
def test_one_that_fails_is_noted_once_and_left_out(tmp_path, when):
    broken, kept = Kept(when), Kept()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with Log([broken, kept]) as log:
            log.open(tmp_path)
            work(log.watching(silent))
    notes = [str(w.message) for w in told if issubclass(w.category, Note)]
    assert len(notes) == 1
    assert "logger=kept has failed" in notes[0]
    assert "goes on without it" in notes[0]
    assert len(kept.rows) == 7
    assert kept.status == "finished"


def test_one_that_cannot_begin_is_refused_in_one_line(tmp_path):
    with Log([Kept("open")]) as log, pytest.raises(InputError, match="cannot begin") as error:
        log.open(tmp_path)
    assert "RuntimeError: no key" in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, "interrupted"), (ValueError, "failed")])
def test_how_it_ended_is_told(tmp_path, error, status):
    kept = Kept()

    def stop(log):
        log.open(tmp_path)
        raise error

    with pytest.raises(error), Log([kept]) as log:
        stop(log)
    assert kept.status == status


def test_the_first_process_alone_logs(tmp_path, monkeypatch):
    monkeypatch.setattr(distributed, "_place", distributed._Place(rank=1, world=2, local_rank=1))
    kept = Kept("open")
    with Log([kept]) as log:
        log.open(tmp_path)
        assert log.watching(silent) is silent
        log.write([Row("a", (), {"b": 1.0})])
    assert not kept.rows
    assert not kept.status
