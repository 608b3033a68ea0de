"""The catalogue of events keeps one style, so that who has read one event can read all of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.cases.markdown import ROOT
from treaty_avro import Enum, Field, Record, Type, Union
from treaty_codegen import Catalog, for_env, load_catalog
from treaty_codegen.contract import key_of, key_parts

TAIL = ("event_time", "note", "operator")
MONEY = {"total", "price", "unit_price", "amount", "fee", "balance", "entries"}
IDS_OF_OTHERS = {"test_id", "session_id", "device_id", "request_id", "resource_id"}
"""Identifiers that are given outside the mall's tables, or stand for ids of any kind: texts."""
WORDS_OF_DOMAINS = {"status", "previous_status", "current_status", "reason", "method", "source", "kind"}
"""Words that each domain fills with a type of its own."""


def load() -> Catalog:
    schemas = ROOT / "schemas"
    files = {path.relative_to(schemas).as_posix(): path.read_text("utf-8") for path in schemas.rglob("*.avsc")}
    return load_catalog(files, topics=(schemas / "topics.toml").read_text("utf-8"))


CATALOG = load()
TYPES: dict[str, Type] = {name: file.schema.root for name, file in sorted(CATALOG.by_name.items())}
RECORDS = {name: root for name, root in TYPES.items() if isinstance(root, Record)}
ENUMS = {name: root for name, root in TYPES.items() if isinstance(root, Enum)}
EVENTS = {event: RECORDS[event] for topic in CATALOG.topics.values() for event in topic.events}
PROPERTY = "treaty"


def props(field: Field) -> dict[str, Any]:
    """What the schema says of a field beyond Avro: `pii`, `unit`."""
    found: dict[str, Any] = {
        name.removeprefix(f"{PROPERTY}."): value
        for name, value in field.props.items()
        if name.startswith(f"{PROPERTY}.")
    }
    inner = field.props.get(PROPERTY)
    return found | (dict(inner) if isinstance(inner, dict) else {})


def every_field() -> Iterator[tuple[str, Field]]:
    return ((f"{name}.{field.name}", field) for name, record in RECORDS.items() for field in record.fields)


def shown(type_: Type) -> str:
    """A type in one word, optional or not."""
    if isinstance(type_, Union):
        return shown(next(branch for branch in type_.branches if branch.kind != "null"))
    name = getattr(type_, "name", None)
    logical = type_.logical.kind if type_.logical is not None else ""
    return name.full if name is not None else f"{type_.kind} {logical}".strip()


@pytest.mark.parametrize("name", TYPES)
def test_every_type_and_field_is_explained_in_sentences(name: str) -> None:
    root = TYPES[name]
    docs = {name: getattr(root, "doc", None)}
    docs |= {field.name: field.doc for field in root.fields} if isinstance(root, Record) else {}
    for place, doc in docs.items():
        assert doc, place
        assert doc.endswith("."), f"{place}: {doc}"
        assert doc[0].isupper() or doc[0] == "`", f"{place}: {doc}"


@pytest.mark.parametrize("name", ENUMS)
def test_every_symbol_is_explained_and_the_unknown_one_is_the_default(name: str) -> None:
    enum = ENUMS[name]
    assert (enum.symbols[0], enum.default) == ("UNKNOWN", "UNKNOWN")
    missing = [symbol for symbol in enum.symbols[1:] if f"{symbol}: " not in (enum.doc or "")]
    assert not missing
    assert "UNKNOWN is what an older reader sees" in (enum.doc or "")


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_says_when_why_and_who(name: str) -> None:
    when, why, who = EVENTS[name].fields[-3:]
    assert (when.name, why.name, who.name) == TAIL
    assert shown(when.type) == "long timestamp-micros"
    assert isinstance(why.type, Union)
    assert isinstance(who.type, Union)


