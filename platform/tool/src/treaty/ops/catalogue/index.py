"""The first page, and the pages of rules."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from treaty.ops.catalogue.frame import page
from treaty.ops.catalogue.html import Child, Html, code, el, joined, table
from treaty.ops.catalogue.places import INDEX, RULES, Places, simple, way
from treaty.ops.rules import NAMES
from treaty.ops.rules import page as text_of_rule
from treaty_codegen.catalog import SchemaFile


def index_page(places: Places, *, title: str) -> bytes:
    """Every topic, event, shared type and service."""
    words, at = places.words, places.folder / INDEX
    catalog, pages = places.catalog, places.pages
    events: list[list[Child]] = [
        [
            places.link("events", name, at=at, text=simple(name)),
            code(name),
            joined(places.link("topics", topic.name, at=at) for topic in pages.homes.get(name, ())),
            doc(pages.files[name]),
        ]
        for name in pages.events
    ]
    shared: list[list[Child]] = [
        [places.link("types", file.full_name, at=at), file.schema.root.kind, doc(file)] for file in pages.shared()
    ]
    services: list[list[Child]] = [
        [places.link("services", name, at=at), catalog.services[name].owner if name in catalog.services else ""]
        for name in catalog.service_names
    ]
    removed: list[list[Child]] = [
        [
            code(each.event or each.type or each.topic),
            code(each.topic) if each.topic else "",
            each.reason,
            str(each.permanent_after or each.soft_after or ""),
        ]
        for each in catalog.removals
    ]
    sections = [
        ("Topics", ("topic", "what is told there", "owner", "events"), topic_rows(places, at)),
        ("Events", ("event", "full name", "topic", "what happened"), events),
        ("Shared types", ("type", "kind", "what it is"), shared),
        ("Services", ("service", "owner"), services),
        ("Removed", ("what", "topic", "why", "gone after"), removed),
    ]
    body = [[el("h2", words(name)), table(map(words, head), rows)] for name, head, rows in sections if rows]
    return page(places, at, title, el("p", words("What happens, where it is told, and whose it is.")), body)


def topic_rows(places: Places, at: PurePosixPath) -> list[list[Child]]:
    """A row for each topic, as the first page shows it."""
    catalog = places.catalog
    return [
        [
            places.link("topics", name, at=at),
            catalog.topics[name].doc,
            catalog.topics[name].owner,
            joined(places.link("events", event, at=at, text=simple(event)) for event in catalog.topics[name].events),
        ]
        for name in sorted(catalog.topics)
    ]


def rules_page(places: Places) -> bytes:
    """Every rule by its kind."""
    words, at = places.words, places.folder / RULES
    body = [
        [el("h2", words(kind)), el("ul", [el("li", places.link("rules", name, at=at)) for name in sorted(names)])]
        for kind, names in NAMES.items()
    ]
    return page(places, at, words("Rules"), body)


def rule_pages(places: Places) -> dict[PurePosixPath, bytes]:
    """What ``treaty explain`` says of each rule. These texts are ours, not a schema's; raw HTML in them stays text all the same."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "autolink"])
    found = {}
    for names in NAMES.values():
        for name in names:
            at = places.paths["rules", name]
            first, _, rest = text_of_rule(name).partition("\n")
            tokens = markdown.parse(rest if first.startswith("# ") else f"{first}\n{rest}")
            for token in tokens:
                lead(token.children or (), places, at)
            found[at] = page(
                places, at, name, el("article", Html(markdown.renderer.render(tokens, markdown.options, {})))
            )
    return found


def lead(tokens: Iterable[Token], places: Places, at: PurePosixPath) -> None:
    """Links between the rules' pages in the repository as links between these: ``../breaking/type_changed.md``."""
    for token in tokens:
        target = PurePosixPath(str(token.attrGet("href") or ""))
        name = target.stem.replace("_", "-")
        if token.type == "link_open" and ("rules", name) in places.paths:
            token.attrSet("href", way(at, places.paths["rules", name]))


def doc(file: SchemaFile) -> str:
    """What a type says of itself."""
    return getattr(file.schema.root, "doc", "") or ""
