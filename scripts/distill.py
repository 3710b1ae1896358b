"""Condenses a data set: python scripts/distill.py dataset=modelnet10 condenser=pcc ppc=1."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from cl3d.cli import budget, build, build_dataset, build_model, launch, open_folder, whole


def main(config: DictConfig, folder: Path) -> None:
    from cl3d.distill import resolve_device, save
    from cl3d.report.distill import provenance, show_header, show_set
    from cl3d.report.terminal import Terminal

    device = resolve_device(str(config.device))
    seed = whole(config, "seed", 0)
    cost = budget(config)
    condenser, model = build(config.condenser), build_model(config.model)
    dataset = build_dataset(config)
    open_folder(folder, config)
    terminal = Terminal()
    show_header(terminal, dataset, condenser, cost, device, folder)
    synthetic = condenser(
        dataset.train, budget=cost, model=model, seed=seed, device=device, progress=terminal.progress
    )
    synthetic.info |= provenance(config, dataset)
    save(synthetic, folder / "synthetic.safetensors")
    show_set(terminal, synthetic, folder / "synthetic.safetensors")


if __name__ == "__main__":
    launch("distill", main)
