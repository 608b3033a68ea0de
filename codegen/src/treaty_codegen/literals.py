"""Text of a schema as Python source: the only way in, besides validated names."""

from __future__ import annotations

import inspect
from typing import Final
from unicodedata import ucd_3_2_0

STEP: Final = "    "
"""One level of indentation."""


def literal(text: str, *, indent: str = "") -> str:
    """An ASCII-only Python literal of any text; one with line breaks is split into parenthesised pieces.

    ``indent`` is that of the line which holds it. Any code point is allowed, lone surrogates too.
    """
    if "\n" not in text:
        return _quoted(text)
    pieces = text.split("\n")
    lines = [f"{piece}\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])
    return "\n".join(["(", *(f"{indent}{STEP}{_quoted(line)}" for line in lines), f"{indent})"])


def docstring(text: str, *, indent: str = "") -> str:
    """A string statement for documentation: triple-quoted where that gives the text back, else ``literal``.

    Lines after the first are indented like the first; a reader gets the text back by ``inspect.cleandoc``.
    """
    has_lines = "\n" in text
    body = (
        "\n".join([line and f"{indent}{line}" for line in text.split("\n")]).removeprefix(indent) if has_lines else text
    )
    is_plain = (
        _is_readable(text.replace("\n", "") if has_lines else text)
        and "\\" not in text
        and '"""' not in text
        and not text.endswith('"')
        and (inspect.cleandoc(body) == text if has_lines else text[:1] not in {"", " "})
    )
    return f'"""{body}"""' if is_plain else literal(text, indent=indent)


def _is_readable(text: str) -> bool:
    """Whether text is printable for every Python: what is printable grows with its edition of Unicode."""
    return text.isprintable() and (text.isascii() or all(map(_is_old, text)))


def _is_old(character: str) -> bool:
    return ucd_3_2_0.category(character) != "Cn" or "\U0001f300" <= character <= "\U0001f64f"


def bytes_literal(value: bytes) -> str:
    """A bytes literal; ASCII only."""
    return _double_quoted(repr(value), prefix="b", has_quote=b'"' in value)


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'  # what the long way says of almost every name
    return _double_quoted(ascii(text), prefix="", has_quote='"' in text)


def _double_quoted(shown: str, *, prefix: str, has_quote: bool) -> str:
    """Python prefers single quotes; ours are double unless the text holds one."""
    start = len(prefix)
    if shown[start] == "'" and not has_quote:
        return f'{prefix}"{shown[start + 1 : -1]}"'
    return shown
