"""Who reads what: the consumers that `topics.toml` declares, and what their code really reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from treaty.config import Settings, nearest
from treaty.errors import UsageError
from treaty.ops.files import replace_whole
from treaty.ops.generate import sdk_settings
from treaty.ops.observed import Observed, observed
from treaty.ops.readers_lock import LOCK, lock_text, merged, read_lock
from treaty.ops.schemas import load_project
from treaty.ops.service_code import code_folder, sources
from treaty_avro import Record, Type
from treaty_codegen import Catalog, SdkIndex, sdk_index
from treaty_codegen.catalog import Service
from treaty_codegen.reach import leaves
from treaty_codegen.readers import Read, Readers, Scan, Unknown, scan, with_fields_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What `treaty readers` says of one event or field: declared consumers, lines that read it, lines after which nobody knows,
    and what running services counted, where their texts were handed in."""

    declared: tuple[tuple[str, str], ...]
    reads: tuple[tuple[str, Read], ...]
    unknown: tuple[tuple[str, Unknown], ...]
    exhaustive: frozenset[Read] = frozenset()
    observed: tuple[Observed, ...] = ()


def project_readers(settings: Settings, catalog: Catalog, *, older: Iterable[str] = ()) -> Readers:
    """The scan of every declared service whose code is here, and what ``readers.lock`` says of the others.

    ``older``: published texts of the past, whose fields may be gone and still be read. Raises ``UsageError`` for a broken lock.
    """
    scans = read_lock(settings.folder("schemas") / LOCK) | own_scans(settings, catalog, older=older)
    return Readers(scans=tuple(scans.items()), complete=frozenset(complete(catalog, scans)))


def own_scans(settings: Settings, catalog: Catalog, *, older: Iterable[str] = ()) -> dict[str, Scan]:
    """The scan of every declared service whose code is here, by name."""
    if not any(code_of(settings, service) for service in catalog.services.values()):
        return {}
    sdk = with_fields_of(sdk_index(catalog, sdk_settings(settings)), older)
    found = {service.name: scan_service(settings, catalog, service, sdk) for service in catalog.services.values()}
    return {name: scanned for name, scanned in found.items() if scanned is not None}


def write_readers(settings: Settings, *, merge: Iterable[Path] = ()) -> dict[str, Scan]:
    """Writes ``schemas/readers.lock``: own services as their code is now, others as locks of other repositories (``merge``) say."""
    file, catalog = settings.folder("schemas") / LOCK, load_project(settings)
    scans = merged(own_scans(settings, catalog), read_lock(file), [lock_of_others(path) for path in merge])
    replace_whole(file, lock_text(scans))
    return scans


def lock_of_others(path: Path) -> dict[str, Scan]:
    """A lock that must be there."""
    if not path.exists():
        raise UsageError(f"There is no {path}.", next_step="treaty readers --write, in the other repository")
    return read_lock(path)


def complete(catalog: Catalog, here: Collection[str]) -> Iterator[str]:
    """The events with declared readers, all of which are services whose code is ``here``."""
    for topic in catalog.topics.values():
        for event in topic.events:
            readers = [each.service for each in topic.consumers if not each.events or event in each.events]
            if readers and all(service in here for service in readers):
                yield event


def scan_service(settings: Settings, catalog: Catalog, service: Service, sdk: SdkIndex) -> Scan | None:
    """What one service reads; None where its code is not in this repository."""
    folder = code_of(settings, service)
    if folder is None:
        return None
    events = {event for topic in catalog.topics.values() for event in topic.events}
    return scan(dict(sources(folder, settings.root)), sdk, events=events)


def code_of(settings: Settings, service: Service) -> Path | None:
    """The folder of a service's code, if it is here."""
    return code_folder(settings.root, service.code)


def answer(settings: Settings, *, what: str = "", service: str = "", counted: Iterable[str] = ()) -> Answer:
    """Who reads ``what``: an event (``OrderPaid`` or its full name), or one field of it (``OrderPaid.lines.title``); "": everything.

    ``counted``: metrics of running services, as text.

    Raises ``UsageError`` with the nearest name for an event, field or service that does not exist.
    """
    catalog = load_project(settings)
    if service and service not in catalog.services:
        raise UsageError(f"There is no service `{service}`{nearest(service, list(catalog.services))}")
    event, path = named(catalog, what) if what else ("", "")
    found = [row for row in project_readers(settings, catalog).scans if not service or row[0] == service]
    return Answer(
        declared=tuple(declared(catalog, event, service)),
        reads=tuple((name, read) for name, each in found for read in each.reads if fits(read, event, path)),
        unknown=tuple(
            (name, lost) for name, each in found for lost in each.unknown if not event or lost.event == event
        ),
        exhaustive=frozenset(read for _, each in found for read in each.exhaustive),
        observed=tuple(
            each
            for each in observed(catalog, counted)
            if each.event == (event or each.event) and each.service == (service or each.service)
        ),
    )


def named(catalog: Catalog, what: str) -> tuple[str, str]:
    """Full name and field path that a text means."""
    events = [event for topic in catalog.topics.values() for event in topic.events]
    for event in events:
        for name in (event, event.rpartition(".")[2]):
            if what == name or what.startswith(f"{name}."):
                path = what.removeprefix(name).removeprefix(".")
                if path:
                    require_field(catalog, event, path)
                return event, path
    first = what.partition(".")[0]
    raise UsageError(
        f"No topic carries an event `{what}`{nearest(first, [event.rpartition('.')[2] for event in events])}"
    )


def require_field(catalog: Catalog, event: str, path: str) -> None:
    """Raises ``UsageError`` with the nearest name where the event has no such field: "nobody reads it" would be no answer."""
    within: tuple[Type, ...] = (catalog.by_name[event].schema.root,)
    for step in path.split("."):
        fields = {field.name: field for each in within if isinstance(each, Record) for field in each.fields}
        if step not in fields:
            raise UsageError(
                f"{event} has no field `{path}`{nearest(step, list(fields))}",
                next_step="treaty breaking names who reads a field that is gone",
            )
        within = leaves(fields[step].type)


def fits(read: Read, event: str, path: str) -> bool:
    """Whether a read is of the event, and of the field or of a part of it."""
    return (not event or read.event == event) and (not path or f"{read.path}.".startswith(f"{path}."))


def declared(catalog: Catalog, event: str, service: str) -> Iterator[tuple[str, str]]:
    """Group and reader of every consumer that gets the event."""
    for topic in catalog.topics.values():
        for consumer in topic.consumers:
            gets = not event or event in (consumer.events or topic.events)
            if gets and (not event or event in topic.events) and (not service or consumer.service == service):
                yield consumer.group, consumer.service or f"external {consumer.external}"
