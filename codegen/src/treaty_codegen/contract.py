"""What a topic promises about its events: registry subject, event type, record key.

One answer for the SDK, the registry plan and the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from treaty_codegen.catalog import Topic

_WORD_STARTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """``OrderCreated`` as ``order_created``; runs of capitals are one word (``SMSRequested``: ``sms_requested``)."""
    return _WORD_STARTS.sub("_", name).lower()


def subject_of(topic: Topic, *, event: str) -> str:
    """The registry subject of an event (full name) on its topic, by the topic's ``subject`` rule."""
    match topic.subject:
        case "record":
            return event
        case "topic":
            return f"{topic.name}-value"
        case _:
            return f"{topic.name}-{event}"


def event_type_of(topic: Topic, *, event: str) -> str:
    """The ``ce_type`` of an event (full name): ``ORDER_CREATED``, ``user.logged_in``, or the topic's name."""
    namespace, _, simple = event.rpartition(".")
    domain = namespace.rpartition(".")[2].lower()
    match topic.event_type:
        case "upper":
            return snake_case(simple).upper()
        case "dotted":
            words = snake_case(simple)
            return f"{domain}.{words.removeprefix(f'{domain}_')}" if domain else words
        case _:
            return topic.name


def key_of(topic: Topic, *, event: str) -> str | None:
    """The key declared for an event (full name): a field path, a template with ``{path}``, or None for no key."""
    own = topic.settings_of(event).key
    return topic.key if own is None else own


def key_parts(key: str) -> Iterator[tuple[bool, str]]:
    """A declared key in pieces: ``(True, field path)`` or ``(False, fixed text)``.

    ``"order_id"`` is one path; ``"shop:{order_id}"`` is a text, then a path. Raises ValueError on unpaired braces.
    """
    if "{" not in key and "}" not in key:
        yield True, key
        return
    if re.fullmatch(r"(?:[^{}]|\{[^{}]+\})*", key) is None:
        raise ValueError(f"{key!r:.200} has unpaired braces; write a template like shop:{{order_id}}")
    for path, text in re.findall(r"\{([^{}]+)\}|([^{}]+)", key):
        yield (True, path) if path else (False, text)
