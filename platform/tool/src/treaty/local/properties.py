"""Java ``.properties`` files."""

from __future__ import annotations

from collections.abc import Mapping


def parse(text: str) -> dict[str, str]:
    """Keys and values of a file without continuation lines; comments go."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def render(properties: Mapping[str, str]) -> str:
    r"""One line a key; the reader takes Latin-1 with ``\\uXXXX`` escapes, and the backslash escapes (java.util.Properties.load)."""
    return "".join(f"{key}={escape(value)}\n" for key, value in properties.items())


def escape(value: str) -> str:
    """A value in ASCII; everything else, and controls, as UTF-16 escapes."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    pairs = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return "".join(chr(unit) if 0x20 <= unit < 0x7F else f"\\u{unit:04x}" for unit in pairs)
