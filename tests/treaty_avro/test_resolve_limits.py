"""How deep types may be nested to be compared and resolved, and that a resolution can be shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from treaty_avro import ResolutionError, Schema, SchemaLimit, incompatibilities, parse, resolve


def chain(records: int) -> Schema:
    """A map of a record that holds a record, and so on: one level more than there are records."""
    each: list[dict[str, Any]] = [{"type": "record", "name": "R0", "fields": []}]
    each += [
        {"type": "record", "name": f"R{n}", "fields": [{"name": "f", "type": f"R{n - 1}"}]} for n in range(1, records)
    ]
    top = {"type": "map", "values": f"R{records - 1}"}
    return parse(json.dumps(top), references=[parse(json.dumps(each))])


def test_two_hundred_and_fifty_levels_below_the_root_are_resolved_and_one_more_is_refused() -> None:
    resolve(chain(250), chain(250))
    with pytest.raises(SchemaLimit, match="the limit is 250"):
        resolve(chain(251), chain(251))


def test_two_hundred_and_fifty_levels_are_compared_and_one_more_is_refused() -> None:
    assert incompatibilities(chain(249), chain(249)) == []
    with pytest.raises(SchemaLimit, match="more than 250 levels"):
        incompatibilities(chain(250), chain(250))


def test_a_resolution_is_shown_without_its_graph() -> None:
    """The graph of a type that holds itself has no end."""
    node = parse('{"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}')
    assert "Steps(" not in repr(resolve(node, node))


@pytest.mark.parametrize("unread", ['"int"', '["null", "int"]'])
def test_where_the_checker_gives_up_the_resolver_tells_the_place_itself(unread: str) -> None:
    """An alias that finds two fields ends the comparison; the field that cannot be read is still named."""
    fields = '{"name": "x", "type": "int"}, {"name": "y", "type": "int"}, {"name": "z", "type": "string"}'
    writer = parse(f'{{"type": "record", "name": "R", "fields": [{fields}]}}')
    taken = f'{{"name": "x", "type": "int", "aliases": ["y"]}}, {{"name": "z", "type": {unread}}}'
    reader = parse(f'{{"type": "record", "name": "R", "fields": [{taken}]}}')
    with pytest.raises(ResolutionError) as caught:
        resolve(writer, reader)
    assert [each.location for each in caught.value.incompatibilities] == ["/fields/1/type"]
