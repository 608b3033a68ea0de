"""Static tokens: ``trty_<id>_<secret>``, shown once, kept as SHA-256.

A plain hash is enough here and not for passwords: a secret of 256 random bits cannot be guessed, however cheap a guess is.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "trty_"
_TOKEN: Final = re.compile(r"trty_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Minted:
    """A new token: ``text`` is shown to its owner once, the rest is kept."""

    id: str
    text: str
    sha256: bytes


def minted(*, random: Callable[[int], bytes]) -> Minted:
    """A token that nobody has had before; ``random`` gives that many random bytes."""
    token_id = random(8).hex()
    secret = base64.urlsafe_b64encode(random(32)).decode("ascii").rstrip("=")
    text = f"{PREFIX}{token_id}_{secret}"
    return Minted(token_id, text, sha256_of(text))


def id_of(text: str) -> str | None:
    """The id in a token; None for what is none of ours."""
    match = _TOKEN.fullmatch(text)
    return match[1] if match else None


def sha256_of(text: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(text.encode("ascii", "replace")).digest()
