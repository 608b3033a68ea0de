"""HTML whose texts are always escaped: a text is a child or an attribute's value, and never markup."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

_SPACES: Final = "\n\t\u00a0\u3000"
_VOID: Final = frozenset({"meta", "link", "input", "br"})


@dataclass(frozen=True, slots=True)
class Html:
    """Finished markup. Only this module and the renderer of our own rule pages make it."""

    text: str


Child: TypeAlias = "Html | str | Iterable[Child] | None"


def el(tag: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """An element. Attributes: ``class_`` is ``class``, underscores are hyphens; True stands alone, False and None are left out."""
    told = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{told}>")
    return Html(f"<{tag}{told}>{''.join(map(_text, children))}</{tag}>")


def table(head: Iterable[Child], rows: Iterable[Iterable[Child]]) -> Html | None:
    """A table; columns that are empty in all rows are left out, and so is a table without rows."""
    names, body = [*map(_text, head)], [[_text(cell) for cell in row] for row in rows]
    used = [number for number, _ in enumerate(names) if any(row[number] for row in body)]
    if not body:
        return None
    header = el("tr", [el("th", Html(names[number]), scope="col") for number in used])
    lines = [el("tr", [el("td", Html(row[number])) for number in used]) for row in body]
    return el("div", el("table", el("thead", header), el("tbody", lines)), class_="wide", tabindex="0")


def code(text: str) -> Html:
    """A name as it stands in a schema."""
    return el("code", text)


def pre(text: str) -> Html:
    """A text over several lines as it is."""
    return el("pre", el("code", text), tabindex="0")


def joined(children: Iterable[Child], between: str = ", ") -> list[Child]:
    """Children with a text between them."""
    parts: list[Child] = []
    for child in children:
        parts += [between, child] if parts else [child]
    return parts


def _text(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child.text
    if isinstance(child, str):
        return html.escape(_shown(child))
    return "".join(map(_text, child))


def _attribute(key: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(_shown(value))}"'


def _shown(text: str) -> str:
    """Without what browsers read as something else, or turn the text around: control characters, marks of direction."""
    if text.isprintable():
        return text
    return "".join(
        each if each in _SPACES or each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
