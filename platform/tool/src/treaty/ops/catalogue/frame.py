"""What stands around every page: head, search, the way to the other language."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from treaty.ops.catalogue.html import Child, Html, el
from treaty.ops.catalogue.places import INDEX, RULES, Places, way

MARK: Final = "Site made by treaty"
"""How each file of the site begins, within a comment: not as those of the generator do, which must not take them for its own."""
HEADER: Final = f"{MARK}. Do not edit: change the schemas and run `treaty catalog build`."
POLICY: Final = "default-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'"
"""Nothing is loaded from anywhere else, and no text can become a script."""
STYLE: Final = PurePosixPath("site.css")
SCRIPT: Final = PurePosixPath("search.js")
_OTHER: Final = {"en": ("zh", "中文"), "zh": ("en", "English")}


def page(places: Places, at: PurePosixPath, title: str, *body: Child) -> bytes:
    """A whole page; readable without its script, which only makes the search work."""
    words = places.words
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=POLICY),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", title),
        el("link", rel="stylesheet", href=way(at, STYLE)),
        el("script", src=way(at, list_of(words.lang)), defer=True),
        el("script", src=way(at, SCRIPT), defer=True),
    )
    other, name = _OTHER[words.lang]
    twin = PurePosixPath(*at.parts[1:]) if words.lang == "zh" else PurePosixPath("zh", at)
    top = el(
        "header",
        el(
            "nav",
            el("a", words("Events"), href=way(at, places.folder / INDEX)),
            el("a", words("Rules"), href=way(at, places.folder / RULES)),
            el("a", name, href=way(at, twin), lang=other, hreflang=other),
            aria_label=words("Pages"),
        ),
        el(
            "form",
            el("label", words("Search"), for_="search"),
            el("input", id="search", type="search", autocomplete="off"),
            el("ul", id="found", aria_live="polite"),
            role="search",
            hidden=True,
            data_root=way(at, PurePosixPath()),
            data_none=words("nothing found"),
        ),
    )
    document = el("html", head, el("body", top, el("main", el("h1", title), body)), lang=words.lang)
    return f"<!-- {HEADER} -->\n<!doctype html>\n{document.text}\n".encode()


def list_of(lang: str) -> PurePosixPath:
    """The script with everything that can be searched for, in one language."""
    return PurePosixPath(f"search.{lang}.js")


def facts(*rows: tuple[str, Child] | None) -> Html:
    """Names with what is said of them; rows of nothing are left out."""
    told = [row for row in rows if row is not None and row[1] not in (None, "", [])]
    return el("dl", [(el("dt", name), el("dd", value)) for name, value in told])


def paragraphs(text: str) -> list[Child]:
    """A doc as paragraphs."""
    return [el("p", part) for part in text.split("\n\n") if part.strip()]
