"""The processes of one run: who does what, and how what they find comes together.

Under torchrun all processes run the same script on the same settings; :func:`processes` makes one run of
them. With one process, and outside of it, every function here is a no-op.

Whatever is added up is gathered first, and added in an order that hangs on what it is of and never on who
computed it: a result does not depend on the number of processes.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from cl3d.errors import InputError

if TYPE_CHECKING:  # torch takes a second to import, and --help should not
    from torch import Tensor
    from torch.distributed.distributed_c10d import Store

TIMEOUT = timedelta(days=7)
"""How long a process waits for another, which may prepare data or train; dead ones are noticed earlier."""

SECONDS_BETWEEN_LOOKS = 0.01

VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun tells each process by its environment; without the first a process is alone."""

T = TypeVar("T")


class Lost(KeyboardInterrupt):
    """Another process of the run has ended, which interrupts this one: no error of its own."""


@dataclass(frozen=True)
class _Place:
    """This process among those of its run."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0


_place = _Place()
_at_end: list[Callable[[], object]] = []


def at_end(forget: Callable[[], object]) -> None:
    """Calls ``forget`` when the processes part: what they have kept is of no use to those that meet next."""
    _at_end.append(forget)


def rank() -> int:
    """The number of this process, from 0."""
    return _place.rank


def world() -> int:
    """How many processes the run has."""
    return _place.world


def local_rank() -> int:
    """The number of this process among those of its machine."""
    return _place.local_rank


def is_main() -> bool:
    """Whether this is the process that writes files and tells how far it is."""
    return _place.rank == 0


def launched() -> int:
    """How many processes torchrun, or what sets the same variables, has started.

    Raises:
        InputError: if it has set some of them alone.
    """
    missing = [name for name in VARIABLES if name not in os.environ]
    if VARIABLES[0] in missing:
        return 1
    if missing:
        raise InputError(
            f"{VARIABLES[0]} is set and {', '.join(missing)} not: start several processes by torchrun, or "
            f"unset {VARIABLES[0]}"
        )
    return int(os.environ["WORLD_SIZE"])


@contextmanager
def processes() -> Iterator[None]:
    """Makes one run of the processes that torchrun started, from its environment variables.

    Tensors on the CPU travel by gloo, those on CUDA by nccl; each process takes the CUDA device that has its
    number on its machine.
    """
    global _place
    if launched() == 1:
        yield
        return
    import torch
    from torch import distributed
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    local = int(os.environ["LOCAL_RANK"])
    backend = "gloo"
    if local < torch.cuda.device_count():
        torch.cuda.set_device(local)
        backend = "cpu:gloo,cuda:nccl"
    with _connected():
        store, number, count = next(rendezvous("env://", timeout=TIMEOUT))
        own = PrefixStore(_attempt(store, number, count), store)
        distributed.init_process_group(backend, store=own, rank=number, world_size=count, timeout=TIMEOUT)
    _place = _Place(number, count, local)
    try:
        yield
    finally:
        _place = _Place()
        for forget in _at_end:
            forget()
    # only where all have come to the end: after an error it would wait for who has gone
    with _connected():
        distributed.all_reduce(torch.zeros(1))
    distributed.destroy_process_group()


def _attempt(store: Store, number: int, count: int) -> str:
    """A name for this attempt at a run, which its processes agree on by way of torchrun's store.

    That store outlives restarts and holds what processes of earlier attempts have written, such as where
    they could be reached. Each process draws a word; rank 0 answers the others' words with its own, and is
    done when all have told that they know it.
    """
    word = os.urandom(8).hex()
    if number > 0:
        store.set(f"cl3d/asks/{number}", word)
        attempt: str = store.get(f"cl3d/answer/{word}").decode()
        store.set(f"cl3d/knows/{attempt}/{number}", "")
        return attempt
    others = set(range(1, count))
    while others:
        for other in list(others):
            if store.check([f"cl3d/knows/{word}/{other}"]):
                others.remove(other)
            elif store.check([f"cl3d/asks/{other}"]):  # maybe an earlier attempt's: nobody hears the answer
                store.set(f"cl3d/answer/{store.get(f'cl3d/asks/{other}').decode()}", word)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return word


@contextmanager
def _connected() -> Iterator[None]:
    """Says in one sentence that another process has gone, and how the backend has noticed it."""
    try:
        yield
    except RuntimeError as error:
        noticed = re.sub(r"^\[[^\]]*\] *", "", str(error))  # less the place in its source
        noticed = re.split(r"\.\s|\n", noticed)[0]
        raise Lost(f"another process of this run has ended ({noticed})") from error


def by_main(task: Callable[[], T]) -> T:
    """Rank 0 does the task, and all get its result, or the exception that it raises."""
    if world() == 1:
        return task()
    from torch import distributed

    outcome: list[T | Exception | None] = [None, None]
    if is_main():
        try:
            outcome[0] = task()
        except Exception as error:
            outcome[1] = error
    with _connected():
        distributed.broadcast_object_list(outcome, src=0)
    if isinstance(outcome[1], Exception):
        raise outcome[1]
    return outcome[0]  # type: ignore[return-value]


def shared_out(count: int, task: Callable[[int], T]) -> Iterator[T]:
    """The results of ``task(0)``, ``task(1)``, ... in this order, for tasks that need nothing of each other.

    Task i is done by rank ``i % world``. All processes get all results, a round of one task each at a time.
    """
    if world() == 1:
        yield from map(task, range(count))
        return
    from torch import distributed

    for first in range(0, count, world()):
        mine = first + rank()
        found: list[T | None] = [None] * world()
        result = task(mine) if mine < count else None
        with _connected():
            distributed.all_gather_object(found, result)
        yield from found[: count - first]  # type: ignore[misc]


def merge_rows(rows: Tensor, owners: Tensor) -> None:
    """Fills in, in place, the rows that other processes have computed.

    Args:
        rows: (n, ...), of which those that this process owns are right.
        owners: (n,) int64 on the CPU, the rank that each row is right in.
    """
    if world() == 1:
        return
    from torch import distributed

    places = [(owners == r).nonzero().squeeze(1).to(rows.device) for r in range(world())]
    longest = max(map(len, places))
    block = rows.new_zeros(longest, *rows.shape[1:])
    block[: len(places[rank()])] = rows[places[rank()]]
    blocks = [rows.new_empty(block.shape) for _ in places]
    with _connected():
        distributed.all_gather(blocks, block)
    for place, found in zip(places, blocks, strict=True):
        rows[place] = found[: len(place)]


def agree(tensors: Iterable[Tensor]) -> None:
    """Takes rank 0's values of what all have computed, in place, on devices that may round it differently.

    Processes on CPUs of one kind get the same bits, and nothing is sent.
    """
    if world() == 1:
        return
    from torch import distributed

    with _connected():
        for tensor in tensors:
            if tensor.is_cuda:
                distributed.broadcast(tensor.detach(), src=0)
