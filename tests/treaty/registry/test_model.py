"""Any sequence of writes: SQLite does what the dictionaries do, and the laws of ids and versions hold after each step."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import make_url

from treaty.registry.decisions.request import SchemaRequest
from treaty.registry.errors import RegistryError
from treaty.registry.names import TOP, Name
from treaty.registry.rows import Reference
from treaty.registry.service import RegistryService
from treaty.registry.service.registering import How
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.protocol import Search, Store
from treaty.registry.stores.sql.sqlite import Sqlite
from treaty.registry.stores.sql.store import SqlStore, open_store

NAMES = st.sampled_from([Name(".", "a"), Name(".", "b"), Name(".x", "a")])
TEXTS = st.sampled_from(
    [
        '"int"',
        '"string"',
        json.dumps({"type": "record", "name": "T", "fields": []}),
        json.dumps({"type": "record", "name": "T", "fields": [{"name": "a", "type": "int", "default": 0}]}),
        json.dumps({"type": "record", "name": "T", "fields": [{"name": "a", "type": "int"}]}),
        *(
            json.dumps(
                {"type": "record", "name": "T", "fields": [{"name": "a", "type": "int", "treaty": {"unit": unit}}]}
            )
            for unit in ("ms", "s")
        ),
    ]
)
CHANGES = st.sampled_from(
    [
        {"alias": "b"},
        {"alias": None},
        {"normalize": True},
        {"compatibilityGroup": "owner"},
        {"compatibilityGroup": None, "validateFields": True},
        {"defaultMetadata": {"properties": {"owner": "default"}}},
        {"overrideMetadata": {"properties": {"owner": "override", "confluent:version": "1"}}},
        {"defaultMetadata": None, "overrideMetadata": None},
        {"defaultRuleSet": {"domainRules": [{"name": "r", "type": "CEL"}]}},
        {"validateNewSchemas": False, "compatibility": "NONE"},
    ]
)
REFERRER = json.dumps({"type": "record", "name": "R", "fields": [{"name": "t", "type": "T"}]})
EVERYTHING = Search(deleted=True)
SETTINGS = RegistrySettings(meaning="refuse")  # so that every judgement there is is made


@cache
def empty_database() -> bytes:
    """A migrated SQLite file: migrating one for each example would take most of the time."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "r.db")
        open_store(f"sqlite:///{file}", migrate=False).close()
        return file.read_bytes()


