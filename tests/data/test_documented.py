"""What docs/data.md shows works."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from documents import ROOT, blocks, execute

from cl3d.clouds import normalize

DOCUMENT = ROOT / "docs" / "data.md"


def test_the_documented_loader_loads(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        for split, count in (("train", 3), ("test", 2)):
            folder = tmp_path / "animals" / name / split
            folder.mkdir(parents=True)
            for number in range(count):
                points = rng.standard_normal((6 + number, 3))
                rows = "".join(" ".join(map(str, point)) + "\n" for point in points)
                header = f"ply\nformat ascii 1.0\nelement vertex {len(points)}\n"
                columns = "".join(f"property float {axis}\n" for axis in "xyz")
                (folder / f"{number}.ply").write_text(f"{header}{columns}end_header\n{rows}")
    namespace = execute(DOCUMENT, blocks(DOCUMENT)[-1:])
    data = namespace["animals"](tmp_path / "animals", num_points=8, rotation="y")
    assert (len(data.train), len(data.test), data.class_names) == (6, 4, ("cat", "dog"))
    whole = namespace["animals"](tmp_path / "animals", num_points=8, normalize=False)
    assert np.allclose(
        normalize(whole.train.points[2]).norm(dim=1), data.train.points[2].norm(dim=1), atol=1e-6
    )
