"""Mails: in the receiver's language, to one receiver, read again as what was meant; sent once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import TypeVar
from uuid import UUID, uuid4

import pytest
from aiosmtpd.controller import Controller

from mall.notification.delivering import mail_handlers
from mall.notification.handlers import inbox_handlers
from mall.notification.inbox import Readership
from mall.notification.mail_texts import MAILS
from mall.notification.mails import HEADERS, UnsafeMail, compose
from mall.notification.smtp import SmtpMail
from mall.notification.tables import DeliveryRow
from mall.notification.unread import unread_worker
from mall_events.notification import EmailRequested, SmsRequested
from mall_events.order import OrderStatus
from mall_events.user import UserDeleted, UserRegistered, UserUpdated
from tests.mall.counter import envelope
from tests.mall.notification.conftest import Office
from tests.mall.notification.test_domain import BUYER, CREATED, MESSAGE, PAID, SELLER, SUSPENDED, changed
from tests.parts.waiting import DEADLINE
from treaty.local.ports import free_port
from treaty.local.smtp import MailSink
from treaty_runtime.delay.runner import JobContext
from treaty_runtime.errors import Outage, Reject
from treaty_runtime.event import Context

R = TypeVar("R")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WELCOME = EmailRequested(
    notification_key=f"{UUID(int=1)}:welcome:7",
    user_id=7,
    to_address="anna@example.com",
    template="welcome",
    locale="en",
    parameters={"username": "anna"},
    event_time=NOW,
)
BUYER_JOINS = UserRegistered(user_id=BUYER, username="b", email="buyer@example.com", locale="en", event_time=NOW)
SELLER_JOINS = UserRegistered(user_id=SELLER, username="s", email="seller@example.com", locale="zh", event_time=NOW)


@pytest.fixture
def free() -> int:
    """A port besides the office's."""
    return free_port()


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("template", MAILS)
def test_every_template_is_a_mail_in_both_languages(template: str, locale: str) -> None:
    request = replace(WELCOME, template=template, locale=locale, parameters={})
    message = message_from_bytes(compose(request), policy=policy.default)
    assert sorted(message.keys()) == sorted(HEADERS)
    assert message["Subject"] == MAILS[template][locale][0]
    assert message["Message-ID"] == f"<{UUID(int=1)}.welcome.7@mall>"
    assert {part.get_content_type() for part in message.walk()} == {
        "multipart/alternative", "text/plain", "text/html",
    }  # fmt: skip


@pytest.mark.parametrize("template", MAILS)
def test_a_key_or_an_address_that_is_longer_than_a_line_is_no_reason_to_refuse_a_mail(template: str) -> None:
    user, address = 9_007_199_254_740_993, f"{'a' * 64}@example.com"
    request = replace(
        WELCOME,
        notification_key=f"{UUID(int=1)}:{template}:{user}",
        user_id=user,
        to_address=address,
        template=template,
    )
    message = message_from_bytes(compose(request), policy=policy.default)
    assert message["Message-ID"].strip() == f"<{UUID(int=1)}.{template}.{user}@mall>"
    assert message["To"].strip() == address


def test_what_people_typed_stays_text() -> None:
    typed = "<script>alert(1)</script> {0.__class__} {username} \r\n.\r\nBcc: x@y.zz =?utf-8?q?x?="
    message = message_from_bytes(compose(replace(WELCOME, parameters={"username": typed})), policy=policy.default)
    html = message.get_body(("html",))
    plain = message.get_body(("plain",))
    assert html is not None
    assert plain is not None
    assert "<script>" not in html.get_content()
    assert "{0.__class__} {username}" in plain.get_content()
    assert message["Bcc"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"to_address": "a@b.cc, c@d.ee"},
        {"to_address": "a@b.cc\r\nBcc: c@d.ee"},
        {"to_address": "A <a@b.cc>"},
        {"to_address": "=?utf-8?q?a?=@b.cc"},
        {"to_address": "a@b.cc\u2028"},
        {"to_address": "ä@b.cc"},
        {"to_address": ""},
        {"notification_key": "a>\r\nBcc: c@d.ee"},
        {"notification_key": ""},
        {"locale": "en\r\nX-Own: 1"},
    ],
)
def test_a_request_that_would_say_something_else_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(UnsafeMail):
        compose(replace(WELCOME, **changes))  # type: ignore[arg-type]  # fields of the request


