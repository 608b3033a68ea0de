"""A mail is given to a server in time or not at all; what it was given it may take its time to take."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from smtplib import SMTPException
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from mall.notification import webhook
from mall.notification.app import Ways, groups
from mall.notification.conversation import Letter, Limit, converse
from mall.notification.delivering import DRAIN, MAIL_TIMEOUT
from mall.notification.hub import Hub
from mall.notification.inbox import Readership
from mall.notification.sms import FileSms
from mall.notification.smtp import ANSWER_SECONDS, AT_ONCE, BEFORE_SECONDS, SmtpMail
from tests.parts.waiting import DEADLINE
from treaty.local.ports import free_port
from treaty_runtime.errors import Outage
from treaty_runtime.kafka.source import LAST_COMMIT_SECONDS
from treaty_runtime.runtime import ALIVE_SECONDS

MARGIN_SECONDS = 3.0
LETTER = Letter(sender="mall@mall.example", to="anna@example.com", content=b"Subject: hello\r\n\r\nhello\r\n")


class Slow:
    """A mail server that stands still at one word until it may go on."""

    def __init__(self, word: str) -> None:
        self._word, self.taken = word, list[bytes]()
        self.stands, self.may_go_on = threading.Event(), threading.Event()

    async def handle_RCPT(self, _server: object, _session: object, envelope: object, to: str, _options: object) -> str:  # noqa: N802  # aiosmtpd's name for it
        await self._stand("RCPT")
        vars(envelope)["rcpt_tos"].append(to)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802  # as above
        self.taken.append(bytes(vars(envelope)["content"]))
        await self._stand("DATA")
        return "250 OK"

    async def _stand(self, word: str) -> None:
        if word == self._word:
            self.stands.set()
            await asyncio.to_thread(self.may_go_on.wait, DEADLINE)


@contextmanager
def listening(handler: Slow) -> Iterator[int]:
    """The port of the server."""
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, ready_timeout=DEADLINE)
    controller.start()
    try:
        yield port
    finally:
        handler.may_go_on.set()
        controller.stop()


class Talk(threading.Thread):
    """A conversation in a thread of its own, and how it ended."""

    def __init__(self, port: int, letter: Letter = LETTER) -> None:
        super().__init__(daemon=True)
        self._port, self._letter = port, letter
        self.limit, self.fault = Limit(), ""
        self.start()

    def run(self) -> None:
        try:
            converse(
                self._letter,
                host="127.0.0.1",
                port=self._port,
                seconds=DEADLINE,
                answer_seconds=DEADLINE,
                limit=self.limit,
            )
        except (OSError, SMTPException) as fault:
            self.fault = repr(fault)

    def ended(self) -> str:
        """What went wrong; empty for nothing."""
        self.join(DEADLINE)
        assert not self.is_alive()
        return self.fault


@contextmanager
def talking(server: Slow) -> Iterator[Talk]:
    """A conversation that has come to where the server stands still."""
    with listening(server) as port:
        talk = Talk(port)
        assert server.stands.wait(DEADLINE)
        yield talk


def test_a_server_that_has_not_been_given_the_mail_in_time_never_is() -> None:
    server = Slow("RCPT")
    with talking(server) as talk:
        talk.limit.end_unless_given()
        assert talk.ended()
    assert server.taken == []


def test_a_server_that_was_given_the_mail_is_waited_for() -> None:
    server = Slow("DATA")
    with talking(server) as talk:
        talk.limit.end_unless_given()
        server.may_go_on.set()
        assert talk.ended() == ""
    assert len(server.taken) == 1


def test_a_server_that_was_given_the_mail_is_not_waited_for_for_ever() -> None:
    with talking(Slow("DATA")) as talk:
        talk.limit.end()
        assert talk.ended()


def test_a_mail_whose_time_was_over_before_it_could_be_given_is_not_given() -> None:
    limit = Limit()
    limit.end_unless_given()
    with pytest.raises(TimeoutError, match="was not sent"):
        limit.let_give()


def test_a_time_that_ends_while_a_name_is_looked_up_ends_the_conversation_with_a_silent_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, answered, look_up = threading.Event(), threading.Event(), socket.getaddrinfo

    def late(*question: Any, **more: Any) -> Any:
        asked.set()
        answered.wait(DEADLINE)
        return look_up(*question, **more)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(socket, "getaddrinfo", late)
        talk = Talk(silent.getsockname()[1])
        assert asked.wait(DEADLINE)
        talk.limit.end_unless_given()
        answered.set()
        assert "was not sent" in talk.ended()


def test_lines_that_begin_with_a_dot_arrive_as_they_are() -> None:
    content, server = b"Subject: dots\r\n\r\n.\r\n..two\r\nin . the middle\r\n.last", Slow("nothing")
    with listening(server) as port:
        assert Talk(port, Letter(sender=LETTER.sender, to=LETTER.to, content=content)).ended() == ""
    assert server.taken == [content + b"\r\n"]


async def test_a_server_that_says_a_letter_now_and_then_is_slow_all_the_same() -> None:
    over = asyncio.Event()

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not over.is_set() and not writer.is_closing():
            writer.write(b"2")
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 0.02)
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with pytest.raises(Outage):
            await SmtpMail(host="127.0.0.1", port=port, seconds=1.0).send(LETTER.content, to=LETTER.to)
    finally:
        over.set()
        server.close()
        await server.wait_closed()


def test_a_send_ends_before_its_handler_s_time_and_who_leaves_waits_until_a_mail_was_given_or_never_will_be() -> None:
    ways = Ways(mail=SmtpMail(host="localhost", port=9), sms=FileSms(Path("sms.jsonl")), webhook=webhook.HttpWebhook())
    own = {
        group.name: group
        for group in groups(hub=Hub(), ways=ways, instance="a", readership=Readership(locale="en", admins=frozenset()))
    }
    assert MAIL_TIMEOUT.total_seconds() > BEFORE_SECONDS + ANSWER_SECONDS
    threads = vars(ways.mail._threads)["_max_workers"]
    assert own["notification-mail"].workers == threads == AT_ONCE, "a mail would wait for a thread while its time runs"
    drain = DRAIN.total_seconds()
    assert max(BEFORE_SECONDS, 2 * webhook.TIMEOUT_SECONDS) + MARGIN_SECONDS <= drain
    assert drain + LAST_COMMIT_SECONDS + MARGIN_SECONDS <= ALIVE_SECONDS
    assert own["notification-mail"].drain == own["notification-delivery"].drain == DRAIN
