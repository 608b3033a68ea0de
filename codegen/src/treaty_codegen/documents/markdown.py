"""The catalogue in Markdown: an index, a page for each topic and each event. Same catalog, same bytes."""

from __future__ import annotations

from pathlib import PurePosixPath

from treaty_codegen.catalog import Catalog
from treaty_codegen.documents.event_page import event_page
from treaty_codegen.documents.examples import Examples
from treaty_codegen.documents.index_page import index_page
from treaty_codegen.documents.pages import INDEX, Pages
from treaty_codegen.documents.topic_page import topic_page


def emit_markdown(catalog: Catalog, *, examples: Examples | None = None) -> dict[PurePosixPath, bytes]:
    """All pages by path relative to their folder: the index, ``topics/<topic>.md``, ``events/<full name>.md``.

    For GitHub's Markdown. Texts of schemas appear as texts, whatever they look like; pages load nothing from elsewhere.
    ``examples`` may be shared with ``emit_asyncapi`` for the same catalog.
    """
    pages, made = Pages.of(catalog), examples or Examples(catalog.examples)
    files = {INDEX: index_page(pages)}
    files |= {path: topic_page(catalog.topics[name], pages=pages) for name, path in pages.topics.items()}
    files |= {path: event_page(pages.files[name], pages=pages, examples=made) for name, path in pages.events.items()}
    return dict(sorted(files.items()))
