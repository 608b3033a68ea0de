"""Which route a path takes."""

from __future__ import annotations

import re

import pytest

from treaty.registry.errors import MethodNotAllowed, NotFound
from treaty.registry.http.call import Call, Route
from treaty.registry.http.routes import ROUTES
from treaty.registry.http.table import Table
from treaty.registry.rows import Json

TABLE = Table(ROUTES)


def nothing(_call: Call) -> Json:
    return None


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_found_by_its_path(route: Route) -> None:
    path = re.sub(r"\{(\w+)\}", r"my-\1", route.path)
    found, params = TABLE.find(route.method, path)
    assert found is route
    assert params == {key: f"my-{key}" for key in re.findall(r"\{(\w+)\}", route.path)}


@pytest.mark.parametrize(
    "path", ["/nothing", "/subjects/", "/subjects//versions", "/subjects/s/versions/1/", "", "//", "/schemas/ids"]
)
def test_what_is_no_route_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        TABLE.find("GET", path)


def test_another_method_is_told_which_there_are() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        TABLE.find("PATCH", "/subjects/s/versions")
    assert sorted(refused.value.allowed) == ["GET", "POST"]


def test_a_word_goes_before_a_parameter_and_back_if_it_leads_nowhere() -> None:
    by_word, by_text = Route("GET", "/a/b", nothing), Route("GET", "/a/{x}/c", nothing)
    table = Table([by_word, by_text])
    assert table.find("GET", "/a/b") == (by_word, {})
    assert table.find("GET", "/a/b/c") == (by_text, {"x": "b"})
