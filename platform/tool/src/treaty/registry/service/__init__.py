"""What the registry can do, without HTTP: ``RegistryService`` on any store.

Each part gathers facts in one snapshot or under one lock, has them judged (``decide``, ``treaty_avro``), and writes.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import datetime

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


class RegistryService:
    """The registry itself. ``now`` gives aware times; ``freshness`` says how long what it answered may be remembered."""

    def __init__(
        self,
        store: Store,
        *,
        settings: RegistrySettings,
        now: Callable[[], datetime],
        observe: Observe = ignore,
    ) -> None:
        self.settings, self._observe = settings, observe
        self._now_ms = lambda: int(now().timestamp() * 1000)
        self.freshness = Freshness(store)
        self.aliases = Aliases(store, self.freshness)
        self._library, self._verdicts = Library(settings.limits), Verdicts()
        self._open(store)

    def on(self, store: Store) -> RegistryService:
        """The same registry on another view of its store, with the memory of this one."""
        view = copy(self)
        view._open(store)  # noqa: SLF001  # a copy of ourselves
        return view

    def _open(self, store: Store) -> None:
        self.store = store
        library = self._library
        refuses_meaning = self.settings.meaning == "refuse"
        judging = Judging(store, library, self._verdicts, observe=self._observe, refuses_meaning=refuses_meaning)
        self.reading = Reading(store, library)
        self.judging = judging
        self.explaining = Explaining(store, judging)
        self.registering = Registering(
            store,
            library,
            judging,
            observe=self._observe,
            limits=self.settings.limits,
            version_numbers=self.settings.version_numbers,
            now_ms=self._now_ms,
        )
        self.deleting = Deleting(store, now_ms=self._now_ms, on_removed=self.freshness.end)
        self.restoring = Restoring(store, library, judging)
        self.governing = Governing(store, on_ended=self.freshness.end)
