"""What Confluent's registry says about an incompatible version, text for text.

Source: Confluent Schema Registry 8, ``Difference`` and ``CompatibilityChecker``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from treaty_avro.compat.checker import Incompatibility, Reason
from treaty_avro.compat.verdict import Finding, Verdict

MAX_SHOWN: Final = 10_240

_DESCRIPTIONS: Final[Mapping[Reason, str]] = {
    "FIXED_SIZE_MISMATCH": (
        "The size of FIXED type field at path '{location}' in the {reader} schema does not match with the {writer} schema"
    ),
    "TYPE_MISMATCH": (
        "The type (path '{location}') of a field in the {reader} schema does not match with the {writer} schema"
    ),
    "NAME_MISMATCH": "The name of the schema has changed (path '{location}')",
    "MISSING_ENUM_SYMBOLS": (
        "The {reader} schema is missing enum symbols '{message}' at path '{location}' in the {writer} schema"
    ),
    "MISSING_UNION_BRANCH": (
        "The {reader} schema is missing a type inside a union field at path '{location}' in the {writer} schema"
    ),
    "READER_FIELD_MISSING_DEFAULT_VALUE": (
        "The field '{message}' at path '{location}' in the {reader} schema has no default value "
        "and is missing in the {writer} schema"
    ),
}


def confluent_messages(verdict: Verdict) -> list[str]:
    """The messages of a verdict, in Confluent's order; empty if it is compatible.

    The registry adds its own last line about ``validateFields`` and the level.
    """
    messages = [_message(finding) for finding in verdict.findings]
    against = verdict.against
    # Confluent adds the old schema in the direction it checks last, if that one has findings.
    last = "forward" if verdict.level.startswith("FORWARD") else "backward"
    if against is not None and any(finding.direction == last for finding in verdict.findings):
        if against.number is not None:
            messages.append(f"{{oldSchemaVersion: {against.number}}}")
        messages.append(_old(against.text))
    return messages


def _message(finding: Finding) -> str:
    found = finding.incompatibility
    if found is None:
        return f"Unexpected exception during compatibility check: {finding.error}"
    description = _description(found, *(("new", "old") if finding.direction == "backward" else ("old", "new")))
    return f"{{errorType:'{found.type}', description:'{description}', additionalInfo:'{found.message}'}}"


def _description(found: Incompatibility, reader: str, writer: str) -> str:
    template = _DESCRIPTIONS[found.type]
    return template.format(location=found.location, message=found.message, reader=reader, writer=writer)


def _old(text: str) -> str:
    if len(text) <= MAX_SHOWN:
        return f"{{oldSchema: '{text}'}}"
    return f"{{oldSchema: <truncated> '{text[:MAX_SHOWN]}...'}}"