class TwoRegistries(RuleBasedStateMachine):
    """The same calls to a registry in memory and to one on SQLite."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = ExitStack()
        stores: tuple[Store, Store] = (MemoryStore(), self.second_store())
        moment = datetime(2030, 1, 1, tzinfo=UTC)
        self.services = [RegistryService(store, settings=SETTINGS, now=lambda: moment) for store in stores]
        self.contents: dict[tuple[str, int], str] = {}
        self.last_ids: dict[str, int] = {}

    def second_store(self) -> Store:
        """An empty store; ``ended`` takes it away."""
        file = Path(self.ended.enter_context(tempfile.TemporaryDirectory()), "r.db")
        file.write_bytes(empty_database())
        return SqlStore(Sqlite(make_url(f"sqlite:///{file}")))

    def teardown(self) -> None:
        for service in self.services:
            service.store.close()
        self.ended.close()

    def both(self, call: Callable[[RegistryService], Any]) -> None:
        """Call both; they have to answer, or to refuse, alike."""
        outcomes = []
        for service in self.services:
            try:
                outcomes.append(("answer", call(service)))
            except RegistryError as error:
                outcomes.append((type(error).__name__, str(error)))
        assert outcomes[0] == outcomes[1]

    @rule(name=NAMES, text=TEXTS, owner=st.sampled_from([None, "x", "y"]))
    def register(self, name: Name, text: str, owner: str | None) -> None:
        metadata = None if owner is None else {"properties": {"owner": owner}}
        request = SchemaRequest(text=text, metadata=metadata)
        self.both(lambda service: service.registering.register(name, request, how=How()))

    @rule(name=NAMES, subject=st.sampled_from(["a", "b", ":.x:a"]), number=st.sampled_from([-1, 1, 2]))
    def refer(self, name: Name, subject: str, number: int) -> None:
        request = SchemaRequest(text=REFERRER, references=(Reference("T", subject, number),))
        self.both(lambda service: service.registering.register(name, request, how=How()))

    @rule(name=NAMES, text=TEXTS, version=st.sampled_from([-1, 1, 2, 3]), force=st.booleans())
    def register_numbered(self, name: Name, text: str, version: int, force: bool) -> None:  # drawn by name
        request = SchemaRequest(text=text, version=version)
        how = How(force=force, normalize=force, provenance="commit=abc")
        self.both(lambda service: service.registering.register(name, request, how=how))

    @rule(name=NAMES, number=st.sampled_from([-1, 1, 2, 3]))
    def undelete(self, name: Name, number: int) -> None:
        self.both(lambda service: service.restoring.version(name, number))

    @rule(name=NAMES, number=st.sampled_from([1, 2]))
    def ask_for_provenance(self, name: Name, number: int) -> None:
        self.both(lambda service: service.reading.provenance(name, number))

    @rule(name=NAMES, schema_id=st.integers(1, 6), near=st.one_of(st.none(), NAMES), deleted=st.booleans())
    def ask_by_id(self, name: Name, schema_id: int, near: Name | None, deleted: bool) -> None:  # drawn by name
        self.both(lambda service: service.reading.by_id(schema_id, near=near))
        self.both(lambda service: service.reading.users(schema_id, near=near, deleted=deleted))
        self.both(lambda service: service.reading.referrer_ids(name, -1, deleted=deleted))

    @rule(name=st.one_of(NAMES, st.just(TOP)), change=CHANGES)
    def set_config(self, name: Name, change: dict[str, Any]) -> None:
        self.both(lambda service: service.governing.set_config(name, change))
        self.both(lambda service: service.aliases.all())

    @rule(name=st.one_of(NAMES, st.just(TOP)))
    def drop_config(self, name: Name) -> None:
        self.both(lambda service: service.governing.drop_config(name))

    @rule(name=NAMES, text=TEXTS, version=st.sampled_from([None, -1, 1]))
    def check(self, name: Name, text: str, version: int | None) -> None:
        request = SchemaRequest(text=text)
        self.both(
            lambda service: service.judging.check(name, request, version=version, normalize=False, verbose=version == 1)
        )

    @rule(name=NAMES, text=TEXTS)
    def explain(self, name: Name, text: str) -> None:
        self.both(lambda service: service.explaining.explain(name, SchemaRequest(text=text), normalize=False))

    @rule(context=st.sampled_from([".x", ".y"]))
    def delete_context(self, context: str) -> None:
        self.both(lambda service: service.deleting.context(context))

    @rule(name=NAMES, text=TEXTS, schema_id=st.integers(1, 9), number=st.integers(1, 6))
    def bring_in(self, name: Name, text: str, schema_id: int, number: int) -> None:
        request = SchemaRequest(text=text, id=schema_id, version=number)
        self.both(lambda service: service.governing.set_mode(name, "IMPORT", force=True))
        self.both(lambda service: service.registering.register(name, request, how=How()))
        self.both(lambda service: service.governing.set_mode(name, "READWRITE", force=False))

    @rule(name=NAMES, text=TEXTS, deleted=st.booleans())
    def look_up(self, name: Name, text: str, deleted: bool) -> None:  # drawn by name
        request = SchemaRequest(text=text)
        self.both(lambda service: service.registering.look_up(name, request, normalize=False, deleted=deleted))

    @rule(name=NAMES, number=st.sampled_from([-1, 1, 2, 3]), permanent=st.booleans())
    def delete_version(self, name: Name, number: int, permanent: bool) -> None:  # drawn by name
        self.both(lambda service: service.deleting.version(name, number, permanent=permanent))

    @rule(name=NAMES, permanent=st.booleans())
    def delete_subject(self, name: Name, permanent: bool) -> None:  # drawn by name
        self.both(lambda service: service.deleting.subject(name, permanent=permanent))

    @rule(name=NAMES)
    def remove_subject(self, name: Name) -> None:
        self.both(lambda service: service.deleting.subject(name, permanent=False))
        self.both(lambda service: service.deleting.subject(name, permanent=True))

    @rule(name=NAMES, level=st.sampled_from(["NONE", "BACKWARD", "FULL_TRANSITIVE"]))
    def set_level(self, name: Name, level: str) -> None:
        self.both(lambda service: service.governing.set_config(name, {"compatibility": level}))

    @rule(
        name=st.one_of(NAMES, st.just(TOP)),
        mode=st.sampled_from(["READWRITE", "READONLY", "IMPORT"]),
        force=st.booleans(),
    )
    def set_mode(self, name: Name, mode: str, force: bool) -> None:  # drawn by name
        self.both(lambda service: service.governing.set_mode(name, mode, force=force))

    @rule(name=st.one_of(NAMES, st.just(TOP)))
    def drop_mode(self, name: Name) -> None:
        self.both(lambda service: service.governing.drop_mode(name, recursive=True))

    @rule(context=st.sampled_from([".", ".x"]))
    def drop_context(self, context: str) -> None:
        self.both(lambda service: service.deleting.context(context))

    @invariant()
    def both_hold_the_same(self) -> None:
        self.both(lambda service: list(service.reading.listed(EVERYTHING, aliases={}, rule_type="")))
        self.both(lambda service: (service.reading.subjects(EVERYTHING), service.reading.contexts()))

    @invariant()
    def an_id_keeps_its_content_while_it_stands(self) -> None:
        with self.services[1].store.read() as reader:
            rows = [(row.name.context, row.schema_id) for row in reader.find(EVERYTHING)]
            contents = {}
            for context, schema_id in rows:
                schema = reader.schema(context, schema_id)
                assert schema is not None
                contents[context, schema_id] = schema.content.text
        kept = self.contents.keys() & contents.keys()
        assert {key: contents[key] for key in kept} == {key: self.contents[key] for key in kept}
        self.contents = contents

    @invariant()
    def the_last_id_never_falls(self) -> None:
        with self.services[1].store.read() as reader:
            for context in (".", ".x"):
                last = reader.last_id(context)
                assert last >= self.last_ids.get(context, 0)
                assert all(schema_id <= last for held, schema_id in self.contents if held == context)
                self.last_ids[context] = last

    @invariant()
    def nothing_dangles(self) -> None:
        with self.services[1].store.read() as reader:
            for row in reader.find(EVERYTHING):
                schema = reader.schema(row.name.context, row.schema_id)
                assert schema is not None
                for reference in schema.content.references:
                    assert reader.version(reference.target(schema.context), reference.version) is not None
            for name in reader.subjects(replace(EVERYTHING, deleted=False)):
                live = [row.number for row in reader.versions(name) if not row.deleted]
                latest = reader.latest(name)
                assert latest is not None
                assert latest.number == max(live)


# Longer than other tests: a failure is shrunk to its smallest sequence before it is shown.
TestTwoRegistries = pytest.mark.timeout(600)(TwoRegistries.TestCase)
TestTwoRegistries.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_postgres_does_what_the_dictionaries_do(url_of: Callable[[str], str]) -> None:
    class OnPostgres(TwoRegistries):
        def second_store(self) -> Store:
            return open_store(url_of("postgres"), migrate=True)

    run_state_machine_as_test(OnPostgres, settings=TestTwoRegistries.settings)
