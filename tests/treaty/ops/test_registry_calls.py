"""What plan and apply ask of a registry: how many calls, which, and how many at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx
import pytest

from tests.cases.markdown import ROOT
from treaty.config import Settings
from treaty.ops.contents import MOST_AT_ONCE, contents
from treaty.ops.http import RegistryHttp, RegistryRefused
from treaty.ops.plan.registry import desired
from treaty.ops.registry import plan_registry
from treaty.ops.registry_apply import apply_registry
from treaty.ops.schemas import load_project
from treaty.registry.testing import registry

TODAY = date(2026, 12, 1)


class Counting(httpx.BaseTransport):
    """Passes every call on, and remembers method, first part of the path, and how many were under way at once."""

    def __init__(self, *, without: str = "") -> None:
        self.calls = Counter[str]()
        self.most, self._now, self._lock = 0, 0, threading.Lock()
        self._without, self._real = without, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        kind = f"{request.method} /{request.url.path.split('/')[1]}"
        with self._lock:
            self.calls[kind] += 1
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            if kind == self._without:
                return httpx.Response(404, json={"error_code": 404, "message": "HTTP 404 Not Found"})
            return self._real.handle_request(request)
        finally:
            with self._lock:
                self._now -= 1


@contextmanager
def counted(url: str, *, without: str = "") -> Iterator[tuple[RegistryHttp, Counting]]:
    transport = Counting(without=without)
    with RegistryHttp(url, transport=transport) as http:
        yield http, transport


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings.load(ROOT / "treaty.toml", {}, start=ROOT)


def test_an_event_costs_one_read_a_plan_and_three_calls_an_apply(settings: Settings) -> None:
    """The list of all versions comes in pages; only levels are asked for one by one, as no registry lists them."""
    events = len(desired(load_project(settings), environment="local"))
    with registry() as url:
        with counted(url) as (http, first):
            made, _ = plan_registry(settings, http, environment="local", today=TODAY)
        assert first.calls == {"GET /schemas": 1, "GET /config": events}
        with counted(url) as (http, doing):
            apply_registry(made, http, done=lambda *_: None)
        assert doing.calls == {
            "GET /schemas": 1 + 2,
            "GET /config": events,
            "PUT /config": events,
            "POST /subjects": events,
        }
        with counted(url) as (http, again):
            assert plan_registry(settings, http, environment="local", today=TODAY)[0].steps == ()
        assert again.calls == {"GET /schemas": 2, "GET /config": events}
        assert max(first.most, doing.most, again.most) <= MOST_AT_ONCE


def test_a_registry_without_a_list_of_versions_is_read_subject_by_subject(settings: Settings) -> None:
    with registry() as url:
        with RegistryHttp(url) as http:
            made, _ = plan_registry(settings, http, environment="local", today=TODAY)
            whole = apply_registry(made, http, done=lambda *_: None).contents
        with counted(url, without="GET /schemas") as (http, _):
            assert contents(http) == whole
            assert plan_registry(settings, http, environment="local", today=TODAY)[0].steps == ()


def test_a_registry_that_knows_no_pages_is_read_once() -> None:
    row = {"subject": "a-value", "version": 1, "id": 1, "schema": '"int"'}
    stranger = row | {"subject": ":.other:a-value"}
    same = httpx.MockTransport(lambda _: httpx.Response(200, json=[row, stranger]))
    with RegistryHttp("http://r:1", transport=same) as http:
        found = contents(http)
    assert {name: list(versions) for name, versions in found.items()} == {"a-value": [1]}


def test_more_versions_than_a_page_holds_are_all_read() -> None:
    rows = [{"subject": f"s{n:03}", "version": 1, "id": n, "schema": '"int"', "guid": "g"} for n in range(250)]

    def answer(request: httpx.Request) -> httpx.Response:
        at = int(request.url.params["offset"])
        return httpx.Response(200, json=rows[at : at + 100])  # a server may give less than was asked for

    with RegistryHttp("http://r:1", transport=httpx.MockTransport(answer)) as http:
        assert len(contents(http)) == 250


@pytest.mark.parametrize("level", ["BACKWARD", "BACKWARD_TRANSITIVE"])
def test_a_registry_that_judges_one_version_at_a_time_is_asked_about_each_that_the_level_looks_at(level: str) -> None:
    real = httpx.HTTPTransport()

    def answer(request: httpx.Request) -> httpx.Response:
        is_about_all = request.url.path.startswith("/compatibility/") and request.url.path.endswith("/versions")
        return httpx.Response(404, json={"detail": "Not Found"}) if is_about_all else real.handle_request(request)

    record = '{"type": "record", "name": "R", "fields": [%s]}'
    texts = [record % field for field in ('{"name": "a", "type": "int"}', '{"name": "a", "type": "long"}')]
    with registry() as url, RegistryHttp(url) as http:
        http.set_level("a-value", "NONE")
        for text in texts:
            http.register("a-value", text)
        http.set_level("a-value", level)
        with RegistryHttp(url, transport=httpx.MockTransport(answer)) as other:
            for text in (*texts, record % '{"name": "a", "type": "string"}', record % ""):
                assert other.objections("a-value", text) == http.objections("a-value", text)
                assert other.objections("unknown", text) == ()
        assert bool(http.objections("a-value", record % '{"name": "a", "type": "string"}'))


@pytest.mark.parametrize("level", ["BACKWARD", "BACKWARD_TRANSITIVE"])
@pytest.mark.parametrize(
    ("status", "code", "stays", "is_refused"),
    [(404, 404, True, True), (405, 405, True, True), (404, 40402, True, True), (404, 40402, False, False)],
)
def test_a_listed_version_that_cannot_be_asked_about_is_no_yes(
    level: str, status: int, code: int, stays: bool, is_refused: bool
) -> None:
    """Only one that was deleted between the list and the question is left out."""
    lists: list[list[int]] = [[1, 2], [1, 2] if stays else []]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/compatibility/"):
            of_all = request.url.path.endswith("/versions")
            told = {"error_code": 404 if of_all else code, "message": "not here"}
            return httpx.Response(404 if of_all else status, json=told)
        if request.url.path.startswith("/config/"):
            return httpx.Response(200, json={"compatibilityLevel": level})
        return httpx.Response(200, json=lists.pop(0) if len(lists) > 1 else lists[0])

    with RegistryHttp("http://r:1", transport=httpx.MockTransport(answer)) as http:
        if not is_refused:
            assert http.objections("a-value", '"int"') == ()
            return
        with pytest.raises(RegistryRefused, match=f"{code}.*not here"):
            http.objections("a-value", '"int"')


def test_a_plan_sends_only_questions(settings: Settings) -> None:
    """GET, and the question whether a text would be compatible; also where a change, a waiver or a tombstone is at stake."""
    with registry() as url:
        with RegistryHttp(url) as http:
            for row in desired(load_project(settings), environment="local"):
                http.register(row.subject, '{"type": "record", "name": "Other", "fields": []}')
                http.set_level(row.subject, row.level)
        with counted(url) as (http, asked):
            _, blocked = plan_registry(settings, http, environment="local", today=TODAY)
        assert blocked, "the texts of git would break what is there"
        assert set(asked.calls) <= {"GET /schemas", "GET /config", "GET /subjects", "POST /compatibility"}


@pytest.mark.parametrize(("permanent_after", "lists"), [("2026-11-30", 1), ("2026-12-01", 0)])
def test_what_refers_to_a_grave_is_asked_for_in_one_list_on_the_day_that_it_opens(
    tmp_path: Path, permanent_after: str, lists: int
) -> None:
    """However many subjects are soft-deleted: each of them read by itself would be a call more for years."""
    (tmp_path / "schemas").mkdir()
    stone = f"""format = 1
[[removed]]
type = "mall.Line"
reason = "r"
approved_by = "@o"
soft_after = 2026-01-01
permanent_after = {permanent_after}
"""
    mark = '{"type": "enum", "namespace": "mall", "name": "Mark", "symbols": ["UNKNOWN"], "default": "UNKNOWN"}'
    (tmp_path / "schemas/mark.avsc").write_text(mark, encoding="utf-8")
    (tmp_path / "schemas/topics.toml").write_text(stone, encoding="utf-8")
    (tmp_path / "treaty.toml").write_text('[project]\nnamespace = "mall"\n', encoding="utf-8")
    with registry() as url:
        with RegistryHttp(url) as http:
            for name in ("mall.Line", *(f"old-{number}" for number in range(5))):
                http.register(name, '"int"')
                http.delete(name)
        with counted(url) as (http, asked):
            made, _ = plan_registry(
                Settings.load(tmp_path / "treaty.toml", {}, start=tmp_path), http, environment="local", today=TODAY
            )
    assert [step.action for step in made.steps] == ["permanent-delete"] * lists
    # A list ends with an empty page: the live versions have none, the deleted ones one and then the empty one.
    assert asked.calls == {"GET /schemas": 1 + 2 * lists, "GET /subjects": 2}
