"""Bringing an export into a registry with its ids, numbers, deletes, configs and modes: ``registry import``.

Laws: nothing is written unless everything can be; what is there already, the same, is skipped, so a broken import is begun
again; modes that are changed on the way are put back whatever happens; at the end all is read back and compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import treaty_avro as avro
from treaty.errors import TreatyError
from treaty.ops.backup import (
    TOP,
    Backup,
    Row,
    list_contexts,
    list_subjects,
    read_config,
    read_mode,
    read_versions,
    setting,
    target,
)
from treaty.ops.http import RegistryHttp, part

IMPORT: Final = "IMPORT"
_GLOBAL: Final = ":.__GLOBAL:"
_GONE: Final = (40401, 40402, 40404, 40406)

Key = tuple[str, int]


class TargetDiffers(TreatyError):
    """The registry holds something that the export does not."""

    exit_code = 1


@dataclass(slots=True)
class Report:
    """What an import would do or has done. ``differences``: what was read back otherwise than it should be."""

    written: int = 0
    skipped: int = 0
    deleted: int = 0
    settings: int = 0
    differences: list[str] = field(default_factory=list)


def restore(
    backup: Backup, registry: RegistryHttp, *, force: bool, dry_run: bool, say: Callable[[str], object]
) -> Report:
    """Make ``registry`` hold what ``backup`` holds; ``force``: beside what it holds already.

    Raises ``TargetDiffers`` before anything is written.
    """
    held = _held(registry, backup, force=force)
    texts = Texts(backup)
    missing = [row for row in backup.schemas if key_of(row) not in held]
    _require_equal(backup, held, texts)
    report = Report(written=len(missing), skipped=len(backup.schemas) - len(missing))
    report.deleted = sum(1 for row in backup.schemas if row.get("deleted") and not _is_deleted(held.get(key_of(row))))
    report.settings = len(list(_changes(backup, registry)))
    if dry_run:
        return report
    if missing or report.deleted:
        with importing(registry, backup):
            for number, row in enumerate(missing, 1):
                _register(registry, row)
                if number % 1000 == 0:
                    say(f"{number} of {len(missing)} versions written")
            _delete(registry, backup, held)
    for kind, name, body in list(_changes(backup, registry)):
        registry.call("PUT", setting(kind, name), json=body, params={"force": "true"} if kind == "mode" else None)
    report.differences = list(differences(backup, registry, texts))
    return report


class Texts:
    """Schemas' texts of an export, compared by what they say: another registry spells them otherwise."""

    def __init__(self, backup: Backup) -> None:
        self._rows = {key_of(row): row for row in backup.schemas}
        self._parsed: dict[Key, avro.Schema] = {}

    def same(self, row: Row, other: Row) -> bool:
        """True if two versions say the same: text, references, metadata, rule set."""
        if any((row.get(key) or None) != (other.get(key) or None) for key in ("metadata", "ruleSet")):
            return False
        if [*map(_reference, row.get("references", ()))] != [*map(_reference, other.get("references", ()))]:
            return False
        return row["schema"] == other["schema"] or self._canonical(row) == self._canonical(other)

    def _canonical(self, row: Row) -> str:
        try:
            return avro.canonical_text(self._parse(row["schema"], row))
        except (avro.SchemaError, KeyError):
            return json.dumps(json.loads(row["schema"]), sort_keys=True)

    def _parse(self, text: str, row: Row) -> avro.Schema:
        references = [self._referred(target(row, each)) for each in row.get("references", ())]
        return avro.parse(text, references=references, rules="stored")

    def _referred(self, key: Key) -> avro.Schema:
        if key not in self._parsed:
            row = self._rows[key]
            self._parsed[key] = self._parse(row["schema"], row)
        return self._parsed[key]


@contextmanager
def importing(registry: RegistryHttp, backup: Backup) -> Iterator[None]:
    """The registry takes ids meanwhile; every mode that was changed is put back, also after a failure."""
    subjects = {str(row["subject"]) for row in backup.schemas}
    names = [*_places(backup), *(name for name in sorted(subjects) if read_mode(registry, name) is not None)]
    before = {name: read_mode(registry, name) for name in names}
    try:
        for name in names:
            registry.call("PUT", setting("mode", name), json={"mode": IMPORT}, params={"force": "true"})
        yield
    finally:
        for name, mode in before.items():
            if mode is None:
                registry.call("DELETE", setting("mode", name), absent=_GONE)
            else:
                registry.call("PUT", setting("mode", name), json={"mode": mode}, params={"force": "true"})


