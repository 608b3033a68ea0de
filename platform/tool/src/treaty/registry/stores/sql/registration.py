"""A registration as one statement on Postgres: the version, its subject, a new content under the next id, the audit's entry.

Law: the id is taken by the last statement before COMMIT. The row that ids come from is held for that one round trip, so
writers far from the database wait for each other as little as can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, column, text

from treaty.registry.access.audit import Entry

_KNOWN_OR_NEW: Final = """
WITH known AS (
  SELECT id FROM schemas WHERE context = :context AND content_sha256 = :content_sha256 AND is_first
), taken AS (
  INSERT INTO contexts (name, last_id, created_at)
  SELECT :context, 1, CAST(:created_at AS bigint) WHERE NOT EXISTS (SELECT 1 FROM known)
  ON CONFLICT (name) DO UPDATE SET last_id = contexts.last_id + 1 RETURNING last_id AS id
), stored AS (
  INSERT INTO schemas (
    context, id, text, refs, metadata, rule_set, content_sha256, resolved_sha256, guid, is_first, created_at)
  SELECT :context, id, :text, CAST(:refs AS text), CAST(:metadata AS text), CAST(:rule_set AS text),
    CAST(:content_sha256 AS bytea), CAST(:resolved_sha256 AS bytea), :guid, true, CAST(:created_at AS bigint)
  FROM taken
), chosen AS (
  SELECT id FROM known UNION ALL SELECT id FROM taken
), named AS (
  INSERT INTO subjects (context, name, last_version) VALUES (:context, :subject, :version)
  ON CONFLICT (context, name) DO UPDATE SET last_version = excluded.last_version
  WHERE subjects.last_version < excluded.last_version
), versioned AS (
  INSERT INTO versions (
    context, subject, version, schema_id, resolved_sha256, deleted, created_at, provenance)
  SELECT :context, :subject, CAST(:version AS integer), id, CAST(:resolved_sha256 AS bytea), false,
    CAST(:created_at AS bigint), :provenance
  FROM chosen
)"""

_NOTED: Final = """, noted AS (
  INSERT INTO audit (
    at, actor, source_ip, request_id, action, context, subject, version, schema_id, before_sha256, after_sha256,
    outcome, reason)
  SELECT CAST(:e_at AS bigint), :e_actor, :e_source_ip, :e_request_id, :e_action, :e_context, :e_subject,
    CAST(:e_version AS integer), id, CAST(:e_before_sha256 AS bytea), CAST(:e_after_sha256 AS bytea), :e_outcome, :e_reason
  FROM chosen
)"""

_ANSWER: Final = " SELECT id, EXISTS (SELECT 1 FROM taken) AS is_new FROM chosen"

# With the columns told, what the answer looks like is found out once and not at each answer.
UNNOTED: Final = text(_KNOWN_OR_NEW + _ANSWER).columns(column("id"), column("is_new"))
NOTED: Final = text(_KNOWN_OR_NEW + _NOTED + _ANSWER).columns(column("id"), column("is_new"))


def register(connection: Connection, row: Mapping[str, Any], entry: Entry | None) -> tuple[int, bool]:
    """The id of the content, and whether it is new. ``row``: a schema's and a version's columns, by name."""
    values = dict(row)
    if entry is not None:
        values |= {f"e_{column}": getattr(entry, column) for column in Entry.__slots__ if column != "schema_id"}
    found = connection.execute(UNNOTED if entry is None else NOTED, values).one()
    return int(found.id), bool(found.is_new)
