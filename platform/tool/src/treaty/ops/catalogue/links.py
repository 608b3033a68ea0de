"""Links and scripts of a built site: whether each leads to a file of it, and to a place on that page."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

_LEADS: Final = {"a": "href", "link": "href", "script": "src", "img": "src", "form": "action"}


class _Page(HTMLParser):
    """Where a page leads, and its own places."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.ids.add(told.get("id") or "")
        target = told.get(_LEADS.get(tag, ""))
        if target is not None:
            self.targets.append(target)


def dead_links(site: Mapping[PurePosixPath, bytes]) -> Iterator[str]:
    """``events/a.html leads to b.html#c, which is not there``, one sentence for each."""
    pages: dict[PurePosixPath, _Page] = {}
    for path, data in site.items():
        if path.suffix == ".html":
            pages[path] = _Page()
            pages[path].feed(data.decode())
    for path, own in pages.items():
        for target in dict.fromkeys(own.targets):
            if not is_there(path, target, site, pages):
                yield f"{path} leads to {target}, which is not there"


def is_there(
    path: PurePosixPath, target: str, site: Mapping[PurePosixPath, bytes], pages: Mapping[PurePosixPath, _Page]
) -> bool:
    """Whether a target, as seen from a page, is a file of the site and, with a ``#``, a place in it."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return False  # the site leads nowhere else
    file = PurePosixPath(posixpath.normpath(path.parent / parts.path)) if parts.path else path
    return file in site and (not parts.fragment or parts.fragment in pages[file].ids)
