"""The way to the mail server: one connection a mail, bounded in time."""

from __future__ import annotations

import asyncio
import smtplib
from contextlib import closing, suppress
from dataclasses import dataclass

from mall.notification.mails import SENDER
from treaty_runtime.errors import Outage

TIMEOUT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
"""A server that has taken a mail may need its time to say so; who does not wait sends it twice (RFC 5321, section 4.5.3.2.6)."""
PERMANENT = 500


class MailRefused(Exception):
    """The mail server will never take this mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpMail:
    """Sends mails by SMTP; a server has so many ``seconds`` to greet."""

    host: str
    port: int
    seconds: float = TIMEOUT_SECONDS

    async def send(self, content: bytes, *, to: str) -> None:
        """Hand a mail to the server; raises MailRefused, and Outage while the server is away or busy."""
        await asyncio.to_thread(self._send, content, to)

    def _send(self, content: bytes, to: str) -> None:
        try:
            with closing(smtplib.SMTP(self.host, self.port, timeout=self.seconds)) as server:
                if server.sock is not None:
                    server.sock.settimeout(ANSWER_SECONDS)
                server.sendmail(SENDER, [to], content)
                # The server has the mail: a farewell that is lost or late is no reason to send it once more.
                with suppress(OSError, smtplib.SMTPException):
                    server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            ((code, reason),) = error.recipients.values()
            raise _judged(code, reason) from None
        except smtplib.SMTPResponseException as error:
            raise _judged(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            raise Outage(f"The mail server is away: {type(error).__name__}", dependency="smtp") from error


def _judged(code: int, reason: bytes | str) -> Exception:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    if code >= PERMANENT:
        return MailRefused(f"{code} {text[:200]}")
    return Outage(f"The mail server asks to wait: {code}", dependency="smtp")
