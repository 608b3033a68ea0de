"""A catalog of what can be read: each broken file is one fault, and the others are checked all the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from treaty.ops.schemas import Tree
from treaty_avro import SchemaError, parse_files
from treaty_codegen import Catalog, CatalogError, load_catalog, snake_case
from treaty_codegen.load import with_topics
from treaty_codegen.written_examples import SUFFIX

Fault: TypeAlias = SchemaError | CatalogError

_UNKNOWN: Final = re.compile(r"(?:unknown type '|no schema defines `)([^'`]+)")


def load_readable(tree: Tree) -> tuple[Catalog, list[Fault]]:
    """The catalog without its broken files, and what is wrong with those.

    A file that only uses a type of a broken one is left out without a word: its fault would be gone with the other.
    Where ``topics.toml`` is broken, the catalog has no topics.
    """
    left, faults = dict(tree.schemas), list[Fault]()
    gone = {stem(each.path) for each in tree.unread}
    catalog = None
    while catalog is None:
        try:
            catalog = load_catalog(left, topics=None)
        except SchemaError as error:
            broken = [error] if faults or gone else broken_alone(left) or [error]
            for each in broken:
                if not is_consequence(each, gone):
                    faults.append(each)
            gone |= {stem(each.path) for each in broken}
            size = len(left)
            for each in broken:
                left.pop(each.path, None)
            if len(left) == size:
                return Catalog(files={}), faults
    # Examples of a broken file would be told as examples of none.
    examples = {path: text for path, text in tree.examples.items() if stem(path) not in gone}
    catalog = replace(catalog, examples=examples)
    try:
        return catalog if tree.topics is None else with_topics(catalog, tree.topics), faults
    except CatalogError as error:
        if not is_consequence(error, gone):
            faults.append(error)
    return catalog, faults


def broken_alone(texts: Mapping[str, str]) -> list[SchemaError]:
    """The faults of all files that are broken whatever the others say: found together, for to read all anew for each takes long."""
    found = []
    for path, text in texts.items():
        try:
            parse_files({path: text})
        except SchemaError as error:
            if not _UNKNOWN.search(error.reason):
                found.append(error)
    return found


def is_consequence(error: Fault, gone: Iterable[str]) -> bool:
    """Whether a name is unknown only because the file that should define it was left out."""
    missing = _UNKNOWN.search(error.reason)
    return missing is not None and snake_case(missing[1].rpartition(".")[2]) in gone


def stem(path: str) -> str:
    """``order_line`` of ``order/order_line.avsc``: the file's name says the type's (rule ``file-name-differs``)."""
    return path.rpartition("/")[2].removesuffix(".avsc").removesuffix(SUFFIX)
