"""ShapeNet-55 (Yu et al., ICCV 2021): all classes of ShapeNetCore as dense clouds, a file per shape."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from cl3d.data.dataset import Dataset
from cl3d.data.lists import read_lines
from cl3d.data.load import Options, load
from cl3d.data.shape_files import shape_file
from cl3d.data.sign_up import SignUp
from cl3d.data.source import Source, SourceFile
from cl3d.errors import InputError

SHAPENET55_CLASSES = {
    "02691156": "airplane",
    "02747177": "trash bin",
    "02773838": "bag",
    "02801938": "basket",
    "02808440": "bathtub",
    "02818832": "bed",
    "02828884": "bench",
    "02843684": "birdhouse",
    "02871439": "bookshelf",
    "02876657": "bottle",
    "02880940": "bowl",
    "02924116": "bus",
    "02933112": "cabinet",
    "02942699": "camera",
    "02946921": "can",
    "02954340": "cap",
    "02958343": "car",
    "02992529": "cellphone",
    "03001627": "chair",
    "03046257": "clock",
    "03085013": "keyboard",
    "03207941": "dishwasher",
    "03211117": "display",
    "03261776": "earphone",
    "03325088": "faucet",
    "03337140": "file cabinet",
    "03467517": "guitar",
    "03513137": "helmet",
    "03593526": "jar",
    "03624134": "knife",
    "03636649": "lamp",
    "03642806": "laptop",
    "03691459": "loudspeaker",
    "03710193": "mailbox",
    "03759954": "microphone",
    "03761084": "microwaves",
    "03790512": "motorbike",
    "03797390": "mug",
    "03928116": "piano",
    "03938244": "pillow",
    "03948459": "pistol",
    "03991062": "flowerpot",
    "04004475": "printer",
    "04074963": "remote",
    "04090263": "rifle",
    "04099429": "rocket",
    "04225987": "skateboard",
    "04256520": "sofa",
    "04330267": "stove",
    "04379243": "table",
    "04401088": "telephone",
    "04460130": "tower",
    "04468005": "train",
    "04530566": "watercraft",
    "04554684": "washer",
}
"""The name of each synset, as the release's authors give them; labels follow this order."""

LISTS = ("ShapeNet-55/train.txt", "ShapeNet-55/test.txt")

RELEASE = SignUp(
    title="ShapeNet-55",
    folder="ShapeNet55-34",
    inside=(LISTS[0],),
    page="https://github.com/yuxumin/PoinTr/blob/master/DATASET.md",
    how="accept the terms of ShapeNet, and unpack what you fetch into that folder",
)


def shapenet55(root: str | Path | None = None, **options: Unpack[Options]) -> Dataset:
    """ShapeNet-55: 55 classes, 41,952 train and 10,518 test clouds of 8,192 points.

    Read from ``ShapeNet55-34/shapenet_pc/<synset>-<model>.npy``, as ``ShapeNet-55/train.txt`` and
    ``ShapeNet-55/test.txt`` list them. Both lists come with the code of the release, too.

    Args:
        root: the folder with the release's folder in it, or that folder; see :mod:`cl3d.data.roots`
            for where it is looked for if not given.
        options: settings, cache and progress, see :class:`cl3d.data.load.Options`.

    Returns:
        Clouds with points float32 (n, num_points, 3), labels int64 (n,) and no parts.

    Raises:
        InputError: for wrong settings, more points than are stored, or a release that is absent,
            incomplete or damaged, or lists a shape of no class.
    """
    return load(lambda: _source(RELEASE.obtain(root)), **options)


def _source(folder: Path) -> Source:
    lists = [folder / name for name in LISTS]
    train, test = ([_file(folder, line, listed) for line in read_lines(listed)] for listed in lists)
    return Source(
        name="shapenet55",
        folder=folder,
        train=train,
        test=test,
        class_names=tuple(SHAPENET55_CLASSES.values()),
        others=lists,
    )


def _file(folder: Path, line: str, listed: Path) -> SourceFile:
    synset = line.partition("-")[0]
    if synset not in SHAPENET55_CLASSES or "/" in line:
        raise InputError(
            f"{listed} names {line!r}; give <synset>-<model>.npy with one of the 55 synsets on each line"
        )
    return shape_file(folder / "shapenet_pc" / line, list(SHAPENET55_CLASSES).index(synset))
