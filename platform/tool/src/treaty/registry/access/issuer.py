"""Whose JSON Web Tokens are believed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_HERE: Final = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """``jwks``: the address of its keys, ``https:`` (``http:`` on loopback), or a file. Issuer and audience: as in tokens."""

    jwks: str
    issuer: str
    audience: str
    groups_claim: str = "groups"


def is_private(jwks: str) -> bool:
    """True if nobody on the way can change the keys that come from there."""
    return not jwks.startswith("http:") or _HERE.fullmatch(jwks) is not None
