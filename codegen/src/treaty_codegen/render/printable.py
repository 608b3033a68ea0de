"""Documents for machines as they may stand on a terminal and in the log of a workflow: nothing of what they hold is obeyed.

A document says the same as before; only what is not printable, and what the runner of a workflow would take for a command, stands
there as its escape. Source: actions/runner, ``ActionCommand.cs``: a line that begins with ``::``, blanks left out, or holds ``##[``.
"""

from __future__ import annotations

import json
import re
from typing import Final

_COMMAND: Final = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def printable_json(value: object, *, indent: int | None = None) -> str:
    """A value as JSON, one line or indented, without a line break at its end. No line of it begins with ``::``: strings are quoted."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    shown = "\n".join(line if line.isprintable() else "".join(map(_json_letter, line)) for line in text.split("\n"))
    return shown.replace("##[", r"\u0023#[")


def _json_letter(letter: str) -> str:
    return letter if letter.isprintable() else json.dumps(letter)[1:-1]


def printable_xml(text: str) -> str:
    """An XML document with such characters, all of them within texts and attributes, as references."""
    shown = "".join(each if each.isprintable() or each in "\t\n" else f"&#{ord(each)};" for each in text)
    return _COMMAND.sub(r"\1&#58;", shown).replace("##[", "&#35;#[")
