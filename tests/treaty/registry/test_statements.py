"""How many statements a request costs, which does not depend on the machine, and that it does not grow with the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.treaty.registry.conftest import SHARED
from treaty.registry.access.audit import Visitor
from treaty.registry.access.grants import ANYONE, Role
from treaty.registry.decisions.request import SchemaRequest
from treaty.registry.guard.guarded import Guard, GuardedStore
from treaty.registry.names import Name
from treaty.registry.service import RegistryService
from treaty.registry.service.registering import How
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.protocol import Store

S = Name(".", "s")


def record(fields: int) -> SchemaRequest:
    """A record of twenty fields and some more, each with a default."""
    more = [{"name": f"f{number}", "type": "string", "default": ""} for number in range(20 + fields)]
    return SchemaRequest(text=json.dumps({"type": "record", "name": "R", "fields": more}))


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collects what any engine executes, but for what begins a transaction."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture(params=SHARED)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database."""
    return str(request.param)


@pytest.fixture
def service(kind: str, new_store: Callable[[str], Store]) -> RegistryService:
    """A registry with one subject of ten versions, as a visitor has it: what is changed is written down."""
    store = new_store(kind)
    made = RegistryService(store, settings=RegistrySettings(), now=lambda: datetime.now(UTC))
    made.governing.set_config(S, {"compatibility": "FULL_TRANSITIVE"})
    for number in range(10):
        made.registering.register(S, record(number), how=How())
    made.aliases.all()
    return made.on(GuardedStore(store, Guard(Visitor(ANYONE), Role.WRITER), now_ms=lambda: 0))


def test_what_is_asked_most_costs_little(kind: str, service: RegistryService) -> None:
    # On Postgres, where each statement is a round trip, a registration stores everything in its last one; the first takes
    # the locks. SQLite can put no two inserts into one statement, and there is no way between.
    is_far = kind == "postgres"
    other = Name(".", "other")
    costs: dict[str, tuple[Callable[[], object], int]] = {
        "latest": (lambda: service.reading.version(S, -1, deleted=False), 1),
        "by id": (lambda: service.reading.by_id(1, near=None), 1),
        "look up the latest": (lambda: service.registering.look_up(S, record(9), normalize=False, deleted=False), 1),
        "look up": (lambda: service.registering.look_up(S, record(3), normalize=False, deleted=False), 2),
        "register the latest again": (lambda: service.registering.register(S, record(9), how=How()), 1),
        "register again": (lambda: service.registering.register(S, record(3), how=How()), 2),
        "check the latest": (
            lambda: service.judging.check(S, record(10), version=-1, normalize=False, verbose=False), 1
        ),
        "check all": (
            lambda: service.judging.check(S, record(10), version=None, normalize=False, verbose=False), 3
        ),
        "register a new version": (lambda: service.registering.register(S, record(11), how=How()), 6 if is_far else 10),
        "register a new subject": (lambda: service.registering.register(other, record(12), how=How()), 5 if is_far else 9),
    }  # fmt: skip
    for what, (call, most) in costs.items():
        with counted() as statements:
            call()
        assert len(statements) <= most, f"{what}: {len(statements)}\n" + "\n".join(statements)


def test_a_registration_asks_as_often_beside_many_versions_as_beside_few(service: RegistryService) -> None:
    counts = []
    for number in (10, 11, 60):
        for between in range(max(number - 30, 12), number):
            service.registering.register(S, record(between), how=How())
        with counted() as statements:
            service.registering.register(S, record(number), how=How())
        counts.append(len(statements))
    assert len(set(counts)) == 1, counts


def test_what_was_compared_once_is_not_read_again(service: RegistryService) -> None:
    def cost() -> int:
        with counted() as statements:
            assert service.judging.check(S, record(10), version=None, normalize=False, verbose=False).is_compatible
        return len(statements)

    assert (cost(), cost()) == (3, 2)
