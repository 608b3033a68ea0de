"""Waived breaks and tombstones against a real registry: every step in sight, and killed at every call."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import httpx
import pytest

from tests.treaty.ops.waived_project import (
    GONE,
    SUBJECT,
    TODAY,
    TOMBSTONE,
    TOPICS,
    WAIVER,
    planned,
    waived_project,
    write,
)
from treaty.config import Settings
from treaty.ops.http import RegistryHttp, RegistryUnreachable
from treaty.ops.registry import plan_registry
from treaty.ops.registry_apply import apply_registry
from treaty.registry.testing import registry


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return waived_project(tmp_path)


class Cut(httpx.BaseTransport):
    """Passes calls on, but for one, or (``for_good``) for all from that one on."""

    def __init__(self, number: int, *, for_good: bool = False) -> None:
        self._left, self._real, self._for_good = number, httpx.HTTPTransport(), for_good

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left == -1 or (self._for_good and self._left < 0):
            raise httpx.ConnectError("gone")
        return self._real.handle_request(request)


def test_a_waived_break_is_registered_and_the_level_is_as_before_even_if_a_call_fails(settings: Settings) -> None:
    for number in range(12):
        with registry() as url:
            write(settings.root)
            with RegistryHttp(url) as http:
                apply_registry(planned(settings, http), http, done=lambda *_: None)
                write(settings.root, extra=', {"name": "n", "type": "string", "doc": "d"}')
                _, blocked = plan_registry(settings, http, environment="local", today=TODAY)
                assert [row.subject for row in blocked] == [SUBJECT]
                write(settings.root, extra=', {"name": "n", "type": "string", "doc": "d"}', waivers=WAIVER)
                _, blocked = plan_registry(settings, http, environment="local", today=date(2027, 1, 1))
                assert [row.subject for row in blocked] == [SUBJECT], "the waiver has ended"
                made = planned(settings, http)
            assert [step.action for step in made.steps] == ["set-level", "register", "set-level"]
            with RegistryHttp(url, transport=Cut(number), sleep=lambda _: None) as http:
                try:
                    apply_registry(made, http, done=lambda *_: None)
                    is_cut = False
                except RegistryUnreachable:
                    is_cut = True
                    assert http.level(SUBJECT) == "FULL_TRANSITIVE", number
            with RegistryHttp(url) as http:
                apply_registry(made, http, done=lambda *_: None)
                assert (list(http.versions(SUBJECT)), http.level(SUBJECT)) == ([1, 2], "FULL_TRANSITIVE")
                assert planned(settings, http).steps == ()
        if not is_cut:
            return
    pytest.fail("the plan takes more calls than were cut")


def test_a_level_that_cannot_be_put_back_is_named_in_the_next_step(settings: Settings) -> None:
    with registry() as url:
        write(settings.root)
        with RegistryHttp(url) as http:
            apply_registry(planned(settings, http), http, done=lambda *_: None)
            write(settings.root, extra=', {"name": "n", "type": "string", "doc": "d"}', waivers=WAIVER)
            made = planned(settings, http)
        for number in range(12):
            with RegistryHttp(url) as http:
                http.set_level(SUBJECT, "FULL_TRANSITIVE")
            with (
                RegistryHttp(url, transport=Cut(number, for_good=True), sleep=lambda _: None) as away,
                pytest.raises(RegistryUnreachable) as caught,
            ):
                apply_registry(made, away, done=lambda *_: None)
            with RegistryHttp(url) as http:
                if http.level(SUBJECT) == "NONE" and list(http.versions(SUBJECT)) == [1]:
                    assert f"`{SUBJECT}` takes any schema" in str(caught.value.next_step)
                    return
    pytest.fail("no cut left the level lifted")


def test_a_tombstone_is_obeyed_after_its_days_and_a_second_plan_is_empty(settings: Settings) -> None:
    with registry() as url, RegistryHttp(url) as http:
        apply_registry(planned(settings, http), http, done=lambda *_: None)
        http.register(GONE, '{"type": "record", "name": "OrderArchived", "fields": []}')
        assert [row.subject for row in planned(settings, http).drift] == [GONE]
        write(settings.root, topics=TOPICS + TOMBSTONE)
        assert planned(settings, http, today=date(2026, 11, 1)).steps == ()
        made = planned(settings, http)
        assert [(step.action, step.before) for step in made.steps] == [("soft-delete", [1]), ("permanent-delete", None)]
        assert apply_registry(made, http, done=lambda *_: None).changed == 2
        assert (http.subjects(), http.deleted_subjects()) == ([SUBJECT], [])
        assert apply_registry(made, http, done=lambda *_: None).changed == 0, "the same plan may be run again"
        assert (planned(settings, http).steps, planned(settings, http).drift) == ((), ())
