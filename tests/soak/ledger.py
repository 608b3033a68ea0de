"""What was acknowledged, and whether anything that was answered later contradicts it. Thread-safe."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Ledger:
    """The soak's memory. A contradiction is a sentence in ``wrong``."""

    texts: dict[int, str] = field(default_factory=dict)
    """Id to text, of every acknowledged registration."""
    ids: dict[str, int] = field(default_factory=dict)
    """Text to id, of texts that were not deleted for good."""
    versions: dict[tuple[str, int], int] = field(default_factory=dict)
    """Subject and version to id, of live versions."""
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _known: list[tuple[str, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        """One more of what happened."""
        with self._lock:
            self.counts[what] += 1

    def blame(self, sentence: str) -> None:
        """Something that must not be."""
        with self._lock:
            self.wrong.append(sentence)

    def acknowledge(self, subject: str, version: int, schema_id: int, text: str, *, is_kept: bool) -> None:
        """A registration was answered 200. ``is_kept``: nobody deletes it."""
        with self._lock:
            if self.texts.setdefault(schema_id, text) != text:
                self.wrong.append(f"id {schema_id} was given twice: {self.texts[schema_id]} and {text}")
            if is_kept and self.ids.setdefault(text, schema_id) != schema_id:
                self.wrong.append(f"{text} has the ids {self.ids[text]} and {schema_id}")
            known = self.versions.setdefault((subject, version), schema_id)
            if known != schema_id:
                self.wrong.append(f"{subject} version {version} was id {known}, now {schema_id}")
            if is_kept:
                self._known.append((subject, version))

    def forget(self, subject: str) -> None:
        """A subject was deleted, or may have been: its versions count no more, its ids stay spent."""
        with self._lock:
            self.versions = {key: value for key, value in self.versions.items() if key[0] != subject}

    def some(self, chance: random.Random) -> tuple[str, int, int, str] | None:
        """Subject, version, id and text of an acknowledged registration that stays; None before the first."""
        with self._lock:
            if not self._known:
                return None
            subject, version = chance.choice(self._known)
            schema_id = self.versions[subject, version]
            return subject, version, schema_id, self.texts[schema_id]
