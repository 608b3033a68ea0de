"""Breaking rules: what a change does to readers of old records, old readers of new ones, and to the meaning of the bytes.

Order of ``RULES``: wire, meaning, source, documentation, policy; findings of one event come in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from treaty_codegen.breaking import (
    alias_ambiguous,
    class_moved,
    compatibility_weakened,
    decimal_precision_shrunk,
    decimal_scale_changed,
    default_value_changed,
    doc_changed,
    doc_emptied,
    enum_default_changed,
    enum_symbol_becomes_default,
    enum_symbol_missing,
    enum_symbol_reordered,
    event_removed,
    field_removed,
    field_renamed,
    field_type_in_sdk_changed,
    fixed_size_changed,
    key_changed,
    logical_type_changed,
    name_changed,
    null_newly_possible,
    owner_changed,
    partitions_changed,
    pii_tag_removed,
    promotion_loses_value,
    reader_field_without_default,
    registry_disagrees,
    released_set_changed,
    removed_too_early,
    retention_shortened,
    symbol_removed,
    type_changed,
    union_branch_missing,
    unit_changed,
)
from treaty_codegen.breaking.facts import Comparison, comparisons
from treaty_codegen.breaking.topic_facts import TopicComparison, topic_comparisons
from treaty_codegen.breaking.waiving import WAIVER_RULES
from treaty_codegen.catalog import Catalog
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.old_set import OldSet
from treaty_codegen.places import Places
from treaty_codegen.readers.model import Readers
from treaty_codegen.rule import Rule

RULES: tuple[Rule[Comparison], ...] = (
    reader_field_without_default.RULE,
    type_changed.RULE,
    name_changed.RULE,
    enum_symbol_missing.RULE,
    union_branch_missing.RULE,
    fixed_size_changed.RULE,
    alias_ambiguous.RULE,
    logical_type_changed.RULE,
    decimal_scale_changed.RULE,
    decimal_precision_shrunk.RULE,
    unit_changed.RULE,
    default_value_changed.RULE,
    enum_default_changed.RULE,
    enum_symbol_reordered.RULE,
    promotion_loses_value.RULE,
    enum_symbol_becomes_default.RULE,
    null_newly_possible.RULE,
    key_changed.RULE,
    field_removed.RULE,
    field_renamed.RULE,
    field_type_in_sdk_changed.RULE,
    class_moved.RULE,
    symbol_removed.RULE,
    doc_changed.RULE,
    doc_emptied.RULE,
    compatibility_weakened.RULE,
    pii_tag_removed.RULE,
    removed_too_early.RULE,
)
"""Rules that look at one event beside one old version of it; ``event_removed`` looks at whole sets."""

TOPIC_RULES: tuple[Rule[TopicComparison], ...] = (
    partitions_changed.RULE,
    retention_shortened.RULE,
    owner_changed.RULE,
)
"""Rules that look at one topic beside its newest older declaration."""

SET_RULES = (event_removed.NAME, released_set_changed.NAME, registry_disagrees.NAME)
"""Rules with facts of their own: whole sets, released files, a registry's answers."""

ALL_RULES = (
    *(rule.name for rule in RULES),
    *(rule.name for rule in TOPIC_RULES),
    *SET_RULES,
    *(rule.name for rule in WAIVER_RULES),
)

NEWEST_ONLY = frozenset({"source", "docs", "policy"})
"""Categories that look at the newest old version alone."""


def breaking(
    catalog: Catalog,
    old_sets: Iterable[OldSet],
    *,
    root: str = "",
    use: Iterable[str] = (),
    today: date | None = None,
    readers: Readers | None = None,
    proves: bool = True,
) -> list[Finding]:
    """Every finding against the old sets (newest first), each cause told once.

    ``use`` names categories or rules (empty: all). A shared type that changed is told at its own line with all events that
    it affects, and weighs what it weighs for the worst of them; the same cause against several releases is told against the
    newest. ``today`` judges promised days; ``readers`` says who reads what. ``proves`` False: no
    values are looked for that show the damage, which is quicker.
    """
    chosen, sets = frozenset(use), tuple(old_sets)
    found: dict[str, Finding] = {}
    places = Places(catalog, root=root)
    for finding in every_finding(catalog, sets, places=places, today=today, readers=readers, proves=proves):
        if chosen and not {finding.rule, finding.category} & chosen:
            continue
        before = found.get(finding.fingerprint)
        if before is None:
            found[finding.fingerprint] = finding
            continue
        affects = tuple(dict.fromkeys((*before.affects, *finding.affects)))
        read_by = tuple(dict.fromkeys((*before.readers, *finding.readers)))
        worst = min(before.severity, finding.severity, key=tuple(Severity).index)
        found[finding.fingerprint] = replace(before, severity=worst, affects=affects, readers=read_by)
    return sorted(found.values(), key=lambda f: (f.at.path, f.at.line, f.at.column, f.rule))


def every_finding(
    catalog: Catalog,
    old_sets: Sequence[OldSet],
    *,
    places: Places,
    today: date | None = None,
    readers: Readers | None = None,
    proves: bool = True,
) -> Iterator[Finding]:
    """Findings in the order of topics, events, old versions and rules; then topics, then events that are gone."""
    for comparison in comparisons(catalog, old_sets, places=places, today=today, readers=readers, proves=proves):
        for rule in RULES:
            if comparison.is_newest or rule.category not in NEWEST_ONLY:
                yield from rule.check(comparison)
    for topic in topic_comparisons(catalog, old_sets, places=places):
        for topic_rule in TOPIC_RULES:
            yield from topic_rule.check(topic)
    for old in old_sets:
        yield from event_removed.check(catalog, old, places=places)
