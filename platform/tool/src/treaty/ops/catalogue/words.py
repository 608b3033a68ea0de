"""What the site says of its own accord, in two languages. Texts of schemas and rules are never translated."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language; ``known`` has its text for each English one, and none for English itself."""

    lang: str
    known: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, english: str, **values: object) -> str:
        """The text, with ``{names}`` filled in; English where nothing better is known."""
        text = self.known.get(english, english)
        return text.format(**values) if values else text


ENGLISH = Words(lang="en")


def chinese() -> Words:
    """The Chinese texts."""
    table = files("treaty.ops.catalogue").joinpath("zh.toml").read_text(encoding="utf-8")
    return Words(lang="zh", known=tomllib.loads(table))
