"""registry-disagrees: the registry and treaty judge the same text differently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from treaty_codegen.catalog import Catalog
from treaty_codegen.diff import Place
from treaty_codegen.finding import Finding, Severity, Text, fingerprint
from treaty_codegen.places import Places

NAME = "registry-disagrees"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoVerdicts:
    """What two judges say of one event's text against a subject; each a tuple of reasons against it, empty for a yes."""

    event: str
    subject: str
    registry: str
    level: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]


def check(verdicts: Iterable[TwoVerdicts], catalog: Catalog, *, places: Places) -> Iterator[Finding]:
    """One of the two is wrong, and the registry has the last word at deployment: know it before the merge."""
    for row in verdicts:
        if bool(row.ours) == bool(row.theirs):
            continue
        file = catalog.by_name.get(row.event)
        pointer = file.schema.root.pointer if file is not None else ""
        who, other = ("the registry", "treaty") if row.theirs else ("treaty", "the registry")
        yield Finding(
            rule=NAME,
            severity=Severity.ERROR,
            category="policy",
            at=places.of(Place(owner=row.event, pointer=pointer)),
            message=Text(
                "{who} refuses {event} at level {level}, {other} accepts it: {reason}",
                {
                    "who": who,
                    "other": other,
                    "event": row.event,
                    "level": row.level,
                    "reason": (row.theirs or row.ours)[0],
                },
            ),
            help=Text("do not apply before it is known who is right; report it with both texts"),
            event=row.event,
            subject=row.subject,
            against=row.registry,
            affects=(row.event,),
            fingerprint=fingerprint(NAME, row.event, row.subject),
        )
