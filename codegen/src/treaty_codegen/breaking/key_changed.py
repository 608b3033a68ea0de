"""key-changed: another record key sends the events of one thing to other partitions, and their order is lost."""

from __future__ import annotations

from collections.abc import Iterator

from treaty_avro import Field, Record, Type
from treaty_codegen.breaking.facts import Comparison
from treaty_codegen.contract import key_parts
from treaty_codegen.diff import Change
from treaty_codegen.finding import Finding, Severity, Text
from treaty_codegen.rule import Rule

NAME = "key-changed"

WHOLE = {"int": "whole number", "long": "whole number", "enum": "text", "string": "text"}
"""Kinds of key fields that are written alike: 7 is "7" as int and as long."""


def check(comparison: Comparison) -> Iterator[Finding]:
    """Compares the key path or template that ``topics.toml`` gives the event, then and now, and the kinds of its fields."""
    before, after = comparison.old_event.key, comparison.key
    if comparison.old_event.topic != comparison.topic.name:
        return
    if is_same_key(before, after, comparison):
        yield from retyped_parts(comparison, before, after)
        return
    own = comparison.topic.settings_of(comparison.event)
    at = comparison.topic_location("key", line=own.line if own.key is not None else 0)
    yield comparison.finding(
        NAME,
        category="meaning",
        severity=Severity.ERROR,
        at=at,
        message=Text(
            "the key of {what} changed from {before} to {after}: its order per key breaks",
            {
                "what": comparison.event if own.key is not None else comparison.topic.name,
                "before": f"`{before}`" if before else "none",
                "after": f"`{after}`" if after else "none",
            },
        ),
        help=Text("keep the key; another key needs a new topic"),
        names=("key", before, after, comparison.event if own.key is not None else ""),
    )


def is_same_key(before: str, after: str, comparison: Comparison) -> bool:
    """Whether both give the same text: ``{order_id}`` is ``order_id``, and a renamed field is still that field."""
    if not before or not after:
        return before == after
    renamed = {change.before: change.after for change in renames(comparison)}
    old = [(is_path, renamed.get(text, text) if is_path else text) for is_path, text in key_parts(before)]
    return old == list(key_parts(after))


def renames(comparison: Comparison) -> Iterator[Change]:
    """Renamed fields of the event itself."""
    return (change for change in comparison.changes if change.kind == "field-renamed" and "." not in change.path)


def retyped_parts(comparison: Comparison, before: str, after: str) -> Iterator[Finding]:
    if not before:
        return
    for (is_path, old_path), (_, new_path) in zip(key_parts(before), key_parts(after), strict=True):
        old, new = (
            field_at(side.root, path) for side, path in ((comparison.old, old_path), (comparison.new, new_path))
        )
        if not is_path or old is None or new is None or written_as(old.type) == written_as(new.type):
            continue
        yield comparison.finding(
            NAME,
            category="meaning",
            severity=Severity.ERROR,
            at=comparison.topic_location("key"),
            message=Text(
                "the key `{path}` of {event} changed from {before} to {after}: its order per key breaks",
                {"path": new_path, "event": comparison.event, "before": old.type.kind, "after": new.type.kind},
            ),
            help=Text("keep the type of the key; another key needs a new topic"),
            names=("kind", comparison.event, new_path, old.type.kind, new.type.kind),
        )


def field_at(root: Type, path: str) -> Field | None:
    """The field that a key path names; None where it leads nowhere."""
    at: Type | None = root
    field = None
    for name in path.split("."):
        fields = at.fields if isinstance(at, Record) else ()
        field = next((each for each in fields if each.name == name), None)
        at = field.type if field is not None else None
    return field


def written_as(type_: Type) -> str:
    return WHOLE.get(type_.kind, type_.kind)


RULE = Rule(name=NAME, category="meaning", severity=Severity.ERROR, check=check)
