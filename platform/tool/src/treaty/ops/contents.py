"""What a registry holds, in few calls: all live versions in pages, then what there is no list for, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar

from treaty.errors import EnvironmentFault
from treaty.ops.http import RegistryHttp, part
from treaty.ops.plan.references import Reference, references_in
from treaty.ops.plan.registry import Observed
from treaty.ops.whole import Piece, Wholes

K = TypeVar("K")
T = TypeVar("T")

PAGE: Final = 1000
"""Versions that are asked for at once; other registries give no more either."""
MOST_AT_ONCE: Final = 8
"""Questions under way at the same moment: a registry answers others too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One live version. ``guid`` "": this registry gives none. ``text``: as it stands for itself, whatever it was registered as."""

    id: int
    guid: str
    text: str
    references: tuple[Reference, ...] = ()


Contents: TypeAlias = Mapping[str, Mapping[int, Stored]]
"""Subject to version number to what lies there; subjects without a live version are left out."""


def contents(registry: RegistryHttp) -> Contents:
    """Every live version of the default context; two calls where there are at most a thousand."""
    found: dict[str, dict[int, Stored]] = {}
    for row in listed(registry):
        try:
            subject, number = str(row["subject"]), int(row["version"])
            stored = Stored(
                id=int(row["id"]),
                guid=str(row.get("guid") or ""),
                text=str(row["schema"]),
                references=references_in(row),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise no_versions(registry) from error
        if not subject.startswith(":."):  # another context: a registry that knows no prefixes lists them too
            found.setdefault(subject, {})[number] = stored
    return made_whole(found, registry)


def made_whole(found: Contents, registry: RegistryHttp) -> Contents:
    """The same with the whole texts, sorted; a version that is deleted but still referred to is asked for by its number."""

    def piece(place: tuple[str, int]) -> Piece | None:
        row = found.get(place[0], {}).get(place[1])
        return Piece(text=row.text, references=row.references) if row is not None else deleted_piece(registry, place)

    wholes = Wholes(piece)
    return {
        subject: {
            number: replace(row, text=wholes.text(Piece(text=row.text, references=row.references)))
            if row.references
            else row
            for number, row in sorted(versions.items())
        }
        for subject, versions in sorted(found.items())
    }


def deleted_piece(registry: RegistryHttp, place: tuple[str, int]) -> Piece | None:
    """A version that is not listed any more; None where it is gone for good."""
    path = f"/subjects/{part(place[0])}/versions/{place[1]}"
    row = registry.call("GET", path, params={"deleted": "true"}, absent=(40401, 40402, 42202))
    try:
        return None if row is None else Piece(text=str(row["schema"]), references=references_in(row))
    except (KeyError, TypeError, ValueError):
        return None


def references(registry: RegistryHttp) -> dict[str, frozenset[str]]:
    """What the versions of each subject refer to, the soft-deleted ones too: they hold it as fast as the live ones."""
    found: dict[str, set[str]] = {}
    for row in listed(registry, deleted=True):
        try:
            found.setdefault(str(row["subject"]), set()).update(each.subject for each in references_in(row))
        except (KeyError, TypeError, ValueError) as error:
            raise no_versions(registry) from error
    return {subject: frozenset(names) for subject, names in found.items()}


def no_versions(registry: RegistryHttp) -> EnvironmentFault:
    """The fault of a list that is not one of versions."""
    return EnvironmentFault(f"{registry.host} lists no versions: is it a schema registry?")


def listed(registry: RegistryHttp, *, deleted: bool = False) -> Iterator[Mapping[str, Any]]:
    """The rows of ``GET /schemas``, page after page until one is empty; subject by subject where a registry has no such list.

    ``deleted``: soft-deleted versions too.
    """
    count, first, more = 0, None, also_deleted(deleted)
    while True:
        params = {"subjectPrefix": "", "offset": str(count), "limit": str(PAGE), **more}
        page = registry.call("GET", "/schemas", params=params, absent=(404, 405), kind=list)
        if page is None:
            yield from one_by_one(registry, deleted=deleted)
            return
        if not page or (count and page[0] == first):  # a registry that knows no pages gives the same one again
            return
        first = page[0] if first is None else first
        count += len(page)
        yield from page


def one_by_one(registry: RegistryHttp, *, deleted: bool = False) -> Iterator[Mapping[str, Any]]:
    """Every live version, a call for each and one more for each subject: for registries that have no list.

    ``deleted``: soft-deleted versions too.
    """
    more = also_deleted(deleted)

    def numbers(subject: str) -> list[int]:
        path = f"/subjects/{part(subject)}/versions"
        return registry.call("GET", path, params=more, absent=(40401,), kind=list) or []

    def version(place: tuple[str, int]) -> Mapping[str, Any] | None:
        path = f"/subjects/{part(place[0])}/versions/{place[1]}"
        row: Mapping[str, Any] | None = registry.call("GET", path, params=more, absent=(40401, 40402))
        return row

    names = [*registry.subjects(), *(registry.deleted_subjects() if deleted else ())]
    places = [(name, number) for name, found in together(numbers, names).items() for number in found]
    yield from filter(None, together(version, places).values())


def also_deleted(deleted: bool) -> dict[str, str]:
    """The parameter that asks for what is soft-deleted too."""
    return {"deleted": "true"} if deleted else {}


def levels(registry: RegistryHttp, subjects: Iterable[str]) -> dict[str, str | None]:
    """Each subject's own compatibility level; None for those that inherit."""
    return together(registry.level, subjects)


def together(ask: Callable[[K], T], names: Iterable[K]) -> dict[K, T]:
    """The answer for each name, in the order of the names; at most eight questions are under way. The first fault is raised."""
    names = list(dict.fromkeys(names))
    if len(names) < 2:  # no thread for a single question
        return {name: ask(name) for name in names}
    with ThreadPoolExecutor(min(MOST_AT_ONCE, len(names)), thread_name_prefix="registry") as pool:
        try:
            return dict(zip(names, pool.map(ask, names), strict=True))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def observed(versions: Mapping[int, Stored], *, level: str | None = None) -> Observed:
    """The versions of a subject as plans speak of them."""
    return Observed(
        level=level,
        versions={number: row.text for number, row in versions.items()},
        refers_to=frozenset(each.subject for row in versions.values() for each in row.references),
    )
