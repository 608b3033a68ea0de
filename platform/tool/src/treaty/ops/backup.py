"""What a registry holds, as files: ``registry export``.

Read over HTTP with requests that every Confluent-compatible registry answers, so that either end may be another one. Nothing
in the files tells when or where from: two exports of the same contents are the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from treaty.errors import TreatyError, UsageError
from treaty.ops.http import RegistryHttp, part
from treaty.ops.progress import Progress, silent

MANIFEST: Final = "manifest.json"
SCHEMAS: Final = "schemas.jsonl"
CONFIGS: Final = "configs.jsonl"
MODES: Final = "modes.jsonl"
FORMAT: Final = 1
PAGE: Final = 1000

TOP: Final = ""
"""The name of what ``/config`` and ``/mode`` say themselves."""

Row = Mapping[str, Any]

_EXTRAS: Final = ("schemaType", "references", "metadata", "ruleSet")
_NO_SUCH_SETTING: Final = (40401, 40408, 40409)


class HiddenByAlias(TreatyError):
    """A subject cannot be read because its alias leads elsewhere."""

    exit_code = 1


class BackupBroken(UsageError):
    """The folder is not an export, or not as it was written."""


@dataclass(frozen=True, slots=True)
class Backup:
    """Versions (references first, then by id), and configs and modes by name."""

    schemas: tuple[Row, ...]
    configs: Mapping[str, Row]
    modes: Mapping[str, str]


def take(registry: RegistryHttp, *, context: str | None = None, progress: Progress = silent) -> Backup:
    """Everything that a registry, or one of its contexts (``.staging``), holds; deleted versions too. ``progress``: of its subjects."""
    known = list_contexts(registry)
    contexts = [context] if context is not None else known or ["."]
    subjects = [name for each in contexts for name in list_subjects(registry, each)]
    rows: list[Row] = []
    for number, subject in enumerate(subjects, start=1):
        rows += read_versions(registry, subject)
        progress(number, len(subjects))
    places = [*(TOP if each == "." else f":{each}:" for each in contexts), *subjects]
    if context is None:
        places += [":.__GLOBAL:", *(name for name in list_aliases(registry) if name not in subjects)]
    configs = {name: config for name in places if (config := read_config(registry, name)) is not None}
    modes = {name: mode for name in places if (mode := read_mode(registry, name)) is not None}
    if known is None and set(modes.values()) == {modes.get(TOP)}:
        # Karapace answers the global mode for every subject. As a mode of its own it would outlive a change of the global one.
        modes = {TOP: modes[TOP]}
    return Backup(tuple(referred_first(rows)), configs, modes)


def list_contexts(registry: RegistryHttp) -> list[str] | None:
    """Names of contexts; None for a registry that has no such thing, but one place for all."""
    found: list[str] | None = registry.call("GET", "/contexts", absent=(404,), kind=list)
    return found


def list_subjects(registry: RegistryHttp, context: str) -> list[str]:
    """Names of a context's subjects, deleted ones too."""
    prefix = "" if context == "." else f":{context}:"
    found = registry.call("GET", "/subjects", params={"subjectPrefix": prefix, "deleted": "true"}, kind=list)
    # Older registries do not know the parameter and list everything.
    return sorted(name for name in found if (name.startswith(prefix) if prefix else not name.startswith(":.")))


def list_aliases(registry: RegistryHttp) -> list[str]:
    """Names that are aliases of some subject: they may have a config and no version. Older registries know none."""
    found: list[Row] = []
    params = {"subjectPrefix": ":*:", "aliases": "true", "latestOnly": "true", "deleted": "true", "limit": str(PAGE)}
    while True:
        page = registry.call("GET", "/schemas", params={**params, "offset": str(len(found))}, absent=(404,), kind=list)
        found += page or []
        if not page or len(page) < PAGE:
            return sorted({alias for row in found for alias in row.get("aliases") or ()})


def read_versions(registry: RegistryHttp, subject: str) -> list[Row]:
    """All versions of a subject, deleted ones marked."""
    path = f"/subjects/{part(subject)}/versions"
    every = registry.call("GET", path, params={"deleted": "true"}, absent=(40401,), kind=list) or []
    live = set(registry.call("GET", path, absent=(40401,), kind=list) or [])
    return [read_version(registry, subject, number, deleted=number not in live) for number in sorted(every)]


