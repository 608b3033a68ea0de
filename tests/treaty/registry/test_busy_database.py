"""A database that lets nobody write for a while: who asks how the registry is, and who reads, does not wait for it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.parts.waiting import DEADLINE, wait_until
from tests.treaty.registry.asking import asked
from treaty.registry.names import Name
from treaty.registry.settings import Limits, RegistrySettings
from treaty.registry.stores.memory import MemoryStore, MemoryWriter
from treaty.registry.testing import registry


class Busy(MemoryStore):
    """A store whose writes wait until it is free."""

    def __init__(self) -> None:
        super().__init__()
        self.is_free, self.waiting = threading.Event(), 0

    @contextmanager
    def write(self, own: Name, others: Collection[Name] = ()) -> Iterator[MemoryWriter]:
        """Wait, then write."""
        self.waiting += 1
        assert self.is_free.wait(DEADLINE)
        with super().write(own, others) as writer:
            yield writer


@pytest.mark.parametrize("is_near", [True, False])
def test_writes_that_wait_keep_neither_watchers_nor_readers_waiting(*, is_near: bool) -> None:
    """Eight of them held all threads, and the process was taken for dead."""
    store = Busy()
    store.is_near = is_near
    settings = RegistrySettings()

    def write(number: int) -> int:
        return asked(
            "POST", f"{url}/subjects/s{number}/versions", json={"schema": '"int"'}, timeout=DEADLINE
        ).status_code

    with registry(store, settings=settings) as url, ThreadPoolExecutor(2 * settings.threads) as writers:
        writes = [writers.submit(write, number) for number in range(2 * settings.threads)]
        try:
            wait_until(lambda: store.waiting >= settings.threads - 2)
            for path in ("/healthz", "/readyz", "/metrics", "/master_available", "/subjects", "/schemas/types"):
                assert asked("GET", url + path, timeout=DEADLINE).status_code == 200, path
            assert not any(each.done() for each in writes)
        finally:
            store.is_free.set()
        assert [each.result() for each in writes] == [200] * len(writes)


def test_as_many_writes_as_may_wait_refuse_no_read() -> None:
    """They were counted together: 256 writes that waited refused every read."""
    store, most = Busy(), 4

    def write(number: int) -> int:
        return asked(
            "POST", f"{url}/subjects/s{number}/versions", json={"schema": '"int"'}, timeout=DEADLINE
        ).status_code

    limits = Limits(waiting_requests=most)
    with registry(store, settings=RegistrySettings(limits=limits)) as url, ThreadPoolExecutor(2 * most) as writers:
        writes = [writers.submit(write, number) for number in range(2 * most)]
        try:
            wait_until(lambda: sum(each.done() for each in writes) >= most)
            assert asked("GET", f"{url}/subjects", timeout=DEADLINE).status_code == 200
        finally:
            store.is_free.set()
        assert sorted(each.result() for each in writes) == [200] * most + [503] * most
