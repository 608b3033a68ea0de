"""The catalogue as an AsyncAPI 3.0 document: a channel a topic, a message an event, what each service sends and receives.

Source: AsyncAPI Specification 3.0.0; Kafka Bindings 0.5.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from treaty_codegen.catalog import Catalog, Consumer, SchemaFile, Topic
from treaty_codegen.contract import event_type_of, key_of, subject_of
from treaty_codegen.documents.examples import Examples
from treaty_codegen.documents.markdown_text import paragraphs
from treaty_codegen.documents.pages import Pages, readers_of
from treaty_codegen.lines import EDIT_HINT, MARK
from treaty_codegen.publish import publish
from treaty_codegen.tags import deprecation

SCHEMA_FORMAT: Final = "application/vnd.apache.avro+json;version=1.12.0"
CONTENT_TYPE: Final = "application/avro"
_BINDING: Final = "0.5.0"

_SPECIAL: Final = re.compile(r"[\\^$.|?*+(){}\[\]]")
"""What a pattern of JSON Schema takes for more than itself. Source: ECMA-262, "SyntaxCharacter"."""

_Object = dict[str, Any]


def emit_asyncapi(
    catalog: Catalog, *, title: str = "Events", version: str = "0.1.0.dev0", examples: Examples | None = None
) -> bytes:
    """The document as JSON, with the texts of the schemas in it; the same bytes for the same arguments.

    Values that differ by environment are those of the rest (``"*"``); all of them stand under ``x-environments``. A group
    outside this repository sends and receives nothing here: it stands under ``x-external-readers`` of its channel.
    """
    pages, made = Pages.of(catalog), examples or Examples(catalog.examples)
    messages = {name: _message(pages.files[name], pages=pages, examples=made) for name in pages.events}
    document = {
        "x-generated": f"{MARK.removeprefix('# ')}. {EDIT_HINT}",
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version},
        "defaultContentType": CONTENT_TYPE,
        "channels": {name: _channel(topic) for name, topic in sorted(catalog.topics.items())},
        "operations": _named(_operations(catalog)),
        "components": {"messages": messages},
    }
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def _channel(topic: Topic) -> _Object:
    external = {each.group: each.external for each in topic.consumers if each.external is not None}
    return {
        "address": topic.name,
        "description": _described(topic.doc),
        "messages": {event: {"$ref": f"#/components/messages/{event}"} for event in topic.events},
        "bindings": {"kafka": _topic_binding(topic)},
        "x-owner": topic.owner,
        "x-compatibility": topic.compatibility,
        "x-subjects": {event: subject_of(topic, event=event) for event in topic.events},
        "x-keys": {event: key_of(topic, event=event) for event in topic.events},
        **({"x-environments": environments} if (environments := _environments(topic)) else {}),
        **({"x-external-readers": external} if external else {}),
    }


def _topic_binding(topic: Topic) -> _Object:
    settings: _Object = {name: _setting(values["*"]) for name, values in sorted(topic.config.items())}
    settings["cleanup.policy"] = topic.cleanup.split(",")
    settings["retention.ms"] = _milliseconds(topic.retention["*"])
    return {
        "topic": topic.name,
        "partitions": topic.partitions["*"],
        "replicas": topic.replication["*"],
        "topicConfiguration": settings,
        "bindingVersion": _BINDING,
    }


def _environments(topic: Topic) -> _Object:
    """What differs by environment, as a table of values each; nothing where all are alike."""
    values: dict[str, Mapping[str, Any]] = {
        "partitions": topic.partitions,
        "replicas": topic.replication,
        "retention.ms": {name: _milliseconds(value) for name, value in topic.retention.items()},
        **topic.config,
    }
    return {name: dict(sorted(table.items())) for name, table in values.items() if len(table) > 1}


def _message(file: SchemaFile, *, pages: Pages, examples: Examples) -> _Object:
    event = file.full_name
    topics = pages.homes.get(event)
    shown = examples.of(file)
    type_ = file.schema.named[event]
    message: _Object = {
        "name": event,
        "title": event.rpartition(".")[2],
        "description": _described(type_.doc or ""),
        "contentType": CONTENT_TYPE,
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": json.loads(publish(file))},
        "bindings": {"kafka": _message_binding()},
    }
    if topics is not None:
        message["headers"] = _headers(event_type_of(topics[0], event=event))
    if deprecation(type_) is not None:
        message["deprecated"] = True
    if shown is not None:
        message["examples"] = [{"name": "plausible", "payload": json.loads(shown)}]
    return message


def _headers(event_type: str) -> _Object:
    """CloudEvents in binary mode. Source: CloudEvents 1.0.2, Kafka protocol binding."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"],
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": {"type": "string", "format": "uuid"},
            "ce_source": text,
            "ce_type": {"type": "string", "const": event_type},
            "ce_time": {"type": "string", "format": "date-time"},
            "ce_subject": text,
            "ce_correlationid": text,
            "ce_causationid": text,
        },
    }


def _message_binding() -> _Object:
    """A zero byte and the schema's id in four stand before the datum."""
    return {
        "key": {"type": "string"},
        "schemaIdLocation": "payload",
        "schemaIdPayloadEncoding": "confluent",
        "bindingVersion": _BINDING,
    }


def _operations(catalog: Catalog) -> Iterator[tuple[str, _Object]]:
    """By service, then by topic; ``*`` among a topic's producers is every service."""
    for service in sorted({*catalog.services, *_producers(catalog)}):
        for name, topic in sorted(catalog.topics.items()):
            if service in topic.producers or "*" in topic.producers:
                yield f"{_id(service)}.send.{name}", _operation("send", topic, service, topic.events)
            for consumer in topic.consumers:
                if consumer.service == service:
                    yield f"{_id(service)}.receive.{name}.{_id(consumer.group)}", _receive(topic, consumer)


def _named(operations: Iterable[tuple[str, _Object]]) -> dict[str, _Object]:
    """Two groups may have one id once their odd characters are gone."""
    named: dict[str, _Object] = {}
    for name, operation in operations:
        while name in named:
            name += "_"  # noqa: PLW2901  # the name that is still free
        named[name] = operation
    return named


def _producers(catalog: Catalog) -> Iterator[str]:
    for topic in catalog.topics.values():
        yield from (name for name in topic.producers if name != "*")
        yield from (each.service for each in topic.consumers if each.service is not None)


def _receive(topic: Topic, consumer: Consumer) -> _Object:
    events = [event for event in topic.events if consumer in readers_of(topic, event=event)]
    operation = _operation("receive", topic, consumer.service or "", events)
    group = {"type": "string", "enum": [consumer.group]}
    if consumer.group.endswith("*"):
        group = {"type": "string", "pattern": f"^{_SPECIAL.sub(_escaped, consumer.group[:-1])}"}
    return operation | {"bindings": {"kafka": {"groupId": group, "bindingVersion": _BINDING}}}


def _operation(action: str, topic: Topic, service: str, events: Sequence[str]) -> _Object:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{event}"} for event in events],
        "x-service": service,
    }


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def _id(name: str) -> str:
    """A name as part of an operation's id: groups may end in ``*``."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def _described(text: str) -> str:
    """A text as CommonMark, which descriptions are."""
    return "\n\n".join(paragraphs(text))


def _milliseconds(value: timedelta) -> int:
    return value // timedelta(milliseconds=1)


def _setting(text: str) -> int | bool | str:
    """A broker setting, as a number or a truth value if it is one."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII) else text