def differences(backup: Backup, registry: RegistryHttp, texts: Texts) -> Iterator[str]:
    """How the registry differs from the export, read by number, by list, by id and by lookup."""
    found = {key_of(row): row for name in _subjects(backup) for row in read_versions(registry, name)}
    for row in backup.schemas:
        other = found.get(key_of(row))
        name = f"{row['subject']} version {row['version']}"
        if other is None:
            yield f"{name} is missing"
        elif other["id"] != row["id"] or _is_deleted(other) != _is_deleted(row) or not texts.same(row, other):
            yield f"{name} differs"
        else:
            yield from _differs_otherwise(registry, row, name, texts)
    listed = {name for context in _contexts(backup) for name in list_subjects(registry, context)}
    yield from (f"{name} is not listed" for name in _subjects(backup) if name not in listed)
    for kind, name, _ in _changes(backup, registry):
        yield f"the {kind} of {name or 'everything'} differs"


def key_of(row: Row) -> Key:
    """What a version is called."""
    return str(row["subject"]), int(row["version"])


def _differs_otherwise(registry: RegistryHttp, row: Row, name: str, texts: Texts) -> Iterator[str]:
    by_id = registry.call("GET", f"/schemas/ids/{row['id']}", params={"subject": row["subject"]}, absent=(40403,))
    if by_id is None or not texts.same(row, {**by_id, "subject": row["subject"]}):
        yield f"{name} is another one by its id {row['id']}"
    body = {key: row[key] for key in ("schema", "references", "metadata", "ruleSet") if key in row}
    looked_up = registry.call(
        "POST", f"/subjects/{part(row['subject'])}", json=body, params={"deleted": "true"}, absent=(40401, 40403)
    )
    # The same content may stand under a second number or id: then lookup answers one of them.
    if looked_up is None or not texts.same(row, looked_up):
        yield f"{name} is not found by its text"


def _held(registry: RegistryHttp, backup: Backup, *, force: bool) -> dict[Key, Row]:
    contexts = sorted({*_contexts(backup), *(list_contexts(registry) or () if not force else ())})
    subjects = [name for context in contexts for name in list_subjects(registry, context)]
    own = _subjects(backup)
    strange = [name for name in subjects if name not in own]
    if strange and not force:
        raise TargetDiffers(
            f"The registry at {registry.host} is not empty: it holds {strange[0]}"
            f"{f' and {len(strange) - 1} more subjects' if len(strange) > 1 else ''}, which the export does not.",
            next_step="import into an empty registry, or pass --force to keep what it holds beside the export",
        )
    return {key_of(row): row for name in subjects if name in own for row in read_versions(registry, name)}


def _require_equal(backup: Backup, held: Mapping[Key, Row], texts: Texts) -> None:
    wanted = {key_of(row): row for row in backup.schemas}
    for key, other in held.items():
        row = wanted.get(key)
        if row is None or row["id"] != other["id"] or not texts.same(row, other):
            what = "has it not" if row is None else "has another one"
            raise TargetDiffers(
                f"The registry holds {key[0]} version {key[1]} with id {other['id']}; the export {what}.",
                next_step="delete it there for good, or export again",
            )


def _register(registry: RegistryHttp, row: Row) -> None:
    body = {key: value for key, value in row.items() if key not in ("subject", "deleted")}
    registry.call("POST", f"/subjects/{part(row['subject'])}/versions", json=body)


def _delete(registry: RegistryHttp, backup: Backup, held: Mapping[Key, Row]) -> None:
    # The last ones first: what refers goes before what is referred to.
    for row in reversed(backup.schemas):
        if row.get("deleted") and not _is_deleted(held.get(key_of(row))):
            path = f"/subjects/{part(row['subject'])}/versions/{row['version']}"
            registry.call("DELETE", path, absent=_GONE, kind=int)


def _changes(backup: Backup, registry: RegistryHttp) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Configs and modes that are not as in the export: kind, name, the body of the PUT that makes them so."""
    for name, config in backup.configs.items():
        held = read_config(registry, name) or {}
        if dict(config) != dict(held):
            yield "config", name, {**dict.fromkeys(held), **config}
    for name, mode in sorted(backup.modes.items(), key=lambda pair: pair[0] == TOP):
        if read_mode(registry, name) != mode:
            yield "mode", name, {"mode": mode}


def _subjects(backup: Backup) -> list[str]:
    return sorted({str(row["subject"]) for row in backup.schemas})


def _contexts(backup: Backup) -> list[str]:
    return sorted({name[1 : name.index(":", 1)] if name.startswith(":.") else "." for name in _subjects(backup)})


def _places(backup: Backup) -> list[str]:
    return [TOP if context == "." else f":{context}:" for context in _contexts(backup)]


def _reference(reference: Mapping[str, Any]) -> tuple[object, ...]:
    return reference.get("name"), reference.get("subject"), reference.get("version")


def _is_deleted(row: Row | None) -> bool:
    return row is not None and bool(row.get("deleted"))
