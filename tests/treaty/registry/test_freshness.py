"""What one process ends, the others forget: at once where the database tells, within a second where it cannot."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asking
from tests.treaty.registry.conftest import SHARED
from treaty.registry.names import TOP, Name
from treaty.registry.stores.freshness import Freshness
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

INT = {"schema": '"int"'}


@pytest.mark.parametrize("kind", SHARED)
def test_a_change_elsewhere_is_signalled_without_a_statement(kind: str, url_of: Callable[[str], str]) -> None:
    """The clock stands still: only the signal can have told."""
    url = url_of(kind)
    here, there = open_store(url, migrate=True), open_store(url, migrate=True)
    freshness = Freshness(here, monotonic=lambda: 0.0)

    def looked() -> bool:
        freshness.look()
        return freshness.is_current() and here.signal() is not None

    try:
        wait_until(looked)
        epoch = freshness.epoch
        with there.write(TOP) as writer:
            writer.raise_generation()
        wait_until(lambda: not freshness.is_current())
        freshness.look()
        assert freshness.epoch == epoch + 1
    finally:
        here.close()
        there.close()


def test_a_store_without_a_signal_is_asked_once_a_second() -> None:
    class Dumb(MemoryStore):
        """A shared store that cannot tell."""

        shared = True

        def signal(self) -> int | None:
            return None

    clock = [0.0]
    store = Dumb()
    freshness = Freshness(store, monotonic=lambda: clock[0])
    freshness.look()
    with store.write(TOP) as writer:
        writer.raise_generation()
    clock[0] = 0.9
    assert freshness.is_current()
    clock[0] = 1.1
    assert not freshness.is_current()
    epoch = freshness.epoch
    freshness.look()
    assert freshness.epoch == epoch + 1


@pytest.mark.parametrize("kind", SHARED)
def test_an_alias_that_another_process_sets_is_followed(kind: str, url_of: Callable[[str], str]) -> None:
    url = url_of(kind)
    one, two = open_store(url, migrate=True), open_store(url, migrate=True)
    with registry(one) as here, registry(two) as there, asking() as client:
        client.post(f"{here}/subjects/s/versions", json=INT).raise_for_status()
        assert client.get(f"{there}/subjects/old/versions").status_code == 404
        client.put(f"{here}/config/old", json={"alias": "s"}).raise_for_status()
        assert client.get(f"{here}/subjects/old/versions").json() == [1]
        wait_until(lambda: client.get(f"{there}/subjects/old/versions").is_success)


def test_a_permanent_delete_in_this_process_ends_the_epoch_at_once() -> None:
    store = MemoryStore()
    freshness = Freshness(store)
    epoch = freshness.epoch
    with store.write(Name(".", "s")) as writer:
        writer.raise_generation()
    freshness.end()
    assert (freshness.is_current(), freshness.epoch) == (True, epoch + 1)
