"""Releases that cannot be downloaded without signing up: where they belong, and what to do if absent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cl3d.data.roots import data_root
from cl3d.errors import InputError


@dataclass(frozen=True)
class SignUp:
    """A release that a user fetches and unpacks.

    Attributes:
        title: of the data set, for messages.
        folder: the release's, in the data root.
        inside: files or folders, relative to that folder, one of which at least the release has; the
            usual one first.
        page: where to get it.
        how: to get it there, in words that end a sentence after the page.
    """

    title: str
    folder: str
    inside: tuple[str, ...]
    page: str
    how: str = "sign up, and unpack what you fetch into that folder"

    def find(self, root: str | Path | None = None) -> Path | None:
        """The release's folder, in the data root or that itself; None where neither has what is inside."""
        base = data_root(root)
        for folder in (base / self.folder, base):
            if any((folder / inside).exists() for inside in self.inside):
                return folder
        return None

    def obtain(self, root: str | Path | None = None) -> Path:
        """The release's folder.

        Raises:
            InputError: naming the page and the folder, if the release is absent.
        """
        found = self.find(root)
        if found is None:
            raise InputError(
                f"{self.title} is not in {self.place(root)}, which should hold {self.inside[0]}: "
                f"see {self.page}, {self.how}"
            )
        return found

    def place(self, root: str | Path | None = None) -> Path:
        """Where the release belongs."""
        base = data_root(root)
        return base if base.name == self.folder else base / self.folder


def first_inside(folder: Path, choices: tuple[str, ...]) -> Path:
    """The first of some files or folders that is there; the first of all where none is."""
    return next((folder / choice for choice in choices if (folder / choice).exists()), folder / choices[0])
