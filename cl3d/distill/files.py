"""Synthetic sets as files: safetensors with a JSON header; nothing is ever unpickled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from cl3d import __version__
from cl3d.atomic import write_bytes
from cl3d.distill.soft_labels import LABELLED, SoftLabelSet
from cl3d.distill.synthetic import SyntheticSet
from cl3d.errors import InputError

FORMAT_VERSION = 2
"""Of files that this version reads; 2 has parts. Sets without are written as 1, which earlier ones read."""

KINDS: tuple[type[SyntheticSet], ...] = (*LABELLED, SoftLabelSet)
"""The sets that :func:`load` knows by themselves."""

MOST_DRAWN = 1 << 24
"""Clouds that a file may ask to draw: more are damage."""

LARGEST_LABEL = (1 << 31) - 1


def save(synthetic: SyntheticSet, path: str | Path, provenance: dict[str, Any] | None = None) -> None:
    """Writes a set: its stored tensors, and in the header what rebuilds it and how it came about.

    The same set gives the same bytes. The file appears whole or not at all.

    Args:
        provenance: condenser, data and its fingerprint, seed, ..., as JSON values; read back as
            ``info["provenance"]``.

    Raises:
        InputError: if it cannot be written.
    """
    config = synthetic.config()
    header = {
        "format_version": 2 if "parts" in config | config.get("config", {}) else 1,
        "cl3d_version": __version__,
        "kind": synthetic.kind,
        "clouds_per_class": list(synthetic.clouds_per_class.items()),
        "config": config,
        "info": synthetic.info | ({} if provenance is None else {"provenance": provenance}),
    }
    tensors = {name: tensor.cpu().contiguous() for name, tensor in synthetic.stored().items()}
    # one metadata entry: safetensors does not keep the order of several
    write_bytes(Path(path), to_bytes(tensors, metadata={"cl3d": json.dumps(header, sort_keys=True)}))


def load(path: str | Path, kinds: Sequence[type[SyntheticSet]] = KINDS) -> SyntheticSet:
    """Reads a set that :func:`save` wrote, onto the CPU.

    Args:
        kinds: the classes that may be rebuilt; add your own to ``KINDS``.

    Raises:
        InputError: if the file is missing, damaged, not a synthetic set, of a newer format, of an
            unknown kind, or its tensors do not fit its header.
    """
    path = Path(path)
    header, tensors = _read(path)
    try:
        version, kind = int(header["format_version"]), str(header["kind"])
        counts = [(int(label), int(count)) for label, count in header["clouds_per_class"]]
        config, info = dict(header["config"]), dict(header["info"])
        info |= {"provenance": dict(info["provenance"])} if "provenance" in info else {}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path} has an incomplete header ({error}); make the set again") from error
    if version > FORMAT_VERSION:
        raise InputError(f"{path} has format {version}, this cl3d reads up to {FORMAT_VERSION}: upgrade cl3d")
    known = {k.kind: k for k in kinds}
    if kind not in known:
        raise InputError(
            f"{path} holds a set of kind {kind!r}, known are {', '.join(known)}: pass its class in kinds"
        )
    rows = sum(count for _, count in counts)
    label_order = [label for label, _ in counts]
    if label_order != sorted(set(label_order)) or not all(0 <= n <= LARGEST_LABEL for n in label_order):
        raise InputError(f"{path} has classes {label_order}, not ascending from 0; make the set again")
    most = MOST_DRAWN if known[kind].draws else sum(tensor.numel() for tensor in tensors.values())
    if not 1 <= rows <= most or any(count < 1 for _, count in counts):
        raise InputError(
            f"{path} says it has {rows} clouds, which its tensors do not hold; make the set again"
        )
    label_ids, repeats = torch.tensor(counts, dtype=torch.int64).reshape(-1, 2).unbind(1)
    labels = label_ids.repeat_interleave(repeats)
    try:
        synthetic = known[kind].rebuild(tensors, labels, config)
    except InputError as error:
        raise InputError(f"{path} is damaged: {error}") from error
    synthetic.info = info
    return synthetic


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise InputError(f"there is no file {path}: give the path of a saved synthetic set")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is not a whole safetensors file ({error}): make or copy it again"
        ) from error
    try:
        header = json.loads(metadata["cl3d"])
    except (KeyError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path} is a safetensors file, but not a set saved by cl3d") from error
    if not isinstance(header, dict):
        raise InputError(f"{path} is a safetensors file, but not a set saved by cl3d")
    return header, tensors
