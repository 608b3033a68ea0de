"""``alias`` in a subject's config: another name to be taken in its place.

Read of every request's subject, so the aliases are remembered as long as ``freshness`` lets them.
Source: confluentinc/schema-registry, ``AliasFilter``.
"""

from __future__ import annotations

from collections.abc import Mapping

from treaty.registry.names import Name
from treaty.registry.stores.freshness import Freshness
from treaty.registry.stores.protocol import Store


class Aliases:
    """The aliases of one registry."""

    def __init__(self, store: Store, freshness: Freshness) -> None:
        self._store, self._freshness = store, freshness
        self._held: tuple[int, Mapping[Name, Name]] = (-1, {})

    def followed(self, name: Name) -> Name:
        """The name that is meant: what the alias says, one step far, or the name itself. Blocks."""
        return self.all().get(name, name)

    def all(self) -> Mapping[Name, Name]:
        """Every alias with what it stands for; a bare one lies in the context of its config. Blocks."""
        self._freshness.look()
        epoch, held = self._freshness.epoch, self._held
        if held[0] != epoch:
            with self._store.read() as reader:
                found = reader.aliases()
            aliases = {name: Name.parse(alias, within=name.context) for name, alias in found.items()}
            held = self._held = (epoch, aliases)
        return held[1]
