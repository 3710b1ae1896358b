"""Progress on a terminal, a narrow one, in a pipe and in CI; an interrupt leaves the terminal as it was."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from processes import environment
from rich.console import Console

from cl3d.report import bars, terminal
from cl3d.report.bars import Task
from cl3d.report.terminal import Terminal

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

WORK = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
from cl3d.report.terminal import Terminal
shown = Terminal()
with shown.progress("steps", 3, 1, each="step") as step:
    for number in (2, 3):
        with shown.progress(f"step {number}", 2) as phase:
            with shown.progress("condensing", 6, each="iteration") as advance:
                for _ in range(6):
                    time.sleep(PAUSE)
                    advance(loss=0.123456, moved=0.5)
            phase("testing")
            phase()
        shown.say(f"step {number} is finished")
        step("50.0 % on classes seen")
print("the end")
"""


class FakeTerminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def lines(monkeypatch):
    """A terminal that is none, and what was printed on it."""
    out = io.StringIO()

    def shown() -> list[str]:
        return out.getvalue().splitlines()

    return Terminal(Console(file=out, width=30)), shown


def test_a_pipe_gets_whole_plain_lines(lines, monkeypatch):
    shown, printed = lines
    monkeypatch.setattr(terminal, "OUTER_INTERVAL", 0.0)
    monkeypatch.setattr(terminal, "PLAIN_INTERVAL", 0.0)
    with shown.progress("steps", 2) as step:
        with (
            shown.progress("step 1", 2) as phase,
            shown.progress("condensing", 2, each="iteration") as advance,
        ):
            advance(loss=0.123456, moved=0.5)
            advance("a note [with brackets] that is longer than the console", loss=1.0)
            phase("testing")
        step("50.0 % on classes seen")
        step()
    assert printed() == [
        "step 1 > condensing 1/2, 1 s left: loss 0.1235, moved 0.5",
        "step 1 > condensing 2/2: a note [with brackets] that is longer than the console",
        "step 1 1/2, 1 s left: testing",
        "steps 1/2, 1 s left: 50.0 % on classes seen",
        "steps 2/2",
    ]
    assert "\x1b" not in "".join(printed())


def test_inner_work_tells_little_in_a_pipe(lines):
    shown, printed = lines
    with shown.progress("steps", 1) as step:
        with shown.progress("condensing", 1000) as advance:
            for _ in range(1000):
                advance(loss=1.0)
        step()
    assert printed() == ["steps 1/1"]


@pytest.mark.parametrize(
    ("variables", "live"),
    [({}, True), ({"CI": "true"}, False), ({"CI": "false"}, True), ({"TERM": "dumb"}, False)],
)
def test_bars_are_for_terminals_alone(monkeypatch, variables, live):
    for name in ("CI", "TERM", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    assert Terminal(Console(file=FakeTerminal())).live is live
    monkeypatch.setenv("FORCE_COLOR", "1")  # colours in a pipe are no reason to move a cursor
    assert not Terminal(Console(file=io.StringIO())).live


def test_time_left_is_judged_by_units_done_here(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(bars.time, "monotonic", lambda: now[0])
    task = Task("steps", 10, earlier=4)
    assert task.left() is None
    now[0] += 60.0  # longer than what rich looks back
    task.advance()
    assert task.left() == pytest.approx(5 * 60)
    now[0] += 20.0
    assert task.left() == pytest.approx(5 * 60 - 20)
    now[0] += 1000.0
    assert task.left() == 0.0


def on_a_terminal(width: int, pause: float, interrupt: bool = False, **variables: str) -> tuple[int, str]:
    """The exit code of the work on a terminal of that width, and what was written to it."""
    main, end = pty.openpty()
    code = WORK.replace("PAUSE", str(pause))
    more = environment(TERM="xterm", COLUMNS=str(width), LINES="24", **variables)
    more = {name: value for name, value in more.items() if name != "CI" or "CI" in variables}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=end, stderr=end, stdin=end, env=more)
    os.close(end)
    written, interrupted = b"", False
    with suppress(OSError):  # the other end is closed
        while piece := os.read(main, 4096):
            written += piece
            if interrupt and not interrupted and b"condensing" in written:
                time.sleep(0.3)
                process.send_signal(signal.SIGINT)
                interrupted = True
    os.close(main)
    return process.wait(timeout=60), written.decode()


def drawn(written: str) -> list[str]:
    return [
        CODES.sub("", line).rstrip() for line in re.split(r"[\r\n]+", written) if CODES.sub("", line).strip()
    ]


def test_bars_are_nested_and_go_away():
    code, written = on_a_terminal(110, 0.15)
    assert code == 0
    shown = drawn(written)
    assert any(re.match(r"steps +.*1/3", line) for line in shown)
    assert any(re.match(r"  step 2 +.*0/2", line) for line in shown)
    inner = [line for line in shown if line.startswith("    condensing")]
    assert any(re.search(r"[2-5]/6 +\d+ s left +loss 0\.1235, moved 0\.5", line) for line in inner)
    assert "step 2 is finished" in shown
    assert shown[-1] == "the end"
    assert written.count(HIDE) == written.count(SHOW) == 1


@pytest.mark.parametrize("width", [24, 45])
def test_a_narrow_terminal_has_one_line_for_each_task(width):
    code, written = on_a_terminal(width, 0.1)
    assert code == 0
    bars_drawn = [line for line in drawn(written) if re.search(r"\d/\d", line)]
    assert bars_drawn
    assert all(len(line) <= width and "…" not in line for line in bars_drawn)
    assert all(re.match(r" *(steps|step \d|cond)", line) for line in bars_drawn)
    assert any(re.search(r"condensing [3-5]/6", line) for line in bars_drawn)
    assert not re.search(r"(\x1b\[1A(\x1b\[2K)?){3}", written), "three tasks: two lines up, never more"


def test_an_interrupt_gives_the_terminal_back():
    code, written = on_a_terminal(100, 5, interrupt=True)
    assert code != 0
    assert written.count(HIDE) == written.count(SHOW) == 1
    assert written.index(SHOW) < written.index("KeyboardInterrupt")
    after = written[written.index(SHOW) :]
    assert "━" not in after
    assert "condensing 1/" not in CODES.sub("", after)


def test_ci_has_plain_lines_on_a_terminal():
    code, written = on_a_terminal(100, 0.0, CI="true")
    assert code == 0
    assert "\x1b" not in CODES.sub(lambda found: "" if found[0].endswith("m") else found[0], written)
    assert drawn(written)[-1] == "the end"