async def test_a_mail_reaches_the_sink_once_in_the_receiver_s_language(office: Office, smtp: MailSink) -> None:
    handlers = mail_handlers(SmtpMail(host="127.0.0.1", port=smtp.smtp_port, seconds=DEADLINE))
    for _ in range(2):
        await office.counter.handle(handlers, replace(WELCOME, locale="zh"))
    (mail,) = smtp.folder.mails()
    assert (mail.subject, mail.recipients) == ("欢迎加入校园商城", ("anna@example.com",))
    assert mail.message_id == f"<{UUID(int=1)}.welcome.7@mall>"
    async with office.counter.desk.look() as session:
        row = await session.get_one(DeliveryRow, WELCOME.notification_key)
    assert (row.channel, row.outcome) == ("email", "sent")


async def test_a_mail_server_that_is_away_is_an_outage_and_nothing_is_noted(office: Office, free: int) -> None:
    handlers = mail_handlers(SmtpMail(host="127.0.0.1", port=free, seconds=DEADLINE))
    with pytest.raises(Outage) as away:
        await office.counter.handle(handlers, WELCOME)
    assert away.value.dependency == "smtp"
    async with office.counter.desk.look() as session:
        assert await session.get(DeliveryRow, WELCOME.notification_key) is None


async def test_a_mail_that_nobody_can_write_is_rejected(office: Office, smtp: MailSink) -> None:
    handlers = mail_handlers(SmtpMail(host="127.0.0.1", port=smtp.smtp_port, seconds=DEADLINE))
    for wrong in (replace(WELCOME, template="unknown"), replace(WELCOME, to_address="nobody")):
        with pytest.raises(Reject):
            await office.counter.handle(handlers, wrong)
    assert smtp.folder.mails() == []


