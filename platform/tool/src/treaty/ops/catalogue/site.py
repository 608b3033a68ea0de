"""All files of the site, from one project."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath

from treaty.config import Settings
from treaty.ops.baseline import RELEASES, releases
from treaty.ops.catalogue.event import event_page, type_page
from treaty.ops.catalogue.example import Sample, sample
from treaty.ops.catalogue.frame import HEADER, SCRIPT, STYLE, list_of
from treaty.ops.catalogue.history import Histories, History
from treaty.ops.catalogue.index import index_page, rule_pages, rules_page
from treaty.ops.catalogue.places import Places
from treaty.ops.catalogue.topic import service_page, topic_page
from treaty.ops.catalogue.words import ENGLISH, Words, chinese
from treaty.ops.generate import sdk_settings
from treaty.ops.readers import project_readers
from treaty.ops.schemas import load_project
from treaty_codegen import Catalog
from treaty_codegen.documents.examples import Examples
from treaty_codegen.documents.pages import Pages
from treaty_codegen.index import SdkIndex, sdk_index
from treaty_codegen.old_set import OldSet
from treaty_codegen.readers import Readers

PARTS = (
    *("index.html", "rules.html", "events", "types", "topics", "services", "rules", "zh"),
    *("site.css", "search.js", "search.en.js", "search.zh.js"),
)
"""What of a folder belongs to the site."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything that pages are made of."""

    catalog: Catalog
    releases: Sequence[OldSet]
    readers: Readers
    sdk: SdkIndex
    title: str

    def files(self) -> dict[PurePosixPath, bytes]:
        """Every file by its path."""
        histories = Histories(self.catalog, self.releases)
        known = {name: histories.of(name) for name in Pages.of(self.catalog).events}
        examples = Examples(self.catalog.examples)
        files_of = self.catalog.by_name
        shown = {name: sample(files_of[name], examples.of(files_of[name])) for name in known}
        found = {STYLE: asset("site.css"), SCRIPT: asset("search.js")}
        for words in (ENGLISH, chinese()):
            folder = PurePosixPath() if words is ENGLISH else PurePosixPath(words.lang)
            places = Places(catalog=self.catalog, words=words, folder=folder)
            found |= dict(self._pages(places, known, shown)) | rule_pages(places)
            found[list_of(words.lang)] = search_list(places)
        return dict(sorted(found.items()))

    def _pages(
        self, places: Places, known: Mapping[str, History], shown: Mapping[str, Sample]
    ) -> Iterator[tuple[PurePosixPath, bytes]]:
        yield places.folder / "index.html", index_page(places, title=self._title(places.words))
        yield places.folder / "rules.html", rules_page(places)
        pages = places.pages
        for name, file in pages.files.items():
            if name in pages.events:
                made = event_page(
                    file, places, history=known[name], readers=self.readers, shown=shown[name], sdk=self.sdk
                )
                yield places.paths["events", name], made
            else:
                yield places.paths["types", name], type_page(file, places, readers=self.readers)
        for name, topic in self.catalog.topics.items():
            yield places.paths["topics", name], topic_page(topic, places)
        for name in places.catalog.service_names:
            yield places.paths["services", name], service_page(name, places)

    def _title(self, words: Words) -> str:
        return words("Events of {name}", name=self.title)


def build(settings: Settings) -> dict[PurePosixPath, bytes]:
    """All files of a project's site."""
    catalog = load_project(settings)
    sdk = sdk_settings(settings)
    return Site(
        catalog=catalog,
        releases=releases(settings.folder("schemas") / RELEASES),
        readers=project_readers(settings, catalog),
        sdk=sdk_index(catalog, sdk),
        title=sdk.namespace or sdk.package,
    ).files()


def search_list(places: Places) -> bytes:
    """Everything that has a page, as the script searches it: kind, name, doc, path."""
    rows = []
    for (kind, name), path in sorted(places.paths.items()):
        file = places.catalog.by_name.get(name)
        topic = places.catalog.topics.get(name) if kind == "topics" else None
        doc = topic.doc if topic is not None else getattr(file.schema.root, "doc", None) if file is not None else None
        rows.append([places.words(kind), name, (doc or "").partition("\n")[0], str(path)])
    # ASCII only: nothing in it can end the text or the script, whatever a schema says.
    text = json.dumps(rows, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return f"/* {HEADER} */\nwindow.catalogue = {text};\n".encode()


def asset(name: str) -> bytes:
    """A file that is the same for every project."""
    text = files("treaty.ops.catalogue").joinpath("assets", name).read_text(encoding="utf-8")
    return f"/* {HEADER} */\n{text}".encode()
