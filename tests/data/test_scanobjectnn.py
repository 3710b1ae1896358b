"""ScanObjectNN: the files of each variant, in the released layout."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from cl3d.data import scanobjectnn
from cl3d.data.scanobjectnn import SCANOBJECTNN_CLASSES
from cl3d.errors import InputError

FILES = {
    "obj_bg": "main_split/{}_objectdataset.h5",
    "obj_only": "main_split_nobg/{}_objectdataset.h5",
    "pb_t25": "main_split/{}_objectdataset_augmented25_norot.h5",
    "pb_t25_r": "main_split/{}_objectdataset_augmented25rot.h5",
    "pb_t50_r": "main_split/{}_objectdataset_augmentedrot.h5",
    "pb_t50_rs": "main_split/{}_objectdataset_augmentedrot_scale75.h5",
}


def write(root: Path, within: str = "ScanObjectNN/h5_files") -> Path:
    """All variants, told apart by their number of clouds; labels (n,) or (n, 1)."""
    for number, name in enumerate(FILES.values()):
        for split, count in (("training", 15 + number), ("test", 8 + number)):
            path = root / within / name.format(split)
            path.parent.mkdir(parents=True, exist_ok=True)
            rng = np.random.default_rng(number)
            with h5py.File(path, "w") as file:
                file["data"] = rng.standard_normal((count, 12, 3)).astype(np.float32)
                file["label"] = (np.arange(count) % 15).astype(np.int32).reshape((count, 1)[: 1 + number % 2])
                file["mask"] = np.zeros((count, 12), np.float32)
    return root


@pytest.mark.parametrize("within", ["ScanObjectNN/h5_files", "ScanObjectNN", "h5_files", "."])
@pytest.mark.parametrize("variant", FILES)
def test_each_variant_has_its_files(tmp_path: Path, variant: str, within: str) -> None:
    dataset = scanobjectnn(write(tmp_path / "data", within), variant=variant, num_points=8)
    number = list(FILES).index(variant)
    assert (len(dataset.train), len(dataset.test)) == (15 + number, 8 + number)
    assert dataset.train.labels[:15].tolist() == list(range(15))
    assert dataset.train.parts is None
    assert not torch.equal(dataset.train.points[:8], dataset.test.points[:8])


def test_names_follow_the_labels(tmp_path: Path) -> None:
    dataset = scanobjectnn(write(tmp_path), num_points=8)
    assert dataset.class_names == SCANOBJECTNN_CLASSES
    assert [dataset.class_names[label] for label in (0, 9, 10, 14)] == ["bag", "table", "bed", "toilet"]


def test_the_release_itself_may_be_the_root(tmp_path: Path) -> None:
    write(tmp_path)
    assert len(scanobjectnn(tmp_path / "ScanObjectNN", num_points=8).train) == 15


def test_other_words_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="variant is 'hardest'; give one of obj_bg, obj_only, pb_t25, "):
        scanobjectnn(tmp_path, variant="hardest")


def test_an_absent_release_says_where_from_and_where_to(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        scanobjectnn(tmp_path)
    text = str(caught.value)
    assert f"ScanObjectNN is not in {tmp_path / 'ScanObjectNN'}" in text
    assert "https://hkust-vgd.github.io/scanobjectnn, sign up" in text
    assert "\n" not in text


def test_damage_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path) / "ScanObjectNN" / "h5_files"
    with h5py.File(folder / FILES["obj_only"].format("test"), "r+") as file:
        file["label"][3] = 15
    with pytest.raises(InputError, match=r"test_objectdataset\.h5: cloud 3 has label 15, but there are 15"):
        scanobjectnn(tmp_path, variant="obj_only", num_points=8)
    (folder / FILES["pb_t25"].format("training")).unlink()
    with pytest.raises(InputError, match=r"training_objectdataset_augmented25_norot\.h5 cannot be found"):
        scanobjectnn(tmp_path, variant="pb_t25", num_points=8)
    with pytest.raises(InputError, match="num_points is 99, but the clouds have 12"):
        scanobjectnn(tmp_path, num_points=99)


def test_real_scans(real_data: Path) -> None:
    dataset = scanobjectnn(real_data / "fixtures", num_points=2048, normalize=False)
    assert (len(dataset.train), len(dataset.test), dataset.num_classes) == (10, 10, 15)
    assert [dataset.class_names[label] for label in dataset.train.labels[:4]] == [
        "bed",
        "table",
        "bag",
        "bin",
    ]
    bed = dataset.train.points[0]
    extent = bed.amax(dim=0) - bed.amin(dim=0)
    assert int(extent.argmin()) == 1  # a bed is lower than it is wide and long: y is up
