"""A release: the current schemas as a set that is never edited again, for ``breaking`` to compare with."""

from __future__ import annotations

import json
import re
from datetime import date

from treaty.config import Settings
from treaty.errors import TreatyError, UsageError
from treaty.ops.baseline import RELEASES, SET, releases, set_document, version_key
from treaty.ops.check import Against, run_breaking, run_lint
from treaty.ops.files import write_new
from treaty.ops.schemas import load_project
from treaty_codegen.finding import Severity

VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}", re.ASCII)


class NotReleasable(TreatyError):
    """The schemas cannot be released."""

    exit_code = 1


def release(settings: Settings, *, version: str, today: date) -> str:
    """Writes ``releases/<version>/set.json`` in one rename; returns its path.

    Raises ``NotReleasable`` on lint errors or breaking changes, ``UsageError`` for a version that is not higher than the last.
    """
    if not VERSION.fullmatch(version):
        raise UsageError(f"`{version}` is not a version like 1.4.0.")
    folder = settings.folder("schemas") / RELEASES
    last = max((version_key(old.label.removeprefix("release ")) for old in releases(folder)), default=())
    if version_key(version) <= last:
        raise UsageError(f"{version} is not higher than the last release, {'.'.join(map(str, last))}.")
    against = Against(names=(RELEASES,), judges_all=True)
    errors = [
        finding
        for outcome in (run_lint(settings), run_breaking(settings, against, today=today))
        for finding in outcome.findings
        if finding.severity is Severity.ERROR
    ]
    if errors:
        raise NotReleasable(
            f"{len(errors)} errors stand in the way; first: {errors[0].at} {errors[0].message}",
            next_step="treaty lint && treaty breaking",
        )
    document = set_document(load_project(settings), version=version)
    target = folder / version / SET
    write_new(target, json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return str(target.relative_to(settings.root))
