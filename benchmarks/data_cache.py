"""What the cache of prepared clouds gains: python benchmarks/data_cache.py [ROOT].

Loads ModelNet40 (1,024 points) from its HDF5 files with ``modelnet40`` without a cache, with an empty one
and with a filled one, beside reading the same arrays with h5py and normalising them. Then batches of 64
clouds are drawn at random from the mapped arrays, from a tensor in memory, and from the HDF5 files as a
data set that opens them and reads cloud by cloud would. Prints one JSON object: seconds (the best of
several, in one run, on one thread), and ratios to the plain way.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import torch

from cl3d.clouds import normalize
from cl3d.data import modelnet40
from cl3d.data.modelnet_hdf5 import RELEASE
from cl3d.data.roots import find
from cl3d.distill.timing import fastest

BATCH, BATCHES, POINTS = 64, 40, 1024


def main(root: str | None) -> None:
    torch.set_num_threads(1)
    folder = find(RELEASE.folder, "train_files.txt", root)
    if folder is None:
        sys.exit("ModelNet40 is not there: give its folder, or set CL3D_DATA")
    files = [folder / Path(line).name for line in (folder / "train_files.txt").read_text().split()]
    test = [folder / Path(line).name for line in (folder / "test_files.txt").read_text().split()]
    with tempfile.TemporaryDirectory() as cache:
        load = {
            "h5py, normalised": fastest(lambda: [plain(part) for part in (files, test)], 2),
            "no cache": fastest(lambda: modelnet40(root, cache=False), 2),
            "first start": fastest(lambda: modelnet40(root, cache=cache), 1),
            "later start": fastest(lambda: modelnet40(root, cache=cache), 5),
        }
        mapped = modelnet40(root, cache=cache).train.points
        copied = mapped.clone()
        with_h5py = [h5py.File(path) for path in files]
        starts = np.cumsum([0, *(len(file["data"]) for file in with_h5py)])
        picks = torch.randint(len(mapped), (BATCHES, BATCH), generator=torch.Generator().manual_seed(0))

        def by_h5py() -> None:
            for pick in picks[:2]:
                for index in pick.tolist():
                    number = int(np.searchsorted(starts, index, side="right")) - 1
                    with_h5py[number]["data"][index - starts[number], :POINTS]

        batch = {
            "h5py": fastest(by_h5py, 1) / 2,
            "mapped": fastest(lambda: [mapped[pick] for pick in picks], 5) / BATCHES,
            "in memory": fastest(lambda: [copied[pick] for pick in picks], 5) / BATCHES,
        }
    report = {
        "clouds": sum(len(h5py.File(path)["data"]) for path in (*files, *test)),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "seconds_to_load": {name: round(seconds, 3) for name, seconds in load.items()},
        "load_relative_to_h5py": relative(load, "h5py, normalised"),
        "milliseconds_per_batch": {name: round(1000 * seconds, 3) for name, seconds in batch.items()},
        "batch_relative_to_h5py": relative(batch, "h5py"),
    }
    print(json.dumps(report, indent=1))


def plain(paths: list[Path]) -> torch.Tensor:
    arrays = []
    for path in paths:
        with h5py.File(path) as file:
            arrays.append(file["data"][:, :POINTS])
    return normalize(torch.from_numpy(np.concatenate(arrays)))


def relative(seconds: dict[str, float], to: str) -> dict[str, float]:
    return {name: round(value / seconds[to], 4) for name, value in seconds.items()}


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
