"""Who must look at which schema file, as lines of a CODEOWNERS file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from treaty_avro import Record
from treaty_codegen.catalog import Catalog, SchemaFile
from treaty_codegen.reach import named_within
from treaty_codegen.tags import personal_data

BEGIN: Final = "# treaty:owners begin (treaty owners --write keeps this block)"
END: Final = "# treaty:owners end"


def codeowners(rows: Iterable[tuple[str, list[str]]]) -> str:
    """The block, of the rows of ``owned``; what nobody owns has no line."""
    lines = [f"{pattern(path)} {' '.join(names)}" for path, names in rows if names]
    return "".join(f"{line}\n" for line in (BEGIN, *lines, END))


def owned(catalog: Catalog, *, root: str, approvers: Iterable[str], pii_owner: str) -> Iterator[tuple[str, list[str]]]:
    """Each schema file with the owners of the topics that carry it, then ``topics.toml`` and ``waivers.toml`` with the approvers.

    A shared type belongs to the owners of all topics that it travels in; a file that holds personal data also to ``pii_owner``.
    ``root`` is put before each path (``schemas/``).
    """
    yield from ((root + path, names) for path, names in owners(catalog, pii_owner))
    judges = list(approvers)
    yield from ((root + name, judges) for name in ("topics.toml", "waivers.toml"))


def owners(catalog: Catalog, pii_owner: str) -> Iterator[tuple[str, list[str]]]:
    """Path and owners of each schema file, sorted."""
    teams: dict[str, set[str]] = {}
    for topic in catalog.topics.values():
        for event in topic.events:
            file = catalog.by_name.get(event)
            for name in named_within(file.schema.root) if file is not None else ():
                teams.setdefault(name, set()).add(topic.owner)
    for path, file in sorted(catalog.files.items()):
        names = {owner for name in file.schema.named for owner in teams.get(name, ())}
        yield path, sorted(filter(None, names)) + ([pii_owner] if pii_owner and is_personal(file) else [])


def is_personal(file: SchemaFile) -> bool:
    """Whether a type that the file defines has a field that is marked as personal data."""
    records = (named for named in file.schema.named.values() if isinstance(named, Record))
    return any(personal_data(field) for record in records for field in record.fields)


def pattern(path: str) -> str:
    """A path as a pattern that matches it alone."""
    return "/" + path.replace(" ", "\\ ")


def with_block(text: str, block: str) -> str:
    """A CODEOWNERS text with our block in place of the old one, at its end if there was none; the rest is not touched."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if begin and end:
        return head + block.rstrip("\n") + tail
    gap = "\n" if text and not text.endswith("\n\n") else ""
    return text + ("\n" if text and not text.endswith("\n") else "") + gap + block
