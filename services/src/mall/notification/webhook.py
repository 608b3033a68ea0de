"""Calls to systems of users' own: signed, bounded, and never to an address inside the house.

Law 1: a name is resolved once, every address of it is judged, and the call goes to an address that was judged.
Law 2: nothing but the status comes back: no redirect is followed, no body is read.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

TIMEOUT_SECONDS = 5.0
LONGEST_URL = 2_000
TRANSLATED = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48")))
"""Addresses that a translator turns into any of IPv4's, those inside the house too. Source: RFC 6052, RFC 8215."""
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class EndpointRefused(Exception):
    """The endpoint's address is not one that may be called."""


class CallFailed(Exception):
    """The endpoint did not answer with success in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it is sent."""

    url: str
    secret: str
    event_id: str
    body: str


def signature(body: str, *, secret: str, at: int) -> str:
    """The header that proves who calls: `t=<unix time>,v1=<hex of HMAC-SHA256 over "t.body">`."""
    signed = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def fault_of_url(url: str, *, may_be_loopback: bool) -> str | None:
    """What is wrong with an endpoint's address, as a sentence's end; None if it may be registered."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is no web address"
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or not parts.hostname:
        return "is no web address"
    if parts.scheme != "https" and not (may_be_loopback and parts.scheme == "http"):
        return "begins with https://"
    if parts.username or parts.password or parts.fragment or port == 0:
        return "holds no user, password or fragment"
    return None


def is_public(address: str, *, may_be_loopback: bool) -> bool:
    """Whether a call may go to this IP address: everybody's internet, or this machine where that was allowed."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in TRANSLATED):
            return False
        ip = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)
    if ip.is_loopback:
        return may_be_loopback
    return ip.is_global and not ip.is_multicast


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a host; raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpWebhook:
    """Calls endpoints over HTTP; each call and each look-up of a name has so many ``seconds``."""

    may_be_loopback: bool = False
    seconds: float = TIMEOUT_SECONDS
    resolve: Resolve = field(default=resolve)

    async def call(self, wanted: Call, *, at: int) -> None:
        """POST the body; raises EndpointRefused for good, CallFailed for now. `at` is the Unix time that is signed."""
        if fault := fault_of_url(wanted.url, may_be_loopback=self.may_be_loopback):
            raise EndpointRefused(f"The endpoint's address {fault}.")
        url = httpx.URL(wanted.url)
        address = await self._address(url)
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            "User-Agent": "mall-webhook",
            "X-Mall-Event-Id": wanted.event_id,
            "X-Mall-Signature": signature(wanted.body, secret=wanted.secret, at=at),
        }
        try:
            async with (
                httpx.AsyncClient(trust_env=False, timeout=self.seconds) as client,
                asyncio.timeout(self.seconds),
            ):
                request = client.build_request(
                    "POST",
                    url.copy_with(host=address),
                    content=wanted.body.encode(),
                    headers=headers,
                    extensions={"sni_hostname": url.host},
                )
                answer = await client.send(request, stream=True, follow_redirects=False)
                await answer.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            raise CallFailed(type(error).__name__) from None
        if not answer.is_success:
            raise CallFailed(f"status {answer.status_code}")

    async def _address(self, url: httpx.URL) -> str:
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            async with asyncio.timeout(self.seconds):
                addresses = await self.resolve(url.host, port)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise CallFailed(type(error).__name__) from None
        if not addresses or not all(is_public(ip, may_be_loopback=self.may_be_loopback) for ip in addresses):
            raise EndpointRefused("The endpoint's name leads to an address that is not public.")
        return addresses[0]
