"""Calls to users' own systems and text messages: signed, bounded, never to an address inside the house."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mall.notification.delivering import ATTEMPTS, other_handlers
from mall.notification.sms import FileSms
from mall.notification.tables import DeliveryRow
from mall.notification.webhook import (
    Call,
    CallFailed,
    EndpointRefused,
    HttpWebhook,
    fault_of_url,
    is_public,
)
from mall_events.notification import SmsRequested, WebhookRequested
from mall_events.user import UserUpdated
from tests.mall.notification.conftest import Office
from tests.mall.notification.test_domain import BUYER, CREATED, PAID, SELLER
from tests.parts.waiting import DEADLINE
from treaty_runtime.handlers import Handlers

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Listener:
    """A user's own system: what it was sent, and what it answers."""

    url: str = ""
    status: int = 204
    received: list[tuple[dict[str, str], str]] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A real HTTP server of a user's own."""
    own = Listener()

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            own.received.append((dict(self.headers), body))
            self.send_response(own.status)
            if own.status in {301, 302, 307}:
                self.send_header("Location", f"{own.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name for it
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receive)
    own.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield own
    server.shutdown()
    thread.join()
    server.server_close()


def handlers_in(folder: Path, *, may_be_loopback: bool = True) -> Handlers:
    webhook = HttpWebhook(may_be_loopback=may_be_loopback, seconds=DEADLINE)
    return other_handlers(sms=FileSms(folder / "sms.jsonl"), webhook=webhook)


async def registered(office: Office, url: str, *, user: int = SELLER) -> str:
    """The secret of a new endpoint."""
    answer = await office.counter.call("PUT", "/api/v1/webhooks", user=user, json={"url": url})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["secret"])


async def outcome(office: Office, key: str) -> tuple[str, str] | None:
    async with office.counter.desk.look() as session:
        row = await session.get(DeliveryRow, key)
    return (row.outcome, row.detail) if row else None


async def test_a_seller_s_system_is_told_once_with_a_signature_it_can_check(
    office: Office, listener: Listener, tmp_path: Path
) -> None:
    secret = await registered(office, listener.url)
    await office.tell(CREATED)
    (asked,) = office.counter.told.of(WebhookRequested)
    assert (asked.user_id, asked.event_type) == (SELLER, "ORDER_CREATED")
    for _ in range(2):
        await office.counter.handle(handlers_in(tmp_path), asked)
    ((headers, body),) = listener.received
    assert json.loads(body)["order_id"] == "1"
    assert headers["X-Mall-Event-Id"] == json.loads(body)["event_id"]
    moment, _, signed = headers["X-Mall-Signature"].partition(",v1=")
    expected = hmac.new(secret.encode(), f"{moment[2:]}.{body}".encode(), hashlib.sha256).hexdigest()
    assert signed == expected
    assert await outcome(office, asked.notification_key) == ("sent", "")


async def test_only_the_system_of_whom_it_concerns_is_told(office: Office, listener: Listener) -> None:
    await registered(office, listener.url, user=BUYER)
    await office.tell(CREATED, PAID)
    assert office.counter.told.of(WebhookRequested) == []
    edited = UserUpdated(
        user_id=BUYER,
        user_version=2,
        username="b",
        email="secret@example.com",
        changes={"email": "secret@example.com"},
        event_time=NOW,
    )
    await office.tell(edited)
    (asked,) = office.counter.told.of(WebhookRequested)
    assert json.loads(asked.body)["changes"] == ["email"]
    assert "secret@example.com" not in asked.body