class Strict:
    """A mail server's rules: it knows nobody, or asks everybody to come again."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    async def handle_RCPT(self, *_: object) -> str:  # noqa: N802  # aiosmtpd's name for it
        return self._answer


class Rude:
    """Takes every mail, and has no time for a farewell."""

    def __init__(self) -> None:
        self.taken = 0

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802  # aiosmtpd's name for it
        self.taken += 1
        return "250 OK"

    async def handle_QUIT(self, *_: object) -> str:  # noqa: N802  # as above
        return "421 4.3.2 going down"


@contextmanager
def strict(answer: str, *, port: int) -> Iterator[SmtpMail]:
    controller = Controller(Strict(answer), hostname="127.0.0.1", port=port, ready_timeout=DEADLINE)
    controller.start()
    try:
        yield SmtpMail(host="127.0.0.1", port=port, seconds=DEADLINE)
    finally:
        controller.stop()


async def test_a_refused_mail_is_noted_and_not_tried_again(office: Office, free: int) -> None:
    with strict("550 5.1.1 no such box", port=free) as mail:
        await office.counter.handle(mail_handlers(mail), WELCOME)
    async with office.counter.desk.look() as session:
        row = await session.get_one(DeliveryRow, WELCOME.notification_key)
    assert (row.outcome, row.detail) == ("refused", "550 5.1.1 no such box")


async def test_a_mail_that_was_taken_is_sent_once_even_if_the_server_has_no_time_for_a_farewell(
    office: Office, free: int
) -> None:
    rude = Rude()
    controller = Controller(rude, hostname="127.0.0.1", port=free, ready_timeout=DEADLINE)
    controller.start()
    try:
        for _ in range(2):
            await office.counter.handle(mail_handlers(SmtpMail(host="127.0.0.1", port=free, seconds=DEADLINE)), WELCOME)
    finally:
        controller.stop()
    assert rude.taken == 1
    async with office.counter.desk.look() as session:
        assert (await session.get_one(DeliveryRow, WELCOME.notification_key)).outcome == "sent"


async def test_a_server_that_asks_to_wait_is_waited_for(office: Office, free: int) -> None:
    with strict("451 4.7.1 come again", port=free) as mail, pytest.raises(Outage):
        await office.counter.handle(mail_handlers(mail), WELCOME)


async def test_people_are_told_in_their_language_and_mailed_where_they_are_reached(office: Office) -> None:
    await office.tell(BUYER_JOINS, SELLER_JOINS)
    event_id = uuid4()
    await office.counter.handle(inbox_handlers(Readership(locale="zh")), CREATED, event_id=event_id)
    inbox = (await office.counter.call("GET", "/api/v1/notifications", user=BUYER)).json()["notifications"]
    assert [line["title"] for line in inbox] == ["Order placed"]
    mails = {mail.to_address: mail for mail in office.counter.told.of(EmailRequested)}
    assert set(mails) == {"buyer@example.com", "seller@example.com"}
    assert mails["buyer@example.com"].notification_key == f"{event_id}:order_created_buyer:{BUYER}"
    assert (mails["seller@example.com"].template, mails["seller@example.com"].locale) == ("order_created_seller", "zh")
    await office.tell(PAID)
    assert [mail.template for mail in office.counter.told.of(EmailRequested)][2:] == ["order_paid_seller"]


async def test_a_parcel_on_its_way_is_told_by_text_message_to_who_gave_a_number(office: Office) -> None:
    await office.tell(BUYER_JOINS, changed(OrderStatus.SHIPPED))
    assert office.counter.told.of(SmsRequested) == []
    edited = UserUpdated(
        user_id=BUYER, user_version=2, username="b", email="new@example.com", phone="+8613800000000", event_time=NOW
    )
    await office.tell(edited, BUYER_JOINS, changed(OrderStatus.SHIPPED))
    (text,) = office.counter.told.of(SmsRequested)
    assert (text.to_phone, text.template, text.locale) == ("+8613800000000", "order_shipped_buyer", "zh")
    assert office.counter.told.of(EmailRequested)[-1].to_address == "new@example.com"


async def test_a_deleted_user_is_forgotten_for_good(office: Office) -> None:
    await office.tell(BUYER_JOINS, CREATED, SUSPENDED)
    gone = UserDeleted(user_id=BUYER, user_version=3, email="buyer@example.com", event_time=NOW)
    late = UserUpdated(user_id=BUYER, user_version=2, username="b", email="buyer@example.com", event_time=NOW)
    await office.tell(gone, late)
    inbox = (await office.counter.call("GET", "/api/v1/notifications", user=BUYER)).json()
    assert inbox == {"notifications": [], "unread": 0}
    asked = len(office.counter.told.of(EmailRequested))
    await office.tell(CREATED)
    assert len(office.counter.told.of(EmailRequested)) == asked


async def looked(office: Office) -> None:
    """Let every scheduled look at unread notices happen."""
    for job in office.counter.told.jobs:
        async with office.counter.database.sessions.begin() as session:
            told = office.counter.told
            context = JobContext(session=session, attempt=1, stager=told.stage, scheduler=told.schedule)
            await unread_worker(now=office.counter.desk.now)(job, context)


async def test_messages_that_nobody_reads_are_told_by_one_mail(office: Office) -> None:
    await office.tell(SELLER_JOINS, *(replace(MESSAGE, sequence=number) for number in (1, 2, 3)))
    assert [job.due - office.counter.desk.now() for job in office.counter.told.jobs] == [timedelta(minutes=10)] * 3
    await looked(office)
    (mail,) = office.counter.told.of(EmailRequested)
    assert (mail.template, mail.to_address, mail.locale) == ("chat_unread", "seller@example.com", "zh")


async def test_a_message_that_was_read_is_not_mailed_about_and_the_next_one_is(office: Office) -> None:
    await office.tell(SELLER_JOINS, MESSAGE, replace(MESSAGE, sequence=2))
    first = (await office.counter.call("GET", "/api/v1/notifications", user=SELLER)).json()["notifications"][0]
    await office.counter.call("POST", f"/api/v1/notifications/{first['notification_id']}/read", user=SELLER)
    await looked(office)
    assert len(office.counter.told.of(EmailRequested)) == 1


async def test_who_is_not_known_is_not_mailed(office: Office) -> None:
    await office.tell(MESSAGE)
    await looked(office)
    assert office.counter.told.of(EmailRequested) == []


class Died(Exception):
    """The process ended at this moment."""


async def die_after(name: str, key: str, send: Callable[[], Awaitable[R]]) -> R:
    await send()
    raise Died


@pytest.mark.parametrize(("lives", "mails"), [(2, 2), (1, 1)], ids=["a death", "a lost transaction"])
async def test_a_death_between_sending_and_noting_sends_twice_and_a_lost_transaction_once(
    office: Office, smtp: MailSink, lives: int, mails: int
) -> None:
    mail = SmtpMail(host="127.0.0.1", port=smtp.smtp_port, seconds=DEADLINE)
    processes = [mail_handlers(mail) for _ in range(lives)]
    async with office.counter.database.sessions() as session:
        context = Context(
            envelope=envelope(WELCOME, event_id=uuid4()),
            deadline=NOW + timedelta(minutes=1),
            open_session=session,
            outsider=die_after,
        )
        with pytest.raises(Died):
            await processes[0].events[EmailRequested].call(WELCOME, context)
    for _ in range(3):
        await office.counter.handle(processes[-1], WELCOME)
    assert [mail.message_id for mail in smtp.folder.mails()] == [f"<{UUID(int=1)}.welcome.7@mall>"] * mails
    async with office.counter.desk.look() as session:
        assert (await session.get_one(DeliveryRow, WELCOME.notification_key)).outcome == "sent"