@pytest.mark.parametrize("name", EVENTS)
def test_money_names_its_currency_and_its_unit(name: str) -> None:
    money = [field for field in EVENTS[name].fields if field.name in MONEY]
    currency = [field for field in EVENTS[name].fields if field.name == "currency"]
    assert len(currency) == bool(money)
    for field in money:
        match shown(field.type):
            case "bytes decimal":
                assert props(field)["unit"] == "currency"
            case "long":
                assert props(field)["unit"] == "currency minor units"
            case other:
                assert other == "array"  # of records that say it themselves


def test_an_id_is_a_number_or_a_uuid() -> None:
    odd = {
        place: shown(field.type)
        for place, field in every_field()
        if field.name.endswith("_id") and field.name not in IDS_OF_OTHERS
        if shown(field.type) not in {"long", "string uuid"}
    }
    assert odd == {}


def test_every_time_is_in_utc_microseconds() -> None:
    for place, field in every_field():
        if field.type.logical is not None and "time" in field.type.logical.kind:
            assert shown(field.type) == "long timestamp-micros", place
            assert "(UTC, microseconds)" in (field.doc or ""), place


def test_a_field_of_one_name_has_one_type_everywhere() -> None:
    types = defaultdict(set)
    for _, field in every_field():
        types[field.name].add(shown(field.type))
    assert {name: found for name, found in types.items() if len(found) > 1}.keys() == WORDS_OF_DOMAINS


def test_what_may_be_null_says_what_null_means() -> None:
    optional = {place: field for place, field in every_field() if isinstance(field.type, Union)}
    silent = [place for place, field in optional.items() if "null " not in (field.doc or "")]
    assert silent == []
    assert all(field.default is None for field in optional.values())


def test_the_field_that_is_the_key_says_so() -> None:
    for topic in CATALOG.topics.values():
        for event in topic.events:
            for is_path, part in key_parts(key_of(topic, event=event) or ""):
                field = next(each for each in RECORDS[event].fields if each.name == part)
                assert is_path
                assert "The key" in (field.doc or ""), f"{event}.{part}"
                assert "pii" not in props(field), f"{event}.{part}: keys are in logs and tools"


def personal(event: str) -> set[str]:
    """Categories of personal data that an event carries, in its shared types too."""
    known = CATALOG.by_name[event].schema.known().values()
    fields = [field for named in known if isinstance(named, Record) for field in named.fields]
    return {str(props(field)["pii"]) for field in fields if "pii" in props(field)}


def test_a_topic_allows_the_personal_data_that_it_carries_and_no_more() -> None:
    for topic in CATALOG.topics.values():
        if topic.events:
            assert set(topic.pii) == set().union(*map(personal, topic.events)), topic.name


def test_a_dead_letter_topic_names_the_personal_data_that_its_service_reads() -> None:
    for service in CATALOG.services.values():
        read: set[str] = set()
        for topic in CATALOG.topics.values():
            for consumer in topic.consumers:
                if consumer.service == service.name:
                    read = read.union(*map(personal, consumer.events or topic.events))
                    # Dead letters of others are whole records: what is in them may end here.
                    read |= set(topic.pii) if not topic.events else set()
        assert set(CATALOG.topics[service.dead_letter].pii) == read, service.name


def test_personal_data_says_who_sees_it() -> None:
    silent = [
        place
        for place, field in every_field()
        if "pii" in props(field) and not re.search(r"(?i)\b(shown to|seen by) ", field.doc or "")
    ]
    assert silent == []


def test_the_page_of_personal_data_names_each_topic_that_may_hold_it_and_for_how_long() -> None:
    page = (ROOT / "docs/guide/personal-data.md").read_text("utf-8")
    told = {row for row in page.splitlines() if row.startswith("| ")}
    for topic in CATALOG.topics.values():
        name = "dlq.*" if topic.name.startswith("dlq.") else topic.name
        hours = for_env(topic.retention, "prod") // timedelta(hours=1)
        spans = (f"{hours} hours", f"{hours // 24} days", *(["a year"] if hours == 365 * 24 else []))
        assert not topic.pii or any(f"`{name}`" in row and any(s in row for s in spans) for row in told), topic.name
