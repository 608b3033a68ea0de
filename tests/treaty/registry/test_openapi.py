"""The checked-in OpenAPI document says what the registry does, and nothing that it says brings the registry down.

Requests are drawn from the document itself, rightly and wrongly; every answer has to be one that the document tells of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cases.markdown import ROOT, WRITE
from tests.treaty.registry.asking import asking
from treaty.registry.http.openapi import document
from treaty.registry.http.openapi_shapes import ANSWERS, BODIES, PARAMETERS, QUERIES, SHAPES
from treaty.registry.http.routes import ROUTES
from treaty.registry.testing import registry
from treaty.registry.wire.negotiation import V1

PAGE = ROOT / "docs" / "registry" / "openapi.json"
DOCUMENT = document(version="0")
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
WRONG = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=2))
LIKELY = {
    "schema": st.sampled_from(
        ['"int"', '"string"', '{"type":"record","name":"T","fields":[]}', '{"type":"T"}', "{", ""]
    ),
    "schemaType": st.sampled_from(["AVRO", "JSON"]),
    "subject": st.sampled_from(["s", ":.x:s", ":.x:", ":*:", "a/b", "%", "*", "\U0001f600"]),
    "version": st.sampled_from(["1", "latest", "-1", "0", "x"]),
    "id": st.sampled_from(["1", "0", "-1", "2147483648", "x"]),
    "context": st.sampled_from([".", ".x", "x", ":.x:", "a:b"]),
}


def values(shape: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Values that a shape of the document allows; now and then others."""
    if "$ref" in shape:
        return values(SHAPES[shape["$ref"].rpartition("/")[2]], name)
    if name in LIKELY and shape.get("type") == "string":
        return LIKELY[name]
    if "enum" in shape:
        return st.sampled_from([*shape["enum"], "OTHER"])
    if "anyOf" in shape:
        return st.one_of(*(values(each) for each in shape["anyOf"]))
    kinds = {
        "string": st.text(max_size=8),
        "integer": st.integers(-2, 2**31),
        "boolean": st.booleans(),
        "null": st.none(),
    }
    if shape["type"] == "array":
        return st.lists(values(shape["items"]), max_size=2)
    if shape["type"] == "object":
        members = {key: st.one_of(values(each, key), WRONG) for key, each in shape.get("properties", {}).items()}
        needed = {key: members.pop(key) for key in shape.get("required", ()) if key in members}
        if "additionalProperties" in shape:
            return st.dictionaries(st.text(max_size=4), values(shape["additionalProperties"]), max_size=2)
        return st.fixed_dictionaries(needed, optional=members)
    return kinds[shape["type"]]


def texts(parameter: Any) -> st.SearchStrategy[str]:
    """A parameter as text: likely ones, allowed ones, any."""
    usual = LIKELY.get(parameter["name"], st.sampled_from(["true", "false", "1", "0", "-1", "resolved", "*", ""]))
    return st.one_of(usual, st.text(min_size=1, max_size=5).filter(lambda text: text not in (".", "..")))


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client of a registry that all cases of this module share."""
    with registry() as url, asking(url) as client:
        yield client


@pytest.mark.snapshot
def test_the_document_is_checked_in_as_it_is_made() -> None:
    made = json.dumps(document(version=version("treaty")), indent=1, ensure_ascii=False) + "\n"
    if WRITE:
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made


def test_every_route_stands_in_the_document_under_a_name_of_its_own() -> None:
    told = [(method, path) for method, path, _ in OPERATIONS]
    assert sorted(told) == sorted((route.method, route.path) for route in ROUTES)
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    handlers = {route.handler.__name__ for route in ROUTES}
    assert set(ANSWERS) == handlers
    assert set(QUERIES) | set(BODIES) <= handlers


def test_every_parameter_that_the_routes_read_is_told() -> None:
    """What the routes' code asks of a query the document has, and the other way round."""
    folder = ROOT / "platform/tool/src/treaty/registry"
    asked: set[str] = set()
    for file in [*(folder / "http/routes").glob("*.py"), folder / "http/call.py"]:
        asked |= set(re.findall(r'\.(?:flag|text|all|number|_number)\(\s*"(\w+)"', file.read_text(encoding="utf-8")))
    told = {name for names in QUERIES.values() for name in names}
    assert asked == told
    assert told <= set(PARAMETERS)


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[operation["operationId"] for _, _, operation in OPERATIONS]
)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_answer_is_one_that_the_document_tells_of(
    method: str, path: str, operation: Any, client: httpx.Client, data: st.DataObject
) -> None:
    parameters = operation["parameters"]
    place = {each["name"]: data.draw(texts(each), label=each["name"]) for each in parameters if each["in"] == "path"}
    query: list[tuple[str, str | int | float | bool | None]] = [
        (each["name"], data.draw(texts(each), label=each["name"]))
        for each in parameters
        if each["in"] == "query" and data.draw(st.booleans(), label=f"{each['name']}?")
    ]
    content = None
    if "requestBody" in operation:
        body = data.draw(values(operation["requestBody"]["content"][V1]["schema"]), label="body")
        content = json.dumps(body)
    url = re.sub(r"\{(\w+)\}", lambda match: quoted(place[match[1]]), path)
    response = client.request(method, url, params=query, content=content)
    told = operation["responses"].get(str(response.status_code))
    assert told is not None, f"{response.status_code} {response.text}"
    if response.status_code == 204:
        assert not response.content
        return
    assert response.headers["content-type"] == V1 or response.status_code >= 400
    if response.status_code == 200 and operation["operationId"] not in ("by_id_text", "read_version_text"):
        shape = {**told["content"][V1]["schema"], "components": DOCUMENT["components"]}
        jsonschema.Draft202012Validator(shape).validate(response.json())
    elif response.status_code >= 400:
        assert set(response.json()) == {"error_code", "message"}


def quoted(text: str) -> str:
    """One segment of a path."""
    return "".join(f"%{byte:02X}" for byte in text.encode())
