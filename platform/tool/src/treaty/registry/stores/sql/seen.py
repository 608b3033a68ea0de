"""What a transaction has read already, so that it does not ask twice.

Law: nothing here can change while the transaction lasts, for it is read in one snapshot, or under the locks of a write, whose
own changes forget what they touch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from treaty.registry.names import Name
from treaty.registry.rows import SchemaRow, VersionRow


@dataclass(slots=True)
class Seen:
    """Settings of names (config and mode, as stored), latest and all versions of subjects, schemas, what is referred to."""

    settings: dict[Name, tuple[str | None, str | None]] = field(default_factory=dict)
    latest: dict[Name, VersionRow | None] = field(default_factory=dict)
    versions: dict[Name, list[VersionRow]] = field(default_factory=dict)
    referred: dict[tuple[Name, int], SchemaRow | None] = field(default_factory=dict)
    schemas: dict[tuple[str, int], SchemaRow] = field(default_factory=dict)

    def keep(self, rows: Iterable[SchemaRow]) -> list[SchemaRow]:
        """Remember schemas, and answer them."""
        kept = list(rows)
        self.schemas.update(((row.context, row.id), row) for row in kept)
        return kept

    def grown(self, name: Name) -> None:
        """A subject has one version more."""
        self.versions.pop(name, None)
        self.latest.pop(name, None)
        self.referred.clear()

    def changed(self, name: Name) -> None:
        """A subject's versions are others now, and a schema may have gone with them."""
        self.grown(name)
        self.schemas.clear()
