"""TLS of the server: version 1.2 or later, certificates that are renewed without a restart, clients' certificates if asked."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from treaty.registry.errors import StartRefused

RENEWED_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: the certificate with its chain, its key, and (if clients need one) the authority of theirs."""

    certificate: Path
    key: Path
    authority: Path | None = None

    def times(self) -> tuple[float, ...]:
        """When they were last changed; raises ``OSError``."""
        return tuple(file.stat().st_mtime for file in (self.certificate, self.key))


class Certificate:
    """A server's TLS context that follows its files."""

    def __init__(self, files: TlsFiles, *, say: Callable[[str], object]) -> None:
        """Raises ``StartRefused`` for files that cannot be used; ``say`` hears of a renewal and of one that failed."""
        self._files, self._say = files, say
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self._times = files.times()
            self.context.load_cert_chain(files.certificate, files.key, password=_no_password)
            if files.authority is not None:
                self.context.load_verify_locations(files.authority)
                self.context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise StartRefused(f"The TLS files cannot be used: {_reason(error)}.", exit_code=2) from error

    async def renew(self) -> None:
        """Load the files again if they have changed: new connections get them. Files that do not fit change nothing."""
        try:
            times = self._files.times()
            if times == self._times:
                return
            # Tried on a context of its own: a certificate without its key must not end up in the one that serves.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self._files.certificate, self._files.key, password=_no_password
            )
            self.context.load_cert_chain(self._files.certificate, self._files.key, password=_no_password)
        except (OSError, ssl.SSLError) as error:
            self._say(f"the new TLS files cannot be used, the old ones stay: {_reason(error)}\n")
            return
        self._times = times
        self._say("the TLS certificate was renewed\n")


def _no_password() -> str:
    # Without it OpenSSL asks at the terminal, and a server waits for ever.
    raise ssl.SSLError(1, "the key is encrypted; give one without a password, readable by the server alone")


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
