"""The mail sink keeps what it is sent, as it was sent."""

from __future__ import annotations

import json
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from treaty.local.health import ask
from treaty.local.ports import free_port
from treaty.local.smtp import MailSink


@pytest.fixture
def sink(tmp_path: Path) -> MailSink:
    return MailSink(tmp_path / "mail", smtp_port=free_port(), http_port=0)


def send(sink: MailSink, subject: str, *to: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "mall@example.com", ", ".join(to), subject
    message["Message-ID"] = f"<{subject}@mall>"
    message.set_content("您的订单已创建")
    with smtplib.SMTP("127.0.0.1", sink.smtp_port) as client:
        client.send_message(message)


def test_messages_are_listed_in_the_order_of_arrival(sink: MailSink) -> None:
    with sink:
        send(sink, "first", "a@example.com", "b@example.com")
        send(sink, "second", "c@example.com")
        status, body = ask(sink.http_port, "/messages", timeout=60)
    assert status == 200
    rows = json.loads(body)
    assert [row["subject"] for row in rows] == ["first", "second"]
    assert rows[0]["recipients"] == ["a@example.com", "b@example.com"]
    assert rows[0]["message_id"] == "<first@mall>"


def test_one_message_is_served_as_it_came_and_nothing_else(sink: MailSink) -> None:
    with sink:
        send(sink, "only", "a@example.com")
        assert b"Subject: only" in ask(sink.http_port, "/messages/000001.eml", timeout=60)[1]
        for path in ("/messages/000002.eml", "/messages/../../etc/passwd", "/", "/messages/%2e%2e/x"):
            assert ask(sink.http_port, path, timeout=60)[0] == 404
        assert ask(sink.http_port, "/readyz", timeout=60)[0] == 200


def test_messages_outlive_the_sink(sink: MailSink, tmp_path: Path) -> None:
    with sink:
        send(sink, "kept", "a@example.com")
    again = MailSink(tmp_path / "mail", smtp_port=free_port(), http_port=0)
    with again:
        send(again, "later", "a@example.com")
    assert [mail.subject for mail in again.folder.mails()] == ["kept", "later"]


def test_the_fixture_gives_a_running_sink(smtp: MailSink) -> None:
    send(smtp, "fixture", "a@example.com")
    assert [mail.subject for mail in smtp.folder.mails()] == ["fixture"]
