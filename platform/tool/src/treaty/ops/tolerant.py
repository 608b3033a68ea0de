"""A catalog of what can be read: each broken file is one fault, and the others are checked all the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, TypeAlias

from treaty.ops.schemas import Tree
from treaty_avro import SchemaError
from treaty_codegen import Catalog, CatalogError, load_catalog, snake_case
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
            if not is_consequence(error, gone):
                faults.append(error)
            gone.add(stem(error.path))
            if left.pop(error.path, None) is None:
                return Catalog(files={}), faults
    # Examples of a broken file would be told as examples of none.
    examples = {path: text for path, text in tree.examples.items() if stem(path) not in gone}
    try:
        return load_catalog(left, topics=tree.topics, examples=examples), faults
    except CatalogError as error:
        if not is_consequence(error, gone):
            faults.append(error)
    return replace(catalog, examples=examples), faults


def is_consequence(error: Fault, gone: Iterable[str]) -> bool:
    """Whether a name is unknown only because the file that should define it was left out."""
    missing = _UNKNOWN.search(error.reason)
    return missing is not None and snake_case(missing[1].rpartition(".")[2]) in gone


def stem(path: str) -> str:
    """``order_line`` of ``order/order_line.avsc``: the file's name says the type's (rule ``file-name-differs``)."""
    return path.rpartition("/")[2].removesuffix(".avsc").removesuffix(SUFFIX)
