"""``topics.toml`` as topics, services and removals, with all defaults applied."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from treaty_codegen.catalog import Consumer, EventSettings, Removal, Service, Topic
from treaty_codegen.contract import key_parts
from treaty_codegen.errors import CatalogError
from treaty_codegen.nearest import did_you_mean
from treaty_codegen.quantities import broker_value, duration
from treaty_codegen.section import Section
from treaty_codegen.toml_lines import MAX_PARTS, key_lines, too_deep

V = TypeVar("V")

LEVELS: Final = (
    "NONE",
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
)
"""Compatibility levels of the registry."""

# Kafka's own rule: org.apache.kafka.common.internals.Topic.
_TOPIC_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """What one ``topics.toml`` declares."""

    topics: Mapping[str, Topic]
    services: Mapping[str, Service]
    removals: tuple[Removal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """The settings that ``[defaults]`` gives and a topic may override, each with its value so far."""

    subject: str = "topic-record"
    compatibility: str = "FULL_TRANSITIVE"
    partitions: Mapping[str, int]
    replication: Mapping[str, int]
    retention: Mapping[str, Any]
    cleanup: str = "delete"
    config: Mapping[str, Mapping[str, str]]


_BUILT_IN: Final = _Delivery(partitions={"*": 3}, replication={"*": 1}, retention={"*": duration("168h")}, config={})


def read_topics(text: str, *, events: Collection[str]) -> Declarations:
    """Read a ``topics.toml``; ``events`` are the full names of the schemas that exist.

    Raises ``CatalogError`` with the line: not TOML, an unknown key (naming the nearest), a value of the wrong kind, an
    event that no schema defines, a consumer's event that its topic does not carry.
    """
    deep = too_deep(text)
    if deep:
        raise CatalogError(f"a name of more than {MAX_PARTS} parts", line=deep)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise CatalogError(f"not TOML: {error}", line=int(line[1]) if line else 0) from None
    except ValueError:  # Python's own limit, not TOML's
        raise CatalogError("a number has thousands of digits; make it smaller") from None
    except RecursionError:
        raise CatalogError("lists or tables stand too deep in each other") from None
    root = Section(values, path=(), lines=key_lines(text))
    if type(values.get("format")) is not int or values["format"] != 1 or not root.has("format"):
        raise root.error("`format` is not 1; write `format = 1` at the top", member="format")
    defaults = root.section("defaults")
    delivery = _delivery(defaults, base=_BUILT_IN)
    defaults.close()
    level_line = defaults.line_at("compatibility") if defaults.has("compatibility") else 0
    topics = {
        name: _topic(name, table, delivery, events, level_line=level_line)
        for name, table in root.section("topic").sections()
    }
    services = {name: _service(name, table) for name, table in root.section("service").sections()}
    removals = tuple(_removal(table) for table in root.array("removed"))
    root.close()
    return Declarations(topics=topics, services=services, removals=removals)


def _delivery(table: Section, *, base: _Delivery) -> _Delivery:
    return _Delivery(
        subject=table.choice("subject", among=("topic-record", "record", "topic"), default=base.subject),
        compatibility=table.choice("compatibility", among=LEVELS, default=base.compatibility),
        partitions=_or(table, "partitions", _positive, base.partitions),
        replication=_or(table, "replication", _positive, base.replication),
        retention=_or(table, "retention", _duration, base.retention),
        cleanup=table.choice("cleanup", among=("delete", "compact", "compact,delete"), default=base.cleanup),
        config={**base.config, **_config(table.section("config"))},
    )


def _or(table: Section, name: str, read: Any, base: Mapping[str, V]) -> Mapping[str, V]:
    return table.by_environment(name, read=read) if table.has(name) else base


def _config(table: Section) -> dict[str, Mapping[str, str]]:
    def reader(name: str) -> Any:
        return lambda value: broker_value(name, text=_config_text(value))

    return {name: table.by_environment(name, read=reader(name)) for name in table.names()}


def _config_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("a broker setting is a text or a number")


def _positive(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{value!r:.200} is not a whole number of 1 or more")
    return value


def _duration(value: object) -> Any:
    return duration(value if isinstance(value, str) else repr(value))


def _topic(name: str, table: Section, base: _Delivery, known: Collection[str], *, level_line: int) -> Topic:
    if _TOPIC_NAME.fullmatch(name) is None or name in {".", ".."}:
        raise table.error(f"{name!r:.200} is not a topic name: 1 to 249 of A-Z a-z 0-9 . _ -")
    events = table.texts("events")
    for event in events:
        if event not in known:
            raise table.error(f"no schema defines `{event:.200}`{did_you_mean(event, known=known)}", member="events")
    delivery = _delivery(table, base=base)
    if delivery.subject == "topic" and len(events) > 1:
        raise table.error('`subject = "topic"` allows one event only; use "topic-record"', member="subject")
    topic = Topic(
        name=name,
        doc=table.text("doc"),
        owner=table.text("owner"),
        events=events,
        event_type=table.choice("event_type", among=("upper", "dotted", "topic"), default="topic"),
        key=_key(table),
        subject=delivery.subject,
        compatibility=delivery.compatibility,
        partitions=delivery.partitions,
        replication=delivery.replication,
        retention=delivery.retention,
        cleanup=delivery.cleanup,
        config=delivery.config,
        producers=table.texts("producers"),
        consumers=tuple(_consumer(group, each, events) for group, each in table.section("consumer").sections()),
        event_settings=dict(_event_settings(table.section("event"), events)),
        pii=table.texts("pii"),
        line=table.line,
        lines={member: table.line_at(member) for member in ("owner", "events", "key", "partitions", "retention", "pii")}
        | {
            "compatibility": level_line
            if level_line and not table.has("compatibility")
            else table.line_at("compatibility")
        },
    )
    table.close()
    return topic


def _key(table: Section) -> str | None:
    key = table.optional_text("key")
    try:
        list(key_parts(key or ""))
    except ValueError as error:
        raise table.error(f"`key`: {error}", member="key") from None
    return key


def _event_settings(table: Section, events: tuple[str, ...]) -> Iterator[tuple[str, EventSettings]]:
    for name, each in table.sections():
        event = _full_name(name, events, each)
        yield event, EventSettings(key=_key(each), environments=each.texts("environments"), line=each.line_at("key"))
        each.close()


def _consumer(group: str, table: Section, events: tuple[str, ...]) -> Consumer:
    consumer = Consumer(
        group=group,
        service=table.optional_text("service"),
        events=tuple(_full_name(name, events, table, member="events") for name in table.texts("events")),
        external=table.optional_text("external"),
        reads=table.texts("reads"),
        line=table.line,
    )
    table.close()
    if (consumer.service is None) == (consumer.external is None):
        raise table.error(f"consumer `{group}` names either its `service` or, outside this repository, `external`")
    return consumer


def _full_name(name: str, events: tuple[str, ...], table: Section, *, member: str | None = None) -> str:
    """Within a topic an event goes by its simple name, or by its full name where two would be alike."""
    found = [event for event in events if name in (event, event.rpartition(".")[2])]
    if len(found) != 1:
        simple = [event.rpartition(".")[2] for event in events]
        why = "means several events; write its full name" if found else "is no event of this topic"
        raise table.error(f"`{name}` {why}{did_you_mean(name, known=simple) if not found else ''}", member=member)
    return found[0]


def _service(name: str, table: Section) -> Service:
    retry = table.texts("retry", default=("1s", "10s", "60s"))
    for delay in retry:
        try:
            duration(delay)
        except ValueError as error:
            raise table.error(f"`retry`: {error}", member="retry") from None
    service = Service(
        name=name,
        owner=table.text("owner"),
        code=table.text("code"),
        dead_letter=table.text("dead_letter", default=f"dlq.{name}"),
        retry=retry,
        line=table.line,
    )
    table.close()
    return service


def _removal(table: Section) -> Removal:
    shared = table.optional_text("type")
    if shared is not None and (table.has("topic") or table.has("event")):
        raise table.error(
            "a tombstone is of a shared `type`, which is on no topic, or of a `topic` and its `event`", member="type"
        )
    removal = Removal(
        topic=table.text("topic") if shared is None else "",
        reason=table.text("reason"),
        approved_by=table.text("approved_by"),
        event=table.optional_text("event"),
        type=shared,
        soft_after=table.date("soft_after"),
        permanent_after=table.date("permanent_after"),
        line=table.line,
    )
    table.close()
    return removal
