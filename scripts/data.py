"""What a data set holds, and whether its files are good: python scripts/data.py info dataset=modelnet40."""

from __future__ import annotations

import sys
from pathlib import Path

from omegaconf import DictConfig

from cl3d.cli import launch
from cl3d.settings import whole


def main(config: DictConfig, folder: Path) -> None:
    from cl3d.report.data import (
        chosen_action,
        load_checked,
        load_shown,
        save_picture,
        show_info,
        show_prepared,
    )
    from cl3d.report.terminal import Terminal

    terminal = Terminal()
    action = chosen_action(config.action)
    per_class, columns = whole(config, "per_class", 1), whole(config, "columns", 1)
    if action == "check":
        load_checked(terminal, config.data)
        return
    dataset = load_shown(terminal, config.data)
    if action == "prepare":
        show_prepared(terminal, dataset)
        return
    show_info(terminal, dataset)
    if config.out is not None:
        save_picture(terminal, folder / config.out, dataset, per_class, columns)


if __name__ == "__main__":
    if len(sys.argv) > 1 and "=" not in sys.argv[1] and not sys.argv[1].startswith("-"):
        sys.argv[1] = f"action={sys.argv[1]}"  # the first word needs no key
    launch("data", main)
