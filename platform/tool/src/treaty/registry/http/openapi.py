"""The API as an OpenAPI 3.1 document, made from the table of routes and the shapes below.

It is checked in (``docs/registry/openapi.json``) and held to what the registry answers; nothing else reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from treaty.registry.http.call import Route
from treaty.registry.http.openapi_shapes import ANSWERS, BODIES, PARAMETERS, QUERIES, SHAPES
from treaty.registry.http.routes import ROUTES
from treaty.registry.rows import Json
from treaty.registry.wire.negotiation import ANSWER_TYPES

_REFUSALS: Final[Mapping[str, str]] = {
    "400": "The body is no JSON, or a context's name has a colon.",
    "401": "Credentials are missing or wrong.",
    "403": "The role does not suffice.",
    "404": "There is no such thing, or it may not be seen.",
    "406": "No type that Accept allows.",
    "409": "The schema is incompatible.",
    "413": "The body is too large.",
    "414": "The path and its query are too long.",
    "415": "The body's type or encoding is not known.",
    "422": "The request says something that cannot be done.",
    "429": "Too many requests.",
    "431": "The headers are too large.",
    "503": "The database is away, or too much is asked at once; try again after the seconds of Retry-After.",
}
_LINKS: Final[Mapping[str, Json]] = {
    "schema": {"operationId": "by_id", "parameters": {"path.id": "$response.body#/id"}},
    "users": {"operationId": "list_users", "parameters": {"path.id": "$response.body#/id"}},
    "versions": {"operationId": "list_versions", "parameters": {"path.subject": "$request.path.subject"}},
    "version": {
        "operationId": "read_version",
        "parameters": {"path.subject": "$request.path.subject", "path.version": "$response.body#/version"},
    },
    "delete": {
        "operationId": "delete_version",
        "parameters": {"path.subject": "$request.path.subject", "path.version": "$response.body#/version"},
    },
}


def document(*, version: str) -> dict[str, Json]:
    """The whole document; ``version`` of treaty."""
    paths: dict[str, dict[str, Json]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "treaty registry",
            "version": version,
            "description": "A schema registry for Avro with the REST API of Confluent's. Unknown members of a request are "
            "ignored. Below /contexts/{context} the same paths stand for the names of that context.",
        },
        "security": [{}, {"basic": []}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": SHAPES,
            "responses": {code: _refusal(text) for code, text in _REFUSALS.items()},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Json]:
    names = re.findall(r"\{(\w+)\}", route.path)
    in_path: list[Json] = [{"name": name, "in": "path", "required": True, **PARAMETERS[name]} for name in names]
    query: list[Json] = [
        {"name": name, "in": "query", **PARAMETERS[name]} for name in QUERIES.get(route.handler.__name__, ())
    ]
    body = BODIES.get(route.handler.__name__)
    return {
        "operationId": _operation_id(route),
        "summary": (route.handler.__doc__ or "").partition("\n")[0],
        "parameters": [*in_path, *query],
        **({} if body is None else {"requestBody": {"required": True, "content": _content(_shape(body))}}),
        "responses": {**_answer(route), **{code: {"$ref": f"#/components/responses/{code}"} for code in _REFUSALS}},
    }


def _operation_id(route: Route) -> str:
    """The function's name; where it answers several routes, with what tells them apart."""
    name = route.handler.__name__
    twins = [other for other in ROUTES if other.handler is route.handler]
    if len(twins) == 1:
        return name
    if len({twin.path for twin in twins}) == 1:
        return f"{name}_{route.method.lower()}"
    return name if "{" in route.path else f"{name}_of_all"


def _answer(route: Route) -> dict[str, Json]:
    shape = ANSWERS[route.handler.__name__]
    if shape is None:
        return {"204": {"description": "Done."}}
    links = {"links": _LINKS} if route.handler.__name__ == "register" else {}
    return {"200": {"description": "Done.", "content": _content(_shape(shape)), **links}}


def _refusal(text: str) -> dict[str, Json]:
    return {"description": text, "content": _content(_shape("Error"))}


def _shape(shape: str | Mapping[str, Json]) -> Json:
    return {"$ref": f"#/components/schemas/{shape}"} if isinstance(shape, str) else shape


def _content(shape: Json) -> dict[str, Json]:
    return {media: {"schema": shape} for media in ANSWER_TYPES}
