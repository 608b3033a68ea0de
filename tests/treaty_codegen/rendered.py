"""Markdown as a reader sees it: rendered by an implementation that is not ours, and taken apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from markdown_it import MarkdownIt

_RENDERER: Final = MarkdownIt("commonmark", {"html": True}).enable("table")
_CELLS: Final = {"td", "th", "p", "code", "h1", "h2", "h3", "li"}


@dataclass
class Seen(HTMLParser):
    """What a page has in the end: tags, links, comments, and the text of each cell and paragraph."""

    tags: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    _open: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Entities become what they stand for."""
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a tag, and where a link leads."""
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag in _CELLS:
            self._open.append([])

    def handle_endtag(self, tag: str) -> None:
        """Close a cell; its text belongs to what is around it too."""
        if tag in _CELLS and self._open:
            text = "".join(self._open.pop())
            self.texts.append(text)
            if tag[0] == "h":
                self.headings.append(text)
            if self._open:
                self._open[-1].append(text)

    def handle_data(self, data: str) -> None:
        """Text of the innermost cell."""
        if self._open:
            self._open[-1].append(data)

    def handle_comment(self, data: str) -> None:
        """What nobody sees."""
        self.comments.append(data)


def seen(markdown: str) -> Seen:
    """A page rendered, with raw HTML let through, so that whatever gets in is found."""
    found = Seen()
    found.feed(_RENDERER.render(markdown))
    found.close()
    return found
