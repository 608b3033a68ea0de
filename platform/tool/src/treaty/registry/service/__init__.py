"""What the registry can do, without HTTP: ``RegistryService`` on any store.

Each part gathers facts in one snapshot or under one lock, has them judged (``decide``, ``treaty_avro``), and writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from treaty.registry.observation import Observe, ignore
from treaty.registry.service.aliases import Aliases
from treaty.registry.service.deleting import Deleting
from treaty.registry.service.explaining import Explaining
from treaty.registry.service.governing import Governing
from treaty.registry.service.judging import Judging
from treaty.registry.service.library import Library
from treaty.registry.service.reading import Reading
from treaty.registry.service.registering import Registering
from treaty.registry.service.restoring import Restoring
from treaty.registry.service.verdicts import Verdicts
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.freshness import Freshness
from treaty.registry.stores.protocol import Store


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all views of one registry have in common: what it was told, and what it remembers."""

    settings: RegistrySettings
    now_ms: Callable[[], int]
    observe: Observe
    freshness: Freshness
    aliases: Aliases
    library: Library
    verdicts: Verdicts


class RegistryService:
    """The registry itself; its parts are made when they are first asked for, because most requests ask for one.

    ``now`` gives aware times; ``freshness`` says how long what it answered may be remembered.
    """

    def __init__(
        self,
        store: Store,
        *,
        settings: RegistrySettings,
        now: Callable[[], datetime],
        observe: Observe = ignore,
    ) -> None:
        freshness = Freshness(store)
        shared = _Shared(
            settings,
            lambda: int(now().timestamp() * 1000),
            observe,
            freshness,
            Aliases(store, freshness),
            Library(settings.limits),
            Verdicts(),
        )
        self._open(store, shared)

    def on(self, store: Store) -> RegistryService:
        """The same registry on another view of its store, with the memory of this one."""
        view = object.__new__(RegistryService)
        view._open(store, self._shared)  # another one of our kind
        return view

    def _open(self, store: Store, shared: _Shared) -> None:
        self.store, self._shared = store, shared
        self.settings, self.freshness, self.aliases = shared.settings, shared.freshness, shared.aliases

    @cached_property
    def reading(self) -> Reading:
        """Everything that is only read."""
        return Reading(self.store, self._shared.library)

    @cached_property
    def judging(self) -> Judging:
        """Compatibility checks."""
        shared = self._shared
        refuses_meaning = shared.settings.meaning == "refuse"
        return Judging(
            self.store, shared.library, shared.verdicts, observe=shared.observe, refuses_meaning=refuses_meaning
        )

    @cached_property
    def explaining(self) -> Explaining:
        """Breaks with their places and mends."""
        return Explaining(self.store, self.judging)

    @cached_property
    def registering(self) -> Registering:
        """Registrations and lookups."""
        shared = self._shared
        return Registering(
            self.store,
            shared.library,
            self.judging,
            observe=shared.observe,
            limits=shared.settings.limits,
            version_numbers=shared.settings.version_numbers,
            now_ms=shared.now_ms,
        )

    @cached_property
    def deleting(self) -> Deleting:
        """Deletes, soft and for good."""
        return Deleting(self.store, now_ms=self._shared.now_ms, on_removed=self.freshness.end)

    @cached_property
    def restoring(self) -> Restoring:
        """Soft deletes taken back."""
        return Restoring(self.store, self._shared.library, self.judging)

    @cached_property
    def governing(self) -> Governing:
        """Config, mode and contexts."""
        return Governing(self.store, on_ended=self.freshness.end)
