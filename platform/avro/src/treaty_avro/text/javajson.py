"""JSON as Jackson writes it, byte for byte: the texts of Avro Java and of Confluent's registry are made of it.

Laws: no white space; strings escape ``"``, ``\\`` and the control characters below U+0020 only, with upper-case digits;
doubles read as ``Double.toString`` (JDK 19 and later: the shortest digits that give the number back).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from treaty_avro.schema.model import Json

_SPECIAL: Final = re.compile(r'["\\\x00-\x1f]')
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def string(text: str) -> str:
    """A JSON string."""
    return f'"{_SPECIAL.sub(_escaped, text)}"' if _SPECIAL.search(text) else f'"{text}"'


def double(value: float) -> str:
    """A JSON number; NaN and infinities, which JSON has not, as strings."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  # NaN alone differs from itself
        return '"NaN"' if value != value else '"Infinity"' if value > 0 else '"-Infinity"'  # noqa: PLR0124  # as above
    sign = "-" if repr(value).startswith("-") else ""
    digits, point = _decimal(repr(abs(value)))
    if digits == "0":
        return f"{sign}0.0"
    # Java writes two digits at least, and takes the nearest pair: 4.9E-324 where Python says 5e-324.
    if len(digits) == 1 and float(f"{value:.1e}") == value:
        digits, point = _decimal(f"{abs(value):.1e}")
    if -3 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if 0 < point <= 7:
        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"


def value(json: Json) -> str:
    """Any JSON value; keys keep their order."""
    if not isinstance(json, (dict, list)):
        return _scalar(json)
    parts: list[str] = []
    _write(json, parts)
    return "".join(parts)


def members(pairs: Mapping[str, Json]) -> str:
    """The members of an object that has others before: each with its comma in front."""
    return "".join([f",{string(key)}:{value(item)}" for key, item in pairs.items()]) if pairs else ""


def ordered(texts: Iterable[str]) -> list[str]:
    """Sorted as Java sorts strings: by UTF-16 code units."""
    return sorted(texts, key=lambda text: text.encode("utf-16-be", "surrogatepass"))


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return _SHORT.get(character) or f"\\u{ord(character):04X}"


def _decimal(text: str) -> tuple[str, int]:
    """A positive number's digits, and where the point stands: 0.d₁d₂… x 10^point."""
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return digits.rstrip("0") or "0", point


def _write(json: Json, parts: list[str]) -> None:
    # One frame a level: the depth of JSON is limited where it is read.
    if isinstance(json, dict):
        opening = "{"
        for key, item in json.items():
            parts.append(f"{opening}{string(key)}:")
            _write(item, parts)
            opening = ","
        parts.append("}" if json else "{}")
    elif isinstance(json, list):
        opening = "["
        for item in json:
            parts.append(opening)
            _write(item, parts)
            opening = ","
        parts.append("]" if json else "[]")
    else:
        parts.append(_scalar(json))


def _scalar(json: Json) -> str:
    if isinstance(json, str):
        return string(json)
    if isinstance(json, float):
        return double(json)
    return {None: "null", True: "true", False: "false"}[json] if json is None or isinstance(json, bool) else str(json)
