"""Statements written as text, once for both engines; only their clocks differ."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import BigInteger, TextClause, bindparam, text


class Clock(NamedTuple):
    """How an engine says the present moment, and the ones `:seconds` later (earlier, if negative) and earlier."""

    now: str
    later: str
    earlier: str


CLOCKS: Mapping[str, Clock] = {
    # Not now(): a lease counts from its statement, not from the start of the transaction. Not clock_timestamp(): what may change
    # while a statement runs is compared with every row, and no index is asked.
    "postgresql": Clock(
        "statement_timestamp()",
        "statement_timestamp() + make_interval(secs => :seconds)",
        "statement_timestamp() - make_interval(secs => :seconds)",
    ),
    # The same text as SQLAlchemy writes for a datetime, so that comparing the texts compares the times.
    "sqlite": Clock(
        "strftime('%Y-%m-%d %H\\:%M\\:%f000', 'now')",
        "strftime('%Y-%m-%d %H\\:%M\\:%f000', 'now', :seconds || ' seconds')",
        "strftime('%Y-%m-%d %H\\:%M\\:%f000', 'now', '-' || :seconds || ' seconds')",
    ),
}


def statements(postgresql: str, *, sqlite: str | None = None) -> Mapping[str, TextClause]:
    """The statement by dialect name; `{now}`, `{later}` and `{earlier}` in the text become the engine's clock.

    One text serves both engines, unless `sqlite` gives it another.
    """
    texts = {"postgresql": postgresql, "sqlite": sqlite or postgresql}
    return {dialect: text(_timed(source, CLOCKS[dialect])) for dialect, source in texts.items()}


def _timed(source: str, clock: Clock) -> str:
    return source.replace("{now}", clock.now).replace("{later}", clock.later).replace("{earlier}", clock.earlier)


def planned_each_time(laws: Mapping[str, TextClause], *, by: str) -> Mapping[str, TextClause]:
    """The statements, with number `by` written into PostgreSQL's text: each batch has another text, so that none is prepared.

    An outbox is empty at one moment and full at the next, and a prepared statement would keep the plan of the wrong one.
    """
    written = bindparam(by, type_=BigInteger(), literal_execute=True)
    return {**laws, "postgresql": laws["postgresql"].bindparams(written)}


def listed(values: Collection[object], *, dialect: str) -> str:
    """Values as one parameter, for a CAST to an array in PostgreSQL, for `json_each` in SQLite."""
    return array(values) if dialect == "postgresql" else json.dumps(list(values))


def array(values: Iterable[object]) -> str:
    """Numbers and texts as PostgreSQL reads an array. The driver would look at each value's type, which costs more than the values.

    Source: PostgreSQL 18, "Array Value Input".
    """
    return "{" + ",".join([_quoted(value) if isinstance(value, str) else str(value) for value in values]) + "}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