def read_version(registry: RegistryHttp, subject: str, number: int, *, deleted: bool) -> Row:
    """One version as a row of an export."""
    path = f"/subjects/{part(subject)}/versions/{number}"
    body = registry.call("GET", path, params={"deleted": "true"} if deleted else None)
    if body.get("subject", subject) != subject:
        raise HiddenByAlias(
            f"{subject} has versions, but its alias leads to {body['subject']}.",
            next_step=f"clear the alias in its config, or delete {subject}",
        )
    row = {"subject": subject, "version": number, "id": body["id"], "schema": body["schema"]}
    extras = {key: body[key] for key in _EXTRAS if body.get(key) and body[key] != "AVRO"}
    return {**row, **extras, **({"deleted": True} if deleted else {})}


def read_config(registry: RegistryHttp, name: str) -> Row | None:
    """What a name's own config says, as a PUT would send it; None if it has none."""
    body = registry.call("GET", setting("config", name), absent=_NO_SUCH_SETTING)
    if body is None:
        return None
    renamed = {("compatibility" if key == "compatibilityLevel" else key): value for key, value in body.items()}
    return {key: value for key, value in renamed.items() if value is not None}


def read_mode(registry: RegistryHttp, name: str) -> str | None:
    """A name's own mode; None if it has none."""
    body = registry.call("GET", setting("mode", name), absent=_NO_SUCH_SETTING)
    return None if body is None else str(body["mode"])


def setting(kind: str, name: str) -> str:
    """The path of a config or a mode."""
    return f"/{kind}" if name == TOP else f"/{kind}/{part(name)}"


def referred_first(rows: Iterable[Row]) -> list[Row]:
    """The versions so that each comes after what it refers to; among others the lower id, subject and number first."""
    waiting = sorted(rows, key=lambda row: (row["id"], row["subject"], row["version"]))
    left = {(row["subject"], row["version"]): row for row in waiting}
    done: list[Row] = []
    for row in waiting:
        _add_with_referred(row, left, done)
    return done


def target(row: Row, reference: Mapping[str, Any]) -> tuple[str, int]:
    """The subject and number that a reference of this version means."""
    subject = str(reference["subject"])
    own = str(row["subject"])
    context = own[: own.index(":", 1) + 1] if own.startswith(":.") else ""
    return (subject if subject.startswith(":.") else context + subject), int(reference["version"])


def write(backup: Backup, folder: Path) -> None:
    """Write the files; the manifest last, so that a folder without it is no export."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        SCHEMAS: _lines(backup.schemas),
        CONFIGS: _lines({"name": name, **config} for name, config in sorted(backup.configs.items())),
        MODES: _lines({"name": name, "mode": mode} for name, mode in sorted(backup.modes.items())),
    }
    (folder / MANIFEST).unlink(missing_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    manifest = {
        "format": FORMAT,
        "counts": {name: text.count("\n") for name, text in texts.items()},
        "sha256": {name: _digest(text) for name, text in texts.items()},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read(folder: Path) -> Backup:
    """The files of an export; raises ``BackupBroken`` unless they are as they were written."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        texts = {name: (folder / name).read_text(encoding="utf-8") for name in (SCHEMAS, CONFIGS, MODES)}
        sums = manifest["sha256"]
        known = manifest["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupBroken(f"{folder} is no export: {error}", next_step="write one with registry export") from error
    changed = [name for name, text in texts.items() if sums.get(name) != _digest(text)]
    if changed or not known:
        raise BackupBroken(f"{folder} is not as it was written: {', '.join(changed) or 'another format'}.")
    rows, configs, modes = ([json.loads(line) for line in text.split("\n") if line] for text in texts.values())
    return Backup(
        tuple(rows),
        {row["name"]: {key: value for key, value in row.items() if key != "name"} for row in configs},
        {row["name"]: row["mode"] for row in modes},
    )


def _add_with_referred(row: Row, left: dict[tuple[str, int], Row], done: list[Row]) -> None:
    """Take a version out of ``left``, after all that it refers to, without recursion: chains may be long."""
    path = [row]
    while path:
        top = path[-1]
        key = (top["subject"], top["version"])
        if key not in left:
            path.pop()
            continue
        wanted = (left.get(target(top, reference)) for reference in top.get("references", ()))
        missing = next((each for each in wanted if each is not None and each not in path), None)
        if missing is None:
            done.append(left.pop(key))
            path.pop()
        else:
            path.append(missing)


def _lines(rows: Iterable[Row] | Sequence[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n" for row in rows)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
