"""What is unusual about a sign-in, and who shares a limit with whom."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta

SEEN_WITHIN = timedelta(days=30)
FAILURES_WITHIN = timedelta(minutes=10)
SUSPICIOUS_FAILURES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFacts:
    """What the log says about a sign-in.

    Seen: within `SEEN_WITHIN` before it; failures: of this account within `FAILURES_WITHIN` before it.
    """

    is_first: bool
    is_network_seen: bool
    is_agent_seen: bool
    failures: int


def is_unusual(facts: LoginFacts) -> bool:
    """Whether the owner is told: a new network together with a new client, or many failures before the success."""
    if facts.is_first:
        return False
    return facts.failures >= SUSPICIOUS_FAILURES or not (facts.is_network_seen or facts.is_agent_seen)


def network_of(ip: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6, which is what one place is given; other texts stay as they are."""
    return _network(ip, v4=24, v6=48)


def bucket_of(ip: str) -> str:
    """Who shares a limit with this address: nobody on IPv4, the /64 on IPv6, of which one device has every address."""
    return _network(ip, v4=32, v6=64)


def _network(ip: str, *, v4: int, v6: int) -> str:
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, v4 if address.version == 4 else v6), strict=False))
