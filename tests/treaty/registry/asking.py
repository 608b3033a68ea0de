"""Clients of a registry on this machine, which wait as long as a busy machine takes."""

from __future__ import annotations

import ssl
from typing import Any

import httpx

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody, as plain HTTP asks for no certificate: to read those of all authorities takes longer than ten requests do."""
SECONDS = 120


def asking(url: str = "", **told: Any) -> httpx.Client:
    """A client; ``told`` are other arguments of ``httpx.Client``."""
    return httpx.Client(base_url=url, verify=NO_AUTHORITIES, timeout=SECONDS, **told)


def asked(method: str, url: str, **told: Any) -> httpx.Response:
    """The answer to one request on a connection of its own."""
    with asking() as client:
        return client.request(method, url, **told)
