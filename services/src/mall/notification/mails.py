"""Composes mails, and reads each again before it leaves: what a receiver's program would see is what was meant.

Law: whatever stands in a request, a mail has the headers below, once each, and one receiver.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from mall.notification.mail_texts import mail_text
from mall_events.notification import EmailRequested

SENDER = "mall@mall.example"
POLICY = policy.SMTP.clone(raise_on_defect=True)
HEADERS = (
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type",
)  # fmt: skip
# Control characters, Unicode's line ends, and what RFC 2047 would decode into something else.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|=\?")
_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[A-Za-z0-9.-]+")
_KEY = re.compile(r"[A-Za-z0-9:._-]{1,200}")


class UnsafeMail(ValueError):
    """The request would make a mail that says something else to another reader."""


def compose(request: EmailRequested, *, sender: str = SENDER) -> bytes:
    """The mail as bytes; raises UnsafeMail, and KeyError for a template that there is none of."""
    subject, text = mail_text(request.template, locale=request.locale, parameters=request.parameters)
    if not _ADDRESS.fullmatch(request.to_address) or not request.to_address.isascii():
        raise UnsafeMail("The receiver is not one plain address.")
    if not _KEY.fullmatch(request.notification_key):
        raise UnsafeMail("The key is no word that can stand in a header.")
    message = EmailMessage(policy=POLICY)
    message.set_content(text)  # first: it drops whatever begins with Content-
    message.add_alternative(_html(subject, text, request.locale), subtype="html")
    values = {
        "From": sender,
        "To": request.to_address,
        "Subject": subject,
        "Date": format_datetime(request.event_time),
        "Message-ID": message_id(request.notification_key),
        "Auto-Submitted": "auto-generated",
        "Content-Language": request.locale,
    }
    for name, value in values.items():
        if _UNSAFE.search(value):
            raise UnsafeMail(f"{name} would hold a control character or an encoded word.")
        message[name] = value
    content = message.as_bytes()
    _read_again(content, values)
    return content


def _html(subject: str, text: str, locale: str) -> str:
    return (
        f'<!doctype html><html lang="{escape(locale)}"><head><meta charset="utf-8"><title>{escape(subject)}</title></head>'
        f"<body><h1>{escape(subject)}</h1><p>{escape(text)}</p></body></html>"
    )


def message_id(key: str) -> str:
    """The identity of a mail: the key, with dots for the colons that RFC 5322 (section 3.6.4) does not allow there."""
    return f"<{key.replace(':', '.')}@mall>"


def _read_again(content: bytes, values: Mapping[str, str]) -> None:
    found = message_from_bytes(content, policy=policy.default)
    if sorted(found.keys()) != sorted(HEADERS) or found.defects:
        raise UnsafeMail("The mail would have other headers than it should.")
    # A value that is too long for its line stands on the next one; the space that this begins with is none of the value.
    if any(str(found[name]).lstrip(" ") != value for name, value in values.items()):
        raise UnsafeMail("The mail would be read as another one.")
