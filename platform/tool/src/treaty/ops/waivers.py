"""``waivers.toml`` of a project: read with care, the approvals that it is held against, and the skeleton of a new waiver."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.schemas import BrokenSchemas, Unread, text_of
from treaty_codegen import Catalog, CatalogError
from treaty_codegen.breaking.waiver_facts import must_agree
from treaty_codegen.finding import Finding
from treaty_codegen.waivers import FILE, Waivers, read_waivers


def load_waivers(settings: Settings) -> Waivers:
    """``waivers.toml``, if there is one. Raises ``BrokenSchemas`` where it breaks a rule."""
    path = settings.folder("schemas") / FILE
    if not path.is_symlink() and not path.exists():
        return Waivers()
    text = text_of(path, FILE)
    if isinstance(text, Unread):
        raise BrokenSchemas(f"{settings.get('project', 'schemas')}/{FILE}: {text.reason}")
    try:
        return read_waivers(text)
    except CatalogError as error:
        raise BrokenSchemas(f"{settings.get('project', 'schemas')}/{error}", next_step="treaty lint") from error


def waivers_or_fault(settings: Settings) -> tuple[Waivers, list[CatalogError]]:
    """``waivers.toml``, or what is wrong with it."""
    try:
        return load_waivers(settings), []
    except BrokenSchemas as broken:
        cause = broken.__cause__
        return Waivers(), [cause if isinstance(cause, CatalogError) else CatalogError(str(broken), path=FILE)]


def read_approvals(file: Path) -> frozenset[str]:
    """Who really approved: ``{"approved_by": ["@team", …]}``, as the hosting service's action wrote it.

    Raises ``UsageError`` for a file that is none.
    """
    try:
        names = json.loads(file.read_text(encoding="utf-8"))["approved_by"]
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{file} holds no approvals.", next_step='write {"approved_by": ["@team"]}') from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"{file}: approved_by is a list of names.")
    return frozenset(names)


def skeleton(
    findings: Iterable[Finding], fingerprint: str, *, catalog: Catalog, pii_owner: str, until: date, reason: str
) -> str:
    """The table for ``waivers.toml`` that accepts one finding, with everybody who must agree.

    Raises ``UsageError`` if nothing of this fingerprint is found.
    """
    found = next((finding for finding in findings if finding.fingerprint == fingerprint), None)
    if found is None:
        raise UsageError(
            f"Nothing with the fingerprint {fingerprint} is found.", next_step="treaty breaking --all --format json"
        )
    names = must_agree([found], catalog, pii_owner=pii_owner)
    message = " ".join(str(found.message).split())
    return f"""# {found.at}: {message}
[[waiver]]
fingerprint = {toml(found.fingerprint)}
rule = {toml(found.rule)}
reason = {toml(reason)}
approved_by = [{", ".join(map(toml, names))}]
until = {until.isoformat()}
"""


def toml(text: str) -> str:
    """A text as TOML writes it: JSON's way, which TOML reads, and DEL escaped as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
