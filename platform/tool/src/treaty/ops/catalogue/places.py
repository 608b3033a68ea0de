"""Which pages there are, where each lies, and how one leads to another."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

from treaty.ops.catalogue.html import Child, Html, code, el
from treaty.ops.catalogue.words import Words
from treaty.ops.rules import NAMES
from treaty_codegen import Catalog
from treaty_codegen.documents.pages import Pages
from treaty_codegen.names import DEVICES

INDEX: Final = PurePosixPath("index.html")
RULES: Final = PurePosixPath("rules.html")
_LONGEST: Final = 100


@dataclass(frozen=True, kw_only=True)
class Places:
    """The pages of one language: ``events``, ``types``, ``topics``, ``services`` and ``rules`` by name."""

    catalog: Catalog
    words: Words
    folder: PurePosixPath = field(default_factory=PurePosixPath)

    @cached_property
    def pages(self) -> Pages:
        """What is an event, and what holds what."""
        return Pages.of(self.catalog)

    @cached_property
    def paths(self) -> dict[tuple[str, str], PurePosixPath]:
        """The page of each thing by its kind and name, from the root of the site."""
        named: dict[str, Iterable[str]] = {
            "events": self.pages.events,
            "types": (file.full_name for file in self.pages.shared()),
            "topics": sorted(self.catalog.topics),
            "services": self.catalog.service_names,
            "rules": sorted(name for names in NAMES.values() for name in names),
        }
        return {(kind, name): self.folder / path for kind, names in named.items() for name, path in _paths(kind, names)}

    def link(self, kind: str, name: str, *, at: PurePosixPath, text: Child = None) -> Html:
        """A link to the page of a thing, from the page at ``at``; only its name where it has no page."""
        target = self.paths.get((kind, name))
        shown = code(name) if text is None else text
        return el("span", shown) if target is None else el("a", shown, href=way(at, target))


def simple(name: str) -> Html:
    """A full name's last part."""
    return code(name.rpartition(".")[2])


def way(start: PurePosixPath, target: PurePosixPath) -> str:
    """A relative link from one page to another. No name in it is quoted: paths are made of safe characters only."""
    return posixpath.relpath(str(target), str(start.parent))


def _paths(folder: str, names: Iterable[str]) -> Iterable[tuple[str, PurePosixPath]]:
    """A path for each name: no two that differ in case only, none that Windows keeps, no character that a URL quotes."""
    taken: set[str] = set()
    for name in names:
        safe = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in name)
        stem = safe if safe == name and len(name) <= _LONGEST else f"{safe[:80]}_{_digest(name)}"
        if stem.casefold() in taken or stem.partition(".")[0].casefold() in DEVICES or stem.startswith("."):
            stem = f"{stem}_{_digest(name)}" if not stem.startswith(".") else f"_{stem}_{_digest(name)}"
            stem = f"_{stem}" if stem.partition(".")[0].casefold() in DEVICES else stem
        taken.add(stem.casefold())
        yield name, PurePosixPath(folder, f"{stem}.html")


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]
