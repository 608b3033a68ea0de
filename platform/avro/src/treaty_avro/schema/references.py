"""A directory of schema texts that use one another's types, in any order.

Laws: every type is defined in one file; files depend on the files whose types they name, and never in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from treaty_avro.errors import SchemaError
from treaty_avro.schema import jsontext
from treaty_avro.schema.model import PRIMITIVES, Json
from treaty_avro.schema.names import nearest, qualify
from treaty_avro.schema.parse import Rules, parse
from treaty_avro.schema.schema import Schema

_NAMED: Final = ("record", "error", "enum", "fixed")


@dataclass(frozen=True, slots=True)
class _Mention:
    """A name in a text: a definition's own, or a use; ``bare`` is how it was written."""

    full: str
    bare: str
    pointer: str
    is_definition: bool


def parse_files(files: Mapping[str, str], *, rules: Rules = "new") -> dict[str, Schema]:
    """The schemas of texts by path; ``Schema.references`` are the files whose types a text names directly.

    Raises ``SchemaError`` for what ``parse`` refuses, for a full name in two files, for an unknown name and for files
    that need one another in a circle.
    """
    mentions = {path: list(_mentions(jsontext.read(text, path=path))) for path, text in files.items()}
    homes = _homes(files, mentions)
    needs = {path: _needs(path, files[path], mentions[path], homes) for path in files}
    schemas: dict[str, Schema] = {}
    for path in _order(needs, files):
        references = [schemas[each] for each in needs[path]]
        schemas[path] = parse(files[path], references=references, path=path, rules=rules)
    return {path: schemas[path] for path in files}


def _homes(files: Mapping[str, str], mentions: Mapping[str, list[_Mention]]) -> dict[str, str]:
    """Which file defines each full name."""
    homes: dict[str, str] = {}
    for path, each in mentions.items():
        for mention in each:
            if mention.is_definition and homes.setdefault(mention.full, path) != path:
                reason = f"{mention.full} is defined in {homes[mention.full]} and in {path}; keep one and refer to it"
                _fail(reason, path, files[path], mention.pointer)
    return homes


def _needs(path: str, text: str, mentions: list[_Mention], homes: Mapping[str, str]) -> dict[str, _Mention]:
    """The files whose types a text uses, each with the first use."""
    needs: dict[str, _Mention] = {}
    for mention in mentions:
        if mention.is_definition or mention.bare in PRIMITIVES:
            continue
        home = homes.get(mention.full) or homes.get(mention.bare)
        if home is None:
            meant = nearest(mention.full, [*homes, *PRIMITIVES])
            hint = f"; did you mean '{meant}'?" if meant else "; no file defines it"
            _fail(f"unknown type '{mention.full[:200]}'{hint}", path, text, mention.pointer)
        if home != path:
            needs.setdefault(home, mention)
    return needs


def _order(needs: Mapping[str, Mapping[str, _Mention]], files: Mapping[str, str]) -> list[str]:
    """Paths, each after those it needs; an explicit stack, since chains of files may be long."""
    done: dict[str, None] = {}
    for start in needs:
        trail: dict[str, Iterator[str]] = {} if start in done else {start: iter(needs[start])}
        while trail:
            path = next(reversed(trail))
            following = next(trail[path], None)
            if following is None:
                done[path] = None
                del trail[path]
            elif following in trail:
                circle = [*trail][[*trail].index(following) :]
                shown = " → ".join([*circle, following])
                pointer = needs[path][following].pointer
                _fail(
                    f"files need one another in a circle: {shown}; move the shared type out", path, files[path], pointer
                )
            elif following not in done:
                trail[following] = iter(needs[following])
    return list(done)


def _mentions(document: Json) -> Iterator[_Mention]:
    """Every name in a text that stands where a type or its name may stand; what is malformed is left to ``parse``."""
    waiting: list[tuple[Json, str, str]] = [(document, "", "")]
    while waiting:
        node, namespace, at = waiting.pop()
        if isinstance(node, str):
            yield _Mention(qualify(node, namespace).full, node, at, is_definition=False)
        elif isinstance(node, list):
            waiting.extend((each, namespace, f"{at}/{index}") for index, each in reversed(list(enumerate(node))))
        elif isinstance(node, dict):
            inner = namespace
            if node.get("type") in _NAMED and isinstance(node.get("name"), str):
                own = node.get("namespace")
                name = qualify(node["name"], own if isinstance(own, str) else namespace)
                inner = name.namespace
                yield _Mention(name.full, node["name"], at, is_definition=True)
            waiting.extend(reversed([(child, inner, at + below) for below, child in _children(node)]))


def _children(node: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    kind = node.get("type")
    if kind == "array":
        yield "/items", node.get("items")
    elif kind == "map":
        yield "/values", node.get("values")
    elif kind in ("record", "error") and isinstance(node.get("fields"), list):
        for index, field in enumerate(node["fields"]):
            if isinstance(field, dict):
                yield f"/fields/{index}/type", field.get("type")


def _fail(reason: str, path: str, text: str, pointer: str) -> NoReturn:
    span = jsontext.Places(text)[pointer][1]
    raise SchemaError(reason, path=path, line=span.line, column=span.column, pointer=pointer)
