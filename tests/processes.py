"""Several processes of one run, which do without torchrun: it takes seconds to start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def environment(**more: str) -> dict[str, str]:
    """What a process in which this library and the tests' modules are importable gets."""
    path = os.pathsep.join([str(HERE.parent), str(HERE), *sys.path])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **more}


def in_processes(count: int, function: str, *arguments: object) -> None:
    """Calls ``module:function`` with the arguments, as text, in so many processes of one run.

    Raises:
        AssertionError: with what a process told, if one failed.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    started = [
        subprocess.Popen(
            [sys.executable, __file__, function, *map(str, arguments)],
            env=environment(
                RANK=str(rank),
                LOCAL_RANK=str(rank),
                WORLD_SIZE=str(count),
                MASTER_ADDR="127.0.0.1",
                MASTER_PORT=port,
            ),
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    told = [process.communicate(timeout=300)[1] for process in started]
    assert [process.returncode for process in started] == [0] * count, "\n".join(told)


def _main(function: str, *arguments: str) -> None:
    import importlib

    import torch

    from cl3d.distributed import processes

    torch.set_num_threads(1)
    module, name = function.split(":")
    with processes():
        getattr(importlib.import_module(module), name)(*arguments)


if __name__ == "__main__":
    _main(*sys.argv[1:])
