"""Who is let in: proves who asks, counts how often they ask, and has every refusal written down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from treaty.registry.access.audit import Entry, Visitor, clean
from treaty.registry.access.bucket import Buckets, Rate
from treaty.registry.access.grants import Principal
from treaty.registry.errors import RegistryError, TooManyRequests, Unauthorized
from treaty.registry.guard.authentication import HASHES_AT_ONCE, HASHES_WAITING, Authentication
from treaty.registry.guard.permissions import OPEN_PATHS
from treaty.registry.guard.trail import FLUSH_SECONDS, FLUSHES_A_SEAL, Trail
from treaty.registry.observation import Observe, Refused

PASSER_BY = Principal("")
"""Somebody who was not asked who they are."""


class Gate:
    """Stands before every route. ``rate``: what each principal may ask; ``metrics_auth``: ``/metrics`` is not open."""

    def __init__(
        self,
        authentication: Authentication,
        trail: Trail,
        *,
        rate: Rate | None,
        metrics_auth: bool,
        now_ms: Callable[[], int],
        observe: Observe,
    ) -> None:
        self._authentication, self._trail, self._now_ms, self._observe = authentication, trail, now_ms, observe
        self._open = OPEN_PATHS - ({"/metrics"} if metrics_auth else set())
        self._buckets = None if rate is None else Buckets(rate)
        # Threads of its own: guesses of passwords that wait for each other must not keep requests from being answered.
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE + HASHES_WAITING + 6, thread_name_prefix="registry-gate")

    async def admit(
        self, method: str, path: str, headers: Mapping[bytes, bytes], *, source_ip: str, request_id: str
    ) -> Visitor:
        """The visitor; to get what is open nobody has to say who they are, but whoever may send a body has.

        Raises ``Unauthorized``, ``TooManyRequests``, ``StoreUnavailable``.
        """
        if method == "GET" and path in self._open:
            return Visitor(PASSER_BY, source_ip, request_id)
        authorization = headers.get(b"authorization", b"")
        principal = self._authentication.remembered(authorization)
        try:
            if principal is None:
                loop = asyncio.get_running_loop()
                principal = await loop.run_in_executor(self._threads, self._authentication.principal, authorization)
            self._take(principal, source_ip)
        except (Unauthorized, TooManyRequests) as error:
            self.refused(Visitor(principal or PASSER_BY, source_ip, request_id), error, action=path)
            raise
        return Visitor(principal, source_ip, request_id)

    def refused(self, visitor: Visitor, error: RegistryError, *, action: str) -> None:
        """Have a refusal written down: who, from where, what, and what was answered."""
        self._observe(Refused(error.status))
        entry = Entry(
            at=self._now_ms(),
            actor=clean(visitor.principal.name),
            source_ip=visitor.source_ip,
            request_id=visitor.request_id,
            action=clean(action),
            outcome="refused",
            reason=f"{error.status}",
        )
        self._trail.note(entry)

    async def keep_trail(self) -> None:
        """Write the trail once a second until cancelled, and what is left at the end; seal the audit now and then."""
        try:
            for flush in count(1):
                await asyncio.sleep(FLUSH_SECONDS)
                await asyncio.to_thread(self._trail.flush)
                if flush % FLUSHES_A_SEAL == 0:
                    await asyncio.to_thread(self._trail.seal)
        finally:
            self._trail.flush()
            self._trail.seal()

    def close(self) -> None:
        """End the threads; blocks."""
        self._threads.shutdown()

    def _take(self, principal: Principal, source_ip: str) -> None:
        if self._buckets is None:
            return
        # An open registry has one principal for all: there the address counts.
        key = f"{principal.name}\0{source_ip if principal.name == 'anonymous' else ''}"
        if not self._buckets.take(key, at=time.monotonic()):
            raise TooManyRequests
