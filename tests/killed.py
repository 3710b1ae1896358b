"""Runs a script of ``scripts/``, a process of which ends: killed.py HOW SCRIPT RANK STEPS MARK [ARGUMENTS].

After so many steps of condensing the process of that rank kills itself or raises an error, as HOW says,
unless the file MARK is there, which it leaves. States take a while to write, as on a slow disk; where rank 0
dies, which writes them, it has done so after each step.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import time
from pathlib import Path

import torch

from cl3d import distributed
from cl3d.distill import checkpoint, loop

how, script, rank, steps, mark, *arguments = sys.argv[1:]
step, left = loop.Loop._step, [int(steps)]


def killed(self: loop.Loop) -> None:
    if left[0] == 0 and distributed.rank() == int(rank) and not Path(mark).exists():
        Path(mark).touch()
        if how == "raises":
            raise RuntimeError("a class that is no good")
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    step(self)


def slowly(path: Path, data: bytes) -> None:
    time.sleep(0.5)  # in which torchrun tells who is left to end
    write_bytes(path, data)


torch.set_num_threads(1)
loop.Loop._step = killed  # type: ignore[method-assign]
write_bytes, checkpoint.write_bytes = checkpoint.write_bytes, slowly
if int(rank) == 0:
    checkpoint.SECONDS_BETWEEN = 0.0
sys.argv = [f"{script}.py", *arguments]
runpy.run_path(str(Path(__file__).parents[1] / "scripts" / sys.argv[0]), run_name="__main__")
