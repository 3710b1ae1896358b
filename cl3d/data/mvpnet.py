"""MVPNet (Yu et al., CVPR 2023): objects reconstructed from the videos of MVImgNet, a file per object."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from cl3d.data.dataset import Dataset
from cl3d.data.load import Options, load
from cl3d.data.roots import data_root
from cl3d.data.shape_files import shape_file
from cl3d.data.sign_up import SignUp
from cl3d.data.source import Source
from cl3d.data.splits import share_for_test, split_files
from cl3d.errors import InputError, check_whole

RELEASE = SignUp(
    title="MVPNet",
    folder="MVPNet",
    inside=("<class id>/<object>.pcd",),
    page="https://github.com/GAP-LAB-CUHK-SZ/MVImgNet",
)


def mvpnet100(
    root: str | Path | None = None,
    *,
    num_classes: int = 100,
    split_seed: int = 0,
    **options: Unpack[Options],
) -> Dataset:
    """MVPNet-100: the 100 most populous classes of MVPNet, 62,494 train and 15,670 test clouds.

    Read from ``MVPNet/<class id>/<object>.pcd``, clouds with as many points as were reconstructed,
    seen from about half of all sides; they are usually not turned at random. Of each class four
    fifths, rounded down, are for training, the others for testing, by seed.

    Args:
        root: the folder with the release's folder in it, or that folder; see :mod:`cl3d.data.roots`
            for where it is looked for if not given.
        num_classes: how many of the most populous classes; of equally populous ones those with the
            lower ids.
        split_seed: which clouds are for testing, at least 0; apart from ``seed``.
        options: settings, cache and progress, see :class:`cl3d.data.load.Options`.

    Returns:
        Clouds with points float32 (n, num_points, 3), labels int64 (n,) and no parts, in the axes of
        the release. Classes are named by their ids, in ascending order. A cloud with fewer points than
        asked for has some of them again.

    Raises:
        InputError: for other settings, or a release that is absent, damaged, or has too few classes.
    """
    check_whole("num_classes", num_classes, 1)
    check_whole("split_seed", split_seed, 0)
    return load(lambda: _source(_folder(root), num_classes, split_seed), **options)


def _folder(root: str | Path | None) -> Path:
    folders = (data_root(root) / RELEASE.folder, data_root(root))
    for folder in folders:
        if next(folder.glob("*/*.pcd"), None) is not None:
            return folder
    return RELEASE.obtain(root)  # says that it is absent


def _source(folder: Path, num_classes: int, split_seed: int) -> Source:
    classes: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*/*.pcd")):
        classes.setdefault(path.parent.name, []).append(path)
    by_size = sorted(classes, key=lambda name: (-len(classes[name]), *_by_number(name)))
    chosen = sorted(by_size[:num_classes], key=_by_number)
    if len(chosen) < num_classes or len(classes[by_size[num_classes - 1]]) < 2:
        usable = sum(len(paths) > 1 for paths in classes.values())
        raise InputError(
            f"{folder} has {usable} classes of two clouds or more, but num_classes is {num_classes}: "
            "complete the release, or give fewer"
        )
    files = [classes[name] for name in chosen]
    train, test = split_files(folder, files, [share_for_test(len(paths)) for paths in files], split_seed)
    return Source(
        name=f"mvpnet{num_classes}",
        folder=folder,
        train=[shape_file(path, label) for path, label in train],
        test=[shape_file(path, label) for path, label in test],
        class_names=tuple(chosen),
        ragged=True,
        key="mvpnet",  # a cloud's points do not hang on how many classes there are
        options={"split_seed": split_seed},
    )


def _by_number(name: str) -> tuple[int, str]:
    """Orders ids as numbers."""
    return len(name), name
