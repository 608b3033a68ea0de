"""What a schema would do to the readers of a subject, told so that its author can mend it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from treaty.registry.decisions.breaking import MOST_FINDINGS, Told, breaks, merged
from treaty.registry.decisions.merge import config_in_scope
from treaty.registry.decisions.request import SchemaRequest
from treaty.registry.names import Name
from treaty.registry.service.judging import Judging
from treaty.registry.stores.protocol import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The verdict of a registration, the level it was made under, and what would break; ``is_cut``: there is more."""

    is_compatible: bool
    level: str
    findings: tuple[Told, ...]
    is_cut: bool


class Explaining:
    """Explanations of one registry."""

    def __init__(self, store: Store, judging: Judging) -> None:
        self._store, self._judging = store, judging

    def explain(self, name: Name, request: SchemaRequest, *, normalize: bool) -> Explanation:
        """What would break, against the live versions that the subject's level asks for. Raises ``InvalidSchema``, ``EmptySchema``."""
        with self._store.read() as reader:
            rows = [row for row in reader.versions(name) if not row.deleted]
            config = config_in_scope(reader.config, name)
            prepared = self._judging.prepared(reader, name, request, config, normalize=normalize)
            messages = self._judging.messages(reader, config, prepared, rows)
            history = self._judging.compared(reader, config, prepared, rows)
            newcomer = self._judging.newcomer(reader, config, prepared, rows)
            # Read to the end here: what it asks of the store, it asks of this snapshot.
            told = list(islice(breaks(newcomer, reversed(history), categories=("wire", "meaning")), MOST_FINDINGS + 1))
        return Explanation(
            is_compatible=not messages,
            level=newcomer.level,
            findings=tuple(merged(told[:MOST_FINDINGS])),
            is_cut=len(told) > MOST_FINDINGS,
        )
