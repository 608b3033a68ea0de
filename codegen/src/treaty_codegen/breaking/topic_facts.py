"""What rules about topics look at: one topic as it is declared now beside what was declared before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from treaty_codegen.catalog import Catalog, Topic, for_env
from treaty_codegen.finding import Finding, Location, Severity, Text, fingerprint
from treaty_codegen.old_set import OldSet, OldTopic
from treaty_codegen.places import Places

V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicComparison:
    """One topic against the newest older declaration of it; ``against`` names that."""

    topic: Topic
    old: OldTopic
    against: str
    places: Places

    def differences(self, before: Mapping[str, V], after: Mapping[str, V]) -> Iterator[tuple[str, V, V]]:
        """(environment, value before, value now) wherever they differ; what all environments share is ``"*"``."""
        if not before or not after:
            return
        for env in sorted({*before, *after}):
            old, new = for_env(before, env), for_env(after, env)
            if old != new:
                yield env, old, new

    def where(self, env: str) -> str:
        """`` in prod``; nothing where all environments are meant."""
        return "" if env == "*" else f" in {env}"

    def finding(
        self, rule: str, *, severity: Severity, member: str, message: Text, names: tuple[str, ...], help: Text
    ) -> Finding:
        """A finding at a member of the topic, or at the topic itself where ``[defaults]`` says it."""
        line = self.topic.lines.get(member, 0) or self.topic.line or 1
        return Finding(
            rule=rule,
            severity=severity,
            category="policy",
            at=Location(path=f"{self.places.root}topics.toml", line=line, end_line=line),
            message=message,
            help=help,
            against=self.against,
            affects=self.topic.events,
            fingerprint=fingerprint(rule, self.topic.name, *names),
        )


def topic_comparisons(catalog: Catalog, old_sets: Sequence[OldSet], *, places: Places) -> Iterator[TopicComparison]:
    """Each topic beside its newest older declaration; a new topic is compared with nothing."""
    for topic in catalog.topics.values():
        known = next((old for old in old_sets if topic.name in old.topics), None)
        if known is not None:
            yield TopicComparison(topic=topic, old=known.topics[topic.name], against=known.label, places=places)
