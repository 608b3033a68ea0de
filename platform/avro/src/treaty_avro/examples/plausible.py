"""Texts and numbers that look like what a field's name says, for examples that people read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

_WORDS: Final = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper")
_NAMES: Final = ("Ada Byron", "Lin Wei", "Omar Haddad", "Sofia Rossi", "Jun Tanaka", "Maya Okafor", "Zoë Müller")
_CITIES: Final = ("Shanghai", "Lisbon", "Nairobi", "Toronto", "Hangzhou", "Oslo")
_COUNTRIES: Final = ("CN", "PT", "KE", "CA", "NO")
_CURRENCIES: Final = ("CNY", "EUR", "USD", "JPY")


def _pick(choices: Sequence[str]) -> Callable[[int], str]:
    return lambda number: choices[number % len(choices)]


_TEXTS: Final[tuple[tuple[str, Callable[[int], str]], ...]] = (
    ("email", lambda n: f"{_WORDS[n % len(_WORDS)]}{n % 97}@example.com"),
    ("phone", lambda n: f"+1-555-{n % 10_000:04d}"),
    ("currency", _pick(_CURRENCIES)),
    ("country", _pick(_COUNTRIES)),
    ("city", _pick(_CITIES)),
    ("address", lambda n: f"{1 + n % 200} {_WORDS[n % len(_WORDS)].title()} Street"),
    ("url", lambda n: f"https://example.com/{_WORDS[n % len(_WORDS)]}"),
    ("_id", lambda n: f"{_WORDS[n % len(_WORDS)]}-{n % 0xFFFF:04x}"),
    ("sku", lambda n: f"SKU-{n % 100_000:05d}"),
    ("name", _pick(_NAMES)),
)
_NUMBERS: Final[tuple[tuple[str, int, int], ...]] = (
    ("quantity", 1, 9),
    ("count", 0, 99),
    ("_id", 1, 99_999),
    ("amount", 100, 99_999),
    ("price", 100, 99_999),
    ("total", 100, 999_999),
)


def text(field: str, number: int) -> str:
    """A text for a field of that name; the same for the same ``number``."""
    for part, make in _TEXTS:
        if part in field.lower():
            return make(number)
    return f"{_WORDS[number % len(_WORDS)]} {_WORDS[number // 16 % len(_WORDS)]}"


def integer(field: str, number: int) -> int:
    """A small number for a field of that name."""
    for part, low, high in _NUMBERS:
        if part in field.lower():
            return low + number % (high - low + 1)
    return number % 1_000
