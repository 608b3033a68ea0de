"""Lint rules: what a schema should look like before it is ever released. One rule, one file, one page."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from treaty_codegen.catalog import Catalog
from treaty_codegen.finding import Finding, Severity
from treaty_codegen.lint import (
    alias_duplicate,
    consumer_unknown,
    decimal_precision_too_large,
    declared_reader_differs,
    default_not_first_branch,
    default_outside_logical_type,
    deprecated_without_use_or_date,
    doc_repeats_name,
    duration_type,
    enum_default_not_unknown,
    enum_without_default,
    enum_without_doc,
    event_in_two_topics,
    event_not_past_tense,
    event_without_topic,
    example_invalid,
    field_not_snake_case,
    field_without_default,
    field_without_doc,
    file_name_differs,
    ignore_unused,
    ignore_without_reason,
    key_field_missing,
    local_timestamp,
    logical_type_on_field,
    logical_type_unknown,
    money_in_float,
    name_case_collision,
    name_over_200_characters,
    name_reserved_in_python,
    namespace_differs_from_path,
    namespace_not_lower,
    optional_null_not_first,
    optional_without_default,
    owner_missing,
    password_in_event,
    pii_category_unknown,
    pii_in_key,
    pii_not_allowed_in_topic,
    pii_untagged,
    quantity_without_unit,
    record_not_pascal_case,
    record_without_doc,
    record_without_example,
    recursive_without_end,
    symbol_not_upper_snake,
    timestamp_without_logical_type,
    top_level_union,
    type_unused,
    union_ambiguous,
    uuid_without_logical_type,
)
from treaty_codegen.lint.facts import LintFacts
from treaty_codegen.places import Places
from treaty_codegen.readers.model import Scan
from treaty_codegen.released import Released
from treaty_codegen.rule import Rule
from treaty_codegen.waivers import Ignore

RULES: tuple[Rule[LintFacts], ...] = (
    record_not_pascal_case.RULE,
    field_not_snake_case.RULE,
    symbol_not_upper_snake.RULE,
    namespace_not_lower.RULE,
    namespace_differs_from_path.RULE,
    file_name_differs.RULE,
    event_not_past_tense.RULE,
    name_reserved_in_python.RULE,
    name_case_collision.RULE,
    name_over_200_characters.RULE,
    record_without_doc.RULE,
    enum_without_doc.RULE,
    field_without_doc.RULE,
    doc_repeats_name.RULE,
    quantity_without_unit.RULE,
    record_without_example.RULE,
    example_invalid.RULE,
    enum_without_default.RULE,
    optional_null_not_first.RULE,
    optional_without_default.RULE,
    field_without_default.RULE,
    default_not_first_branch.RULE,
    union_ambiguous.RULE,
    enum_default_not_unknown.RULE,
    default_outside_logical_type.RULE,
    top_level_union.RULE,
    alias_duplicate.RULE,
    recursive_without_end.RULE,
    timestamp_without_logical_type.RULE,
    money_in_float.RULE,
    decimal_precision_too_large.RULE,
    logical_type_on_field.RULE,
    logical_type_unknown.RULE,
    local_timestamp.RULE,
    uuid_without_logical_type.RULE,
    duration_type.RULE,
    owner_missing.RULE,
    pii_untagged.RULE,
    pii_category_unknown.RULE,
    pii_not_allowed_in_topic.RULE,
    password_in_event.RULE,
    deprecated_without_use_or_date.RULE,
    event_without_topic.RULE,
    event_in_two_topics.RULE,
    pii_in_key.RULE,
    key_field_missing.RULE,
    type_unused.RULE,
    consumer_unknown.RULE,
    declared_reader_differs.RULE,
    ignore_without_reason.RULE,
)
"""In the order of the rule pages: names, docs, evolution, types, governance."""

ALL_RULES = (*(rule.name for rule in RULES), ignore_unused.NAME)
"""All names; `ignore-unused` looks at what the other rules found."""

MINIMAL = frozenset({"evolution", "event-without-topic", "key-field-missing"})
"""Categories and rules of the smallest set: what cannot be put right after the first release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which rules run, and how much they weigh.

    ``use``: ``minimal`` (what cannot be put right later), ``standard``, ``strict`` (all), or rules; ``leave_out`` takes rules away.
    ``severities`` replaces a rule's usual one; ``ignore`` maps a rule to path patterns (``schemas/legacy/**``).
    """

    use: Iterable[str] = ("standard",)
    leave_out: Iterable[str] = ()
    severities: Mapping[str, str] = field(default_factory=dict)
    ignore: Mapping[str, Iterable[str]] = field(default_factory=dict)


STANDARD = Choice()


def lint(facts: LintFacts, choice: Choice = STANDARD) -> list[Finding]:
    """Every finding of the chosen rules, by place; places that ``facts.ignores`` excepts are silent."""
    left_out = frozenset(choice.leave_out)
    found: list[Finding] = []
    for rule in selected(frozenset(choice.use)):
        if rule.name in left_out:
            continue
        patterns, severity = tuple(choice.ignore.get(rule.name, ())), choice.severities.get(rule.name)
        for finding in rule.check(facts):
            if any(fnmatch.fnmatchcase(finding.at.path, pattern) for pattern in patterns):
                continue
            found.append(replace(finding, severity=Severity(severity)) if severity else finding)
    if {"standard", "strict", ignore_unused.NAME} & frozenset(choice.use) - left_out:
        found += ignore_unused.check(facts.ignores, found, root=facts.places.root)
    kept = [row for row in found if not any(ignore_unused.is_about(ignore, row) for ignore in facts.ignores)]
    return sorted(kept, key=lambda f: (f.at.path, f.at.line, f.at.column, f.rule))


def facts_of(
    catalog: Catalog,
    *,
    root: str = "",
    namespace: str = "",
    personal: Iterable[str] = (),
    ignores: Iterable[Ignore] = (),
    scans: Iterable[tuple[str, Scan]] = (),
    released: Released | None = None,
) -> LintFacts:
    """What the rules look at; ``root`` is put before each path (``schemas/``); ``released`` None: nothing was."""
    return LintFacts(
        catalog=catalog,
        places=Places(catalog, root=root),
        namespace=namespace,
        personal=tuple(personal),
        ignores=tuple(ignores),
        scans=tuple(scans),
        released=released or Released(),
    )


def selected(use: frozenset[str]) -> list[Rule[LintFacts]]:
    """The rules that ``use`` names, in the order of ``RULES``."""
    sets = {name: use & {name} for name in ("minimal", "standard", "strict")}
    return [
        rule
        for rule in RULES
        if rule.name in use
        or sets["strict"]
        or (sets["standard"] and not rule.is_strict)
        or (sets["minimal"] and not rule.is_strict and {rule.category, rule.name} & MINIMAL)
    ]
