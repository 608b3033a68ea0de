"""What nearly every request about a name asks for first, in one statement: config and mode in its whole scope, and versions.

Law: one statement instead of one for each question, because a round trip is what a request waits for. Who reads gets the
latest live version with its schema; who writes gets all versions, and the schema of the latest live one.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Row, TextualSelect, column, text

from treaty.registry.names import GLOBAL, TOP, Name
from treaty.registry.rows import Json
from treaty.registry.stores.sql.tables import stored_name

VERSION: Final = "version"
CONFIG: Final = "config"
MODE: Final = "mode"

_SETTINGS: Final = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, context, subject, NULL AS version, NULL AS schema_id, NULL AS resolved_sha256, "  # noqa: S608  # two fixed names
    "NULL AS deleted, NULL AS created_at, members AS s_text, NULL AS s_refs, NULL AS s_metadata, NULL AS s_rule_set, "
    f"NULL AS s_content, NULL AS s_resolved, NULL AS s_guid, NULL AS s_created_at FROM {table} WHERE "
    "(context = :context AND subject IN (:subject, '')) OR (context IN (:everywhere, :default) AND subject = '')"
    for kind, table in ((CONFIG, "configs"), (MODE, "modes"))
)

# Versions come first: on Postgres the columns of all parts take the types of the first one.
_VERSIONS: Final = (
    f"SELECT '{VERSION}' AS kind, v.context, v.subject, v.version, v.schema_id, v.resolved_sha256, v.deleted, v.created_at, "  # noqa: S608  # a fixed name
    "s.text AS s_text, s.refs AS s_refs, s.metadata AS s_metadata, s.rule_set AS s_rule_set, "
    "s.content_sha256 AS s_content, s.resolved_sha256 AS s_resolved, s.guid AS s_guid, s.created_at AS s_created_at "
    "FROM versions v {join} schemas s ON s.context = v.context AND s.id = v.schema_id AND v.version = "
    "(SELECT max(l.version) FROM versions l WHERE l.context = :context AND l.subject = :subject AND NOT l.deleted) "
    "WHERE v.context = :context AND v.subject = :subject UNION ALL "
)

_COLUMNS: Final = (
    "kind", "context", "subject", "version", "schema_id", "resolved_sha256", "deleted", "created_at",
    "s_text", "s_refs", "s_metadata", "s_rule_set", "s_content", "s_resolved", "s_guid", "s_created_at",
)  # fmt: skip

OF_VERSION: Final = slice(_COLUMNS.index("version"), _COLUMNS.index("s_text"))
"""Where in a row a version stands: its number, the id of its schema, resolved hash, whether it is deleted, when it was made."""
GUID: Final = _COLUMNS.index("s_guid")


def _known(statement: str) -> TextualSelect:
    # With its columns told, what the answer looks like is found out once and not at each answer.
    return text(statement).columns(*map(column, _COLUMNS))


_OF_A_CONTEXT: Final = _known(_SETTINGS)
_WITH_LATEST: Final = _known(_VERSIONS.format(join="JOIN") + _SETTINGS)
_WITH_ALL: Final = _known(_VERSIONS.format(join="LEFT JOIN") + _SETTINGS)


def read_standing(connection: Connection, name: Name, *, all_versions: bool) -> list[Row[*tuple[Json, ...]]]:
    """Rows of three kinds; ``s_text`` is a schema's text, a config's members, or a mode. A context alone has no versions."""
    return list(connection.execute(_chosen(name, all_versions=all_versions), _places(name)).all())


def _chosen(name: Name, *, all_versions: bool) -> TextualSelect:
    if not name.subject:
        return _OF_A_CONTEXT
    return _WITH_ALL if all_versions else _WITH_LATEST


def _places(name: Name) -> dict[str, str]:
    # As in ``NameText``: Postgres refuses NUL even in a question, and no stored name holds a control character.
    context, subject = stored_name(name.context), stored_name(name.subject)
    return {"context": context, "subject": subject, "everywhere": GLOBAL.context, "default": TOP.context}
