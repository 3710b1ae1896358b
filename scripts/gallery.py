"""Draws clouds of a data set or of synthetic sets: python scripts/gallery.py out=shapes40.png."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from cl3d.cli import launch
from cl3d.settings import build, flag, whole
from cl3d.tasks import build_model


def main(config: DictConfig, folder: Path) -> None:
    from cl3d.distill import Networks, Training, fit, load, resolve_device
    from cl3d.report.critical import side_by_side
    from cl3d.report.distill import check_fits
    from cl3d.report.gallery import class_panels, save_gallery
    from cl3d.report.terminal import Terminal

    per_class, columns = whole(config, "per_class", 1), whole(config, "columns", 1)
    epochs, seed = whole(config, "critical_epochs", 1), whole(config, "seed", 0)
    model, device = build_model(config.model), resolve_device(str(config.device))
    files = [file for file in (config.beside, config.set) if file is not None]
    sets = {file: load(file) for file in files}
    dataset = build(config.data)
    for synthetic in sets.values():
        check_fits(synthetic, dataset)
    net = None
    if flag(config, "critical"):
        net = Networks(model, dataset.num_classes, device, seed).draw("critical")
        fit(net, dataset.train, Training(epochs=epochs), seed, Terminal().progress)
    shown = {"real": dataset.train} if flag(config, "real") or not sets else {}
    shown |= {name: sets[config[name]].decode() for name in ("beside", "set") if config[name] is not None}
    if sets or net is not None:
        named = [(name if len(shown) > 1 else "", clouds) for name, clouds in shown.items()]
        panels = side_by_side(named, dataset.class_names, per_class, net)
    else:
        panels = class_panels(dataset.train, dataset.class_names, per_class)
    save_gallery(folder / config.out, panels, columns)
    print(f"written: {folder / config.out}")


if __name__ == "__main__":
    launch("gallery", main)
