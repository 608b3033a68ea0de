"""``schemas/schemas.lock``: what the last release consists of and which ids its texts have where, short enough to be read in a diff.

::

    {"release": "1.4.0",
     "events": {"mall.order.OrderPaid": {"contract": "1.2.0", "fingerprint": "…", "sha256": "…"}},
     "environments": {"prod": {"order-events-mall.order.OrderPaid": {"1": {"guid": "…", "id": 7, "sha256": "…"}}}}}

``release`` writes the first two, ``registry apply`` the third; each keeps what the other wrote. Records hold ids: with the third
section and the texts in git an empty registry becomes one that reads them (``registry rebuild``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from treaty.errors import UsageError
from treaty.ops.plan.references import Reference, references_in
from treaty_avro import fingerprint, parse
from treaty_codegen.old_set import OldSet

LOCK = "schemas.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One version of a subject as an environment has it. ``guid`` "": that registry gives none.

    ``sha256``: hexadecimal, of the text as git publishes it and as it stands for itself, whatever form it was registered in; of
    the registry's own text where git has no such text any more. ``deleted``: it is soft-deleted there, so that only its id leads
    to it. ``references``: it was registered with these types left out. Both are said only where it is so.
    """

    id: int
    guid: str
    sha256: str
    deleted: bool = False
    references: tuple[Reference, ...] = ()


Subjects: TypeAlias = Mapping[str, Mapping[int, Applied]]
"""Subject to version number to what was applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The file as a value. ``events``: members ``contract``, ``fingerprint`` and ``sha256`` by full name."""

    release: str = ""
    events: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    environments: Mapping[str, Subjects] = field(default_factory=dict)

    def text(self) -> str:
        """The file's text: JSON, keys sorted, versions by number, one final newline."""
        body: dict[str, Any] = {
            "release": self.release,
            "events": {name: dict(sorted(event.items())) for name, event in sorted(self.events.items())},
        }
        if self.environments:
            body["environments"] = {
                name: {subject: rows(versions) for subject, versions in sorted(subjects.items())}
                for name, subjects in sorted(self.environments.items())
            }
        return json.dumps(dict(sorted(body.items())), indent=2) + "\n"


def rows(versions: Mapping[int, Applied]) -> dict[str, dict[str, Any]]:
    """The versions of a subject as JSON has them, in the order of their numbers."""
    return {str(number): _members(applied) for number, applied in sorted(versions.items())}


def _members(applied: Applied) -> dict[str, Any]:
    return {
        key: value for key, value in sorted(asdict(applied).items()) if key not in ("deleted", "references") or value
    }


def read_lock(folder: Path) -> Lock:
    """The lock in a schemas folder; an empty one where there is none. Raises ``UsageError`` for a file that is no lock."""
    file = folder / LOCK
    return read_lock_file(file) if file.exists() else Lock()


def read_lock_file(file: Path) -> Lock:
    """The lock in a file. Raises ``UsageError`` for one that is no lock, or not there."""
    try:
        return parsed(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{file} is not a lock: {error}", next_step=f"git restore {file}") from error


def parsed(text: str) -> Lock:
    """A lock from its text; raises whatever the first thing that is not as it should be raises."""
    body = json.loads(text)
    environments = {
        str(name): {
            str(subject): {int(number): applied(row) for number, row in versions.items()}
            for subject, versions in subjects.items()
        }
        for name, subjects in body.get("environments", {}).items()
    }
    events = {str(name): {str(k): str(v) for k, v in event.items()} for name, event in body["events"].items()}
    return Lock(release=str(body["release"]), events=events, environments=environments)


def applied(row: Mapping[str, Any]) -> Applied:
    """One version from its JSON."""
    if type(row["id"]) is not int:
        raise TypeError(f"{row['id']!r} is not an id")
    deleted = row.get("deleted", False)
    if type(deleted) is not bool:
        raise TypeError(f"{deleted!r} does not say whether a version is deleted")
    return Applied(
        id=row["id"],
        guid=str(row["guid"]),
        sha256=str(row["sha256"]),
        deleted=deleted,
        references=references_in(row),
    )


def released(lock: Lock, current: OldSet, contracts: Mapping[str, str], *, version: str) -> Lock:
    """The lock after a release: of each event the SHA-256 of its published text and the SHA-256 fingerprint of its Parsing
    Canonical Form (hexadecimal, Avro 1.12), and ``contracts``: the version of its contract.
    """
    events = {
        name: {
            "contract": contracts[name],
            "fingerprint": fingerprint(parse(event.text, rules="stored")).hex(),
            "sha256": sha256(event.text),
        }
        for name, event in current.events.items()
    }
    return replace(lock, release=version, events=events)


def as_applied(
    lock: Lock,
    environment: str,
    live: Subjects,
    *,
    held: Mapping[str, Collection[int]],
    gone: Collection[str] = (),
) -> Lock:
    """The lock after an apply.

    ``live``: every live version of the subjects that git wants; ``held``: numbers of the live versions of all subjects;
    ``gone``: subjects deleted for good. What was applied once stays while it may still be asked for by id, and is marked where
    it is only soft-deleted. A registry that gives a known version another id is another one, and nothing of the old one is kept.
    """
    before = lock.environments.get(environment, {})
    is_same = all(
        before[subject][number].id == row.id
        for subject, versions in live.items()
        for number, row in versions.items()
        if number in before.get(subject, {})
    )
    kept = {
        subject: {n: replace(row, deleted=n not in held.get(subject, ())) for n, row in versions.items()}
        for subject, versions in before.items()
        if is_same and subject not in gone
    }
    merged = kept | {subject: {**kept.get(subject, {}), **versions} for subject, versions in live.items() if versions}
    return replace(lock, environments={**lock.environments, environment: merged})


def sha256(text: str) -> str:
    """SHA-256 of a text in UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
