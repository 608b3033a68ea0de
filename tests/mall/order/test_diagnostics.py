"""The test event's way, told to the person who sent it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest

from mall.limits import Limits
from mall.order import diagnostics_api
from mall.order.diagnostics import diagnostics_handlers
from mall.order.tables import metadata
from mall_events.order import TestEvent as DiagnosticEvent  # a name pytest would take for a test
from tests.mall.counter import Clock, Counter, Tokens, opened
from treaty_runtime.errors import PublishFailed, SchemaNotRegistered
from treaty_runtime.event import Place
from treaty_runtime.publish.answers import Published

ADDRESS = "/api/diagnostics/kafka/order-events"
ME, STRANGER = 10, 30


@dataclass
class Broker:
    """Acknowledges events, unless told to fail."""

    clock: Clock
    events: list[DiagnosticEvent] = field(default_factory=list)
    failure: Exception | None = None

    async def publish(self, event: Any, **_: Any) -> Published:
        if self.failure:
            raise self.failure
        self.events.append(event)
        place = Place("order-events", 1, len(self.events))
        return Published(place, int(self.clock().timestamp() * 1000), uuid4(), schema_id=7)


@pytest.fixture
def broker(clock: Clock) -> Broker:
    return Broker(clock)


@pytest.fixture
async def panel(database_url: str, clock: Clock, tokens: Tokens, broker: Broker) -> AsyncIterator[Counter]:
    routers = [diagnostics_api.routes]
    async with opened("order", database_url, metadata=metadata, routers=routers, clock=clock, tokens=tokens) as counter:
        state = counter.app.state
        state.publish, state.brokers, state.limits = broker.publish, "localhost:40093", Limits(None, now=clock)
        state.new_uuid = lambda: UUID(int=5)
        yield counter


async def test_a_test_event_is_acknowledged_and_then_consumed(panel: Counter, broker: Broker, clock: Clock) -> None:
    sent = await panel.call("POST", ADDRESS, user=ME, json={"note": "hello"})
    assert sent.status_code == 200, sent.text
    receipt = sent.json()
    assert receipt == {
        "topic": "order-events",
        "key": f"diag-{UUID(int=5)}",
        "time": "2026-03-01T12:00:00Z",
        "event_type": "TEST_EVENT",
        "event_id": receipt["event_id"],
        "partition": 1,
        "offset": 1,
        "schema_id": 7,
    }
    (event,) = broker.events
    assert (event.sent_from, event.note, event.operator) == ("order", "hello", f"user:{ME}")
    path = f"{ADDRESS}/{receipt['event_id']}"
    assert (await panel.call("GET", path, user=ME)).json() == {"state": "pending", "milliseconds": None}
    clock.move(milliseconds=12)
    for _ in range(2):
        await panel.handle(diagnostics_handlers(now=clock), event, event_id=UUID(receipt["event_id"]))
        clock.move(seconds=1)
    assert (await panel.call("GET", path, user=ME)).json() == {"state": "consumed", "milliseconds": 12}
    assert (await panel.call("GET", path, user=STRANGER)).status_code == 404


async def test_an_event_that_is_consumed_before_its_sender_hears_of_it_is_found_all_the_same(
    panel: Counter, clock: Clock
) -> None:
    event = DiagnosticEvent(test_id="k", sent_from="order", event_time=clock())
    event_id = uuid4()
    await panel.handle(diagnostics_handlers(now=clock), event, event_id=event_id)
    assert (await panel.call("GET", f"{ADDRESS}/{event_id}", user=ME)).status_code == 404


async def test_the_caller_may_choose_key_and_operator(panel: Counter, broker: Broker) -> None:
    receipt = await panel.call("POST", ADDRESS, user=ME, json={"key": "mine", "operator": "user:7"})
    assert receipt.json()["key"] == "mine"
    assert (broker.events[0].test_id, broker.events[0].operator) == ("mine", "user:7")


@pytest.mark.parametrize("body", [{"key": "k" * 201}, {"key": ""}, {"note": "n" * 501}, {"nonsense": 1}, {"key": 5}])
async def test_what_does_not_fit_is_refused(panel: Counter, body: dict[str, Any]) -> None:
    assert (await panel.call("POST", ADDRESS, user=ME, json=body)).status_code == 422


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (PublishFailed("late", is_retriable=True), "No acknowledgement from localhost:40093 within 5 s."),
        (SchemaNotRegistered("mall.order.TestEvent", "s"), "mall.order.TestEvent is not registered under s."),
    ],
)
async def test_without_an_acknowledgement_the_caller_is_told_what_to_run(
    panel: Counter, broker: Broker, failure: Exception, words: str
) -> None:
    broker.failure = failure
    answer = await panel.call("POST", ADDRESS, user=ME, json={})
    assert (answer.status_code, answer.json()["error"], answer.json()["next"]) == (
        503,
        "kafka_unavailable",
        "treaty doctor",
    )
    assert words in answer.json()["message"]


async def test_thirty_events_a_minute_are_enough(panel: Counter, clock: Clock) -> None:
    statuses = [(await panel.call("POST", ADDRESS, user=ME, json={})).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    assert (await panel.call("POST", ADDRESS, user=STRANGER, json={})).status_code == 200
    clock.move(minutes=1)
    assert (await panel.call("POST", ADDRESS, user=ME, json={})).status_code == 200


async def test_only_users_send_test_events(panel: Counter) -> None:
    assert (await panel.call("POST", ADDRESS, json={})).status_code == 401


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/quick-test", "text/html"),
        ("/quick-test/quick-test.css", "text/css"),
        ("/quick-test/quick-test.js", "text/javascript"),
    ],
)
async def test_the_panel_needs_nothing_from_elsewhere(panel: Counter, path: str, kind: str) -> None:
    answer = await panel.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert "://" not in answer.text
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text


async def test_nothing_else_is_served_beside_the_panel(panel: Counter) -> None:
    for name in ("..%2Fapi.py", "index.htm", "%2e%2e/tables.py"):
        assert (await panel.client.get(f"/quick-test/{name}")).status_code == 404
