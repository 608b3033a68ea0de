"""The way to the mail server: one connection a mail, bounded in time.

Law: a mail whose giving has not begun after `BEFORE_SECONDS` is not given, so that its record may go to somebody else.
"""

from __future__ import annotations

import asyncio
import smtplib
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from mall.notification.conversation import Letter, Limit, converse
from mall.notification.mails import SENDER
from treaty_runtime.errors import Outage

AT_ONCE = 8
"""Mails under way at the same time: as many threads as the group has workers. What waits for one all the same does so in its own time."""
BEFORE_SECONDS = 15.0
ANSWER_SECONDS = 60.0
"""A server that was given a mail may need its time to say that it has it; who does not wait sends it twice (RFC 5321, 4.5.3.2.6)."""
PERMANENT = 500


class MailRefused(Exception):
    """The mail server will never take this mail."""


def _threads() -> Executor:
    return ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="mall-mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpMail:
    """Sends mails by SMTP: ``seconds`` until a mail begins to be given, ``answer_seconds`` more until the server says that it has it."""

    host: str
    port: int
    seconds: float = BEFORE_SECONDS
    answer_seconds: float = ANSWER_SECONDS
    _threads: Executor = field(default_factory=_threads, repr=False, compare=False)

    async def send(self, content: bytes, *, to: str) -> None:
        """Hand a mail to the server; raises MailRefused, and Outage while the server is away, busy or slow."""
        loop, limit = asyncio.get_running_loop(), Limit()
        ends = (
            loop.call_later(self.seconds, limit.end_unless_given),
            loop.call_later(self.seconds + self.answer_seconds, limit.end),
        )
        try:
            letter = Letter(sender=SENDER, to=to, content=content)
            await loop.run_in_executor(self._threads, self._send, letter, limit)
        finally:
            for end in ends:
                end.cancel()

    def _send(self, letter: Letter, limit: Limit) -> None:
        try:
            converse(
                letter,
                host=self.host,
                port=self.port,
                seconds=self.seconds,
                answer_seconds=self.answer_seconds,
                limit=limit,
            )
        except smtplib.SMTPResponseException as error:
            raise _judged(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            raise Outage(f"The mail server is away: {type(error).__name__}", dependency="smtp") from error


def _judged(code: int, reason: bytes | str) -> Exception:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    if code >= PERMANENT:
        return MailRefused(f"{code} {text[:200]}")
    return Outage(f"The mail server asks to wait: {code}", dependency="smtp")