@pytest.mark.parametrize("status", [302, 400, 500])
async def test_a_system_that_fails_has_its_attempts_and_is_given_up(
    office: Office, listener: Listener, tmp_path: Path, status: int
) -> None:
    await registered(office, listener.url)
    listener.status = status
    await office.tell(PAID)
    (asked,) = office.counter.told.of(WebhookRequested)
    for attempt in range(1, ATTEMPTS):
        with pytest.raises(CallFailed):
            await office.counter.handle(handlers_in(tmp_path), asked, attempt=attempt)
    await office.counter.handle(handlers_in(tmp_path), asked, attempt=ATTEMPTS)
    assert len(listener.received) == ATTEMPTS
    assert await outcome(office, asked.notification_key) == ("given_up", f"status {status}")


async def test_an_endpoint_inside_the_house_is_refused_for_good(
    office: Office, listener: Listener, tmp_path: Path
) -> None:
    await registered(office, listener.url)
    await office.tell(PAID)
    (asked,) = office.counter.told.of(WebhookRequested)
    await office.counter.handle(handlers_in(tmp_path, may_be_loopback=False), asked)
    assert listener.received == []
    found = await outcome(office, asked.notification_key)
    assert found is not None
    assert found[0] == "refused"


async def test_a_system_that_was_removed_is_not_called(office: Office, listener: Listener, tmp_path: Path) -> None:
    await registered(office, listener.url)
    await office.tell(PAID)
    await office.counter.call("DELETE", "/api/v1/webhooks", user=SELLER)
    await office.counter.handle(handlers_in(tmp_path), office.counter.told.of(WebhookRequested)[0])
    assert listener.received == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://example.com",
        "file:///etc/passwd",
        "https://",
        "https://user:pw@example.com/",
        "https://example.com/#x",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exämple.com/",
        "https://example.com/\nHost: x",
        "javascript:alert(1)",
        "http://example.com/",
    ],
)
def test_an_address_that_nobody_may_call_is_not_registered(url: str) -> None:
    assert fault_of_url(url, may_be_loopback=False) is not None


def test_an_address_on_the_internet_is() -> None:
    assert fault_of_url("https://example.com:8443/hooks?x=1", may_be_loopback=False) is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  # judged, not listened on
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b:1::1",
        "64:ff9b::7f00:1",
        "2001:db8::1",
    ],
)
def test_no_address_inside_the_house_is_public(address: str) -> None:
    assert not is_public(address, may_be_loopback=False)


def test_loopback_is_allowed_only_where_it_was_said() -> None:
    assert is_public("127.0.0.1", may_be_loopback=True)
    assert not is_public("10.0.0.1", may_be_loopback=True)
    assert is_public("93.184.216.34", may_be_loopback=False)


async def test_a_name_with_one_address_inside_the_house_is_refused_and_resolved_once() -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34", "127.0.0.1"]

    call = Call(url="https://rebind.example/", secret="s", event_id="1", body="{}")
    with pytest.raises(EndpointRefused):
        await HttpWebhook(resolve=rebinding, seconds=DEADLINE).call(call, at=0)
    assert asked == ["rebind.example"]


async def test_the_call_goes_to_the_judged_address_under_the_endpoint_s_name(listener: Listener) -> None:
    async def somewhere(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    port = listener.url.rpartition(":")[2]
    call = Call(url=f"http://shop.example:{port}/hook", secret="s", event_id="1", body="{}")
    await HttpWebhook(may_be_loopback=True, resolve=somewhere, seconds=DEADLINE).call(call, at=0)
    assert listener.received[0][0]["Host"] == f"shop.example:{port}"


async def test_a_text_message_is_a_private_line_written_once(office: Office, tmp_path: Path) -> None:
    asked = SmsRequested(
        notification_key="k:order_shipped_buyer:7",
        user_id=7,
        to_phone="+8613800000000",
        template="order_shipped_buyer",
        locale="en",
        parameters={},
        event_time=NOW,
    )
    for _ in range(2):
        await office.counter.handle(handlers_in(tmp_path), asked)
    path = tmp_path / "sms.jsonl"
    (line,) = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "key": asked.notification_key,
        "to": "+8613800000000",
        "text": "Your order was shipped. Please confirm when it arrives.",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
