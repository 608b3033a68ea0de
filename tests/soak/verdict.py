"""After the traffic: everything that was acknowledged is read back, in bulk, one by one, and out of the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg

from tests.soak.ledger import Ledger
from tests.soak.traffic import Line

PAGE = 1_000


def read_back(line: Line, ledger: Ledger) -> None:
    """Compare lists, ids and lookups with what was acknowledged."""
    listed = {(row["subject"], row["version"]): row for row in all_versions(line)}
    for (subject, version), schema_id in ledger.versions.items():
        row = listed.get((subject, version))
        if row is None:
            ledger.blame(f"lost: {subject} version {version}, acknowledged as id {schema_id}")
        elif (row["id"], row["schema"]) != (schema_id, ledger.texts[schema_id]):
            ledger.blame(f"changed: {subject} version {version} is {row}")
    for text, schema_id in ledger.ids.items():
        answer = line.ask("GET", f"/schemas/ids/{schema_id}")
        if answer is None or answer[0] != 200 or answer[1]["schema"] != text:
            ledger.blame(f"lost: id {schema_id}: {answer}")
    for (subject, version), schema_id in list(ledger.versions.items())[:: max(1, len(ledger.versions) // PAGE)]:
        answer = line.ask("POST", f"/subjects/{subject}", {"schema": ledger.texts[schema_id]})
        if answer is None or (answer[1].get("id"), answer[1].get("version")) != (schema_id, version):
            ledger.blame(f"lookup of {subject} version {version}: {answer}")


def all_versions(line: Line) -> Iterator[dict[str, Any]]:
    """Every version, page by page."""
    offset = 0
    while True:
        answer = line.ask("GET", f"/schemas?offset={offset}&limit={PAGE}")
        assert answer is not None
        assert answer[0] == 200, answer
        yield from answer[1]
        if len(answer[1]) < PAGE:
            return
        offset += PAGE


def look_into_tables(url: str, ledger: Ledger) -> dict[str, int]:
    """Compare the tables with each other and with what was acknowledged; their counts."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT id, text FROM schemas WHERE context = '.'").fetchall()
        for schema_id, text in rows:
            if ledger.texts.get(schema_id, text) != text:
                ledger.blame(f"id {schema_id} holds {text}, acknowledged was {ledger.texts[schema_id]}")
        doubled = [text for text, count in Counter(text for _, text in rows).items() if count > 1]
        if doubled:
            ledger.blame(f"the same text under two ids: {doubled[:3]}")
        gaps = connection.execute(
            "SELECT subject FROM versions WHERE subject LIKE 'shared-%' GROUP BY subject HAVING count(*) <> max(version)"
        ).fetchall()
        if gaps:
            ledger.blame(f"versions with gaps: {gaps}")
        noted = {
            (subject, version): count
            for subject, version, count in connection.execute(
                "SELECT subject, version, count(*) FROM audit WHERE action = 'register' GROUP BY subject, version"
            )
        }
        for key in ledger.versions:
            if noted.get(key) != 1:
                ledger.blame(f"{key} stands {noted.get(key, 0)} times in the audit")
        last = connection.execute("SELECT last_id FROM contexts WHERE name = '.'").fetchone()
        assert last is not None
        if last[0] < max(ledger.texts, default=0):
            ledger.blame(f"last_id {last[0]} is below an id that was given")
        return {
            "schemas stored": len(rows),
            "last id": int(last[0]),
            "audit rows of registrations": sum(noted.values()),
        }
