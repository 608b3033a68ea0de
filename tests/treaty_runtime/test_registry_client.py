"""The registry client: what is asked, how often, and what an odd answer means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.treaty_runtime.order_events import OrderCreated
from treaty_runtime.errors import RegistryUnavailable, SchemaNotRegistered, UnknownSchemaId
from treaty_runtime.wire import registry
from treaty_runtime.wire.registry import RegistryClient

SCHEMA = {"schema": OrderCreated.__avro_schema__}
SUBJECT = OrderCreated.__subject__
NOT_FOUND = httpx.Response(404, json={"error_code": 40403, "message": "Schema 7 not found"})
Answer = httpx.Response | Exception


class Served:
    """Answers by path, in turn where several are given, and counts; time passes only when somebody sleeps."""

    def __init__(self, answers: dict[str, Answer | list[Answer]]) -> None:
        self.answers = {path: list(given) if isinstance(given, list) else [given] for path, given in answers.items()}
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.time = 0.0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        self.asked.append(f"{request.url.host}{path}")
        self.bodies.append(json.loads(request.content) if request.content else None)
        await asyncio.sleep(0)
        turn = self.answers.get(f"{request.url.host}{path}") or self.answers.get(path) or [NOT_FOUND]
        answer = turn.pop(0) if len(turn) > 1 else turn[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.time += seconds

    def client(self, *urls: str, user: str | None = None) -> RegistryClient:
        transport = httpx.MockTransport(self)
        return RegistryClient(
            urls or ("http://one",), user=user, transport=transport, sleep=self.sleep, clock=lambda: self.time + 1000
        )


def ok(body: object) -> httpx.Response:
    return httpx.Response(200, json=body)


async def test_an_id_is_looked_up_by_the_published_text_and_never_registered() -> None:
    served = Served({f"/subjects/{SUBJECT}": ok({"subject": SUBJECT, "version": 1, "id": 41, **SCHEMA})})
    client = served.client()
    assert await client.id_of(OrderCreated) == 41
    assert await client.id_of(OrderCreated) == 41
    assert served.asked == [f"one/subjects/{SUBJECT}"]
    assert served.bodies == [{"schema": OrderCreated.__avro_schema__, "schemaType": "AVRO"}]
    await client.close()


async def test_a_class_that_is_not_registered_says_so_and_is_asked_again_later() -> None:
    served = Served({f"/subjects/{SUBJECT}": [NOT_FOUND, ok({"id": 41})]})
    client = served.client()
    with pytest.raises(SchemaNotRegistered):
        await client.id_of(OrderCreated)
    assert await client.id_of(OrderCreated) == 41
    await client.close()


async def test_a_writer_is_fetched_once_and_equal_questions_are_joined() -> None:
    served = Served({"/schemas/ids/7": ok(SCHEMA)})
    client = served.client()
    found = await asyncio.gather(*(client.writer(7) for _ in range(20)))
    assert {id(schema) for schema in found} == {id(found[0])}
    assert await client.writer(7) is found[0]
    assert len(served.asked) == 1
    await client.close()


async def test_one_cancelled_waiter_does_not_cancel_the_others() -> None:
    served = Served({"/schemas/ids/7": ok(SCHEMA)})
    client = served.client()
    first = asyncio.create_task(client.writer(7))
    second = asyncio.create_task(client.writer(7))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).text
    await client.close()


async def test_an_unknown_id_is_asked_again_after_half_a_second_then_remembered_for_ten() -> None:
    served = Served({})
    client = served.client()
    with pytest.raises(UnknownSchemaId, match="id 7"):
        await client.writer(7)
    assert (len(served.asked), served.time) == (2, 0.5)
    with pytest.raises(UnknownSchemaId):
        await client.writer(7)
    assert len(served.asked) == 2
    served.time += 10
    served.answers["/schemas/ids/7"] = [ok(SCHEMA)]
    assert (await client.writer(7)).text
    await client.close()


async def test_a_schema_registered_a_moment_ago_is_found_at_the_second_try() -> None:
    served = Served({"/schemas/ids/7": [NOT_FOUND, ok(SCHEMA)]})
    client = served.client()
    assert (await client.writer(7)).text
    await client.close()


async def test_references_are_asked_for_resolved() -> None:
    served = Served({
        "/schemas/ids/7": ok({"schema": "{}", "references": [{"name": "x", "subject": "x", "version": 1}]}),
        "/schemas/ids/7?format=resolved": ok(SCHEMA),
    })  # fmt: skip
    client = served.client()
    assert (await client.writer(7)).text
    await client.close()


AWAY: list[tuple[str, Callable[[], Answer]]] = [
    ("HTTP 500", lambda: httpx.Response(500, json={"error_code": 50001, "message": "x"})),
    ("HTTP 503 without JSON", lambda: httpx.Response(503, text="busy")),
    ("HTTP 200 without JSON", lambda: httpx.Response(200, text="<html>log in</html>")),
    ("HTTP 404", lambda: httpx.Response(404, json={"detail": "no such page"})),
    ("HTTP 404 without JSON", lambda: httpx.Response(404, text="<html>proxy</html>")),
    ("HTTP 302", lambda: httpx.Response(302, json={}, headers={"location": "http://elsewhere/"})),
    ("refuses this user", lambda: httpx.Response(401, json={"error_code": 401, "message": "x"})),
    ("refuses this user", lambda: httpx.Response(403, json={"error_code": 40301, "message": "x"})),
    ("refused", lambda: httpx.ConnectError("refused")),
    ("ReadTimeout", lambda: httpx.ReadTimeout("")),
]


@pytest.mark.parametrize(("text", "answer"), AWAY)
async def test_an_answer_that_says_nothing_about_the_schema_is_an_outage(
    text: str, answer: Callable[[], Answer]
) -> None:
    served = Served({"/schemas/ids/7": answer()})
    client = served.client()
    with pytest.raises(RegistryUnavailable, match=text) as caught:
        await client.writer(7)
    assert "SCHEMA_REGISTRY_URL" in str(caught.value)
    assert served.time <= 2
    await client.close()


async def test_three_tries_then_the_next_address() -> None:
    served = Served({"one/schemas/ids/7": httpx.ConnectError("refused"), "two/schemas/ids/7": ok(SCHEMA)})
    client = served.client("http://one", "http://two/")
    assert (await client.writer(7)).text
    assert served.asked == ["one/schemas/ids/7"] * 3 + ["two/schemas/ids/7"]
    await client.close()


async def test_subjects_of_an_id_include_deleted_ones_and_are_asked_again_after_ten_seconds() -> None:
    path = "/schemas/ids/7/versions?deleted=true"
    served = Served(
        {
            path: [
                ok([{"subject": "a", "version": 1}]),
                ok([{"subject": "a", "version": 1}, {"subject": "b", "version": 2}]),
            ]
        }
    )
    client = served.client()
    assert await client.subjects(7) == {"a"}
    assert await client.subjects(7) == {"a"}
    served.time += 10
    assert await client.subjects(7) == {"a", "b"}
    assert len(served.asked) == 2
    await client.close()


async def test_subjects_that_may_just_have_come_are_asked_anew_once_in_ten_seconds() -> None:
    path = "/schemas/ids/7/versions?deleted=true"
    names = (["a"], ["a", "b"], ["c"])
    served = Served({path: [ok([{"subject": name, "version": 1} for name in each]) for each in names]})
    client = served.client()
    assert await client.subjects(7) == {"a"}
    assert [await client.subjects_anew(7, topic="t") for _ in range(100)] == [{"a", "b"}] * 100
    assert await client.subjects(7) == {"a", "b"}
    assert len(served.asked) == 2
    served.time += 10
    assert await client.subjects_anew(7, topic="t") == {"c"}
    await client.close()


async def test_a_topic_where_an_id_does_not_belong_keeps_no_other_one_from_being_asked_for() -> None:
    path = "/schemas/ids/7/versions?deleted=true"
    answers: list[Answer] = [ok([{"subject": name, "version": 1} for name in each]) for each in (["a"], ["a", "b"])]
    served = Served({path: answers})
    client = served.client()
    assert await client.subjects_anew(7, topic="c") == {"a"}
    assert await client.subjects_anew(7, topic="b") == {"a", "b"}
    assert len(served.asked) == 2
    await client.close()


async def test_what_is_known_of_ids_is_bounded_however_many_records_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "KEPT_SCHEMAS", 20)
    client = Served({}).client()
    for schema_id in range(1, 50):
        with pytest.raises(UnknownSchemaId):
            await client.writer(schema_id)
        await client.subjects(schema_id)
        await client.subjects_anew(schema_id, topic="t")
    assert {len(client._unknown), len(client._subjects), len(client._subjects_anew)} == {20}
    await client.close()


async def test_live_versions_come_with_their_schemas() -> None:
    path = f"/subjects/{SUBJECT}/versions"
    served = Served({
        path: ok([1, 3]),
        f"{path}/1": ok({"id": 7, "version": 1, **SCHEMA}),
        f"{path}/3": ok({"id": 9, "version": 3, **SCHEMA}),
        "/schemas/ids/7": ok(SCHEMA),
        "/schemas/ids/9": ok(SCHEMA),
    })  # fmt: skip
    client = served.client()
    assert [(each.version, each.schema_id) for each in await client.live_versions(SUBJECT)] == [(1, 7), (3, 9)]
    assert await client.live_versions("nobody") == []
    await client.close()


async def test_subjects_with_odd_characters_are_one_path_segment() -> None:
    served = Served({})
    client = served.client()
    await client.live_versions("a/b ü%")
    assert served.asked == ["one/subjects/a%2Fb%20%C3%BC%25/versions"]
    await client.close()


async def test_a_user_is_sent_and_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("authorization", ""))
        return httpx.Response(401, json={"error_code": 401})

    client = RegistryClient(["http://one"], user="mall:s3cret", transport=httpx.MockTransport(answer))
    with pytest.raises(RegistryUnavailable) as caught:
        await client.writer(7)
    assert sent[0].startswith("Basic ")
    assert "s3cret" not in repr(caught.value) + repr(client)
    await client.close()


async def test_an_id_of_another_kind_of_schema_is_poison() -> None:
    served = Served({"/schemas/ids/7": ok({"schema": "syntax = proto3;", "schemaType": "PROTOBUF"})})
    client = served.client()
    with pytest.raises(UnknownSchemaId, match="no Avro schema"):
        await client.writer(7)
    await client.close()
