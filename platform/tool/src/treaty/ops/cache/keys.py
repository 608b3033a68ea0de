"""Which question was asked: one key for everything that its answer depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final, TypeAlias

from treaty.config import Settings
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops.against import Against
from treaty.ops.cache import inputs
from treaty.ops.tagging import TAG

Key: TypeAlias = Callable[[], str | None]
"""Makes the key as things are at this moment; None where contents do not tell the answer."""

_ELSEWHERE: Final = frozenset({"merge-base", "releases"})
"""Old sides that are in every key: as the merge base, and among the schemas."""


def of_lint(settings: Settings, *, rules: Iterable[str], only: Iterable[str]) -> Key:
    """What a run of lint depends on."""
    asked = [list(rules), list(only)]
    return lambda: key("lint", settings, lambda: asked)


def of_breaking(settings: Settings, against: Against, *, today: date) -> Key:
    """The same for breaking. A registry may say something else at any time, so nothing that one said is kept."""
    if against.registry is not None:
        return lambda: None
    heard = None if against.approvals is None else sorted(against.approvals)
    asked = [against.names, against.base, against.environment, against.judges_all, against.proves, heard]
    return lambda: key("breaking", settings, lambda: [asked, today.isoformat(), *past(settings, against)])


def of_generated(settings: Settings) -> Key:
    """The same for what is generated."""
    return lambda: key("generated", settings, list)


def key(what: str, settings: Settings, more: Callable[[], Sequence[object]]) -> str | None:
    """64 hexadecimal digits, or None where something cannot be told or read: the check itself says what is wrong with it."""
    try:
        parts: list[object] = [what, inputs.tool(), str(settings.root), inputs.chosen(settings)]
        parts += [inputs.tree(settings.folder("schemas")), more()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    except (inputs.Untold, UsageError, EnvironmentFault, OSError, TypeError):
        return None


def past(settings: Settings, against: Against) -> Iterator[object]:
    """The old sides: what git knows, and other folders. Released sets lie among the schemas."""
    yield inputs.merge_base(settings, against.base)
    yield inputs.tags(settings, TAG)
    for name in against.names or tuple(settings.get("breaking", "against")):
        kind, _, value = name.partition(":")
        if kind == "git" and value:
            yield [name, inputs.commit(settings, value)]
        elif kind == "dir" and value:
            yield [name, inputs.tree(Path(value))]
        elif name not in _ELSEWHERE:
            raise inputs.Untold
