"""Draws clouds of a data set or of a synthetic set: python scripts/gallery.py out=shapes40.png."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from cl3d.cli import build, launch, whole


def main(config: DictConfig, folder: Path) -> None:
    from cl3d.distill import load
    from cl3d.report.distill import check_fits
    from cl3d.report.gallery import class_panels, save_gallery

    per_class, columns = whole(config, "per_class", 1), whole(config, "columns", 1)
    synthetic = None if config.set is None else load(config.set)
    dataset = build(config.data)
    if synthetic is not None:
        check_fits(synthetic, dataset)
    clouds = dataset.train if synthetic is None else synthetic.decode()
    save_gallery(folder / config.out, class_panels(clouds, dataset.class_names, per_class), columns)
    print(f"written: {folder / config.out}")


if __name__ == "__main__":
    launch("gallery", main)
