"""How far a group has read, and to where it is moved. The broker lets nobody move a group that has members."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from treaty.errors import EnvironmentFault, UsageError
from treaty.ops.seek import LONGEST_INBOX, Kind, Seek, Span, target
from treaty_runtime.clock import EPOCH
from treaty_runtime.event import Partition
from treaty_runtime.kafka.groups import GroupFacts, GroupHasMembers, Groups
from treaty_runtime.kafka.log import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One partition of a group: what it committed (None: nothing), what the partition holds, who reads it."""

    partition: Partition
    committed: int | None
    span: Span
    member: str | None

    @property
    def lag(self) -> int:
        """Records still to read; without a commit all of them."""
        start, end = self.span
        return max(0, end - (start if self.committed is None else max(self.committed, start)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One partition's part of a reset. ``at``: time of the first record from the new place on; ``is_clamped``: the wish lay outside."""

    partition: Partition
    before: int | None
    after: int
    is_clamped: bool
    at: datetime | None

    @property
    def again(self) -> int:
        """How many records will be read again (negative: left out)."""
        return 0 if self.before is None else self.before - self.after


def standing(name: str, log: Log, groups: Groups, *, topics: Iterable[str] = ()) -> tuple[GroupFacts, list[Standing]]:
    """A group and its partitions: those with a commit or a reader, or all of the named topics. ``UsageError`` if it is unknown."""
    facts = groups.describe(name)
    named = tuple(topics)
    partitions = log.partitions(named or None)
    # Committed offsets before the ends: a lag is never negative by a race.
    committed = groups.committed(name, partitions)
    readers = {partition: member for member in facts.members for partition in member.partitions}
    if facts.state == "DEAD" and not committed:
        raise UsageError(f"There is no group {name}.", next_step="treaty groups list")
    wanted = [each for each in partitions if named or each in committed or each in readers]
    rows = [
        Standing(
            partition=partition,
            committed=committed.get(partition),
            span=log.span(partition),
            member=readers[partition].client if partition in readers else None,
        )
        for partition in sorted(wanted)
    ]
    return facts, rows


def plan_reset(rows: Sequence[Standing], seek: Seek, log: Log, groups: Groups) -> list[Move]:
    """What a reset would do; partitions that stay are left out."""
    by_time = groups.offsets_at([row.partition for row in rows], seek.at) if seek.kind is Kind.TIME and seek.at else {}
    wished = {
        row.partition: target(seek, row.span, committed=row.committed, at_time=by_time.get(row.partition))
        for row in rows
    }
    return moves(rows, {partition: offset for partition, offset in wished.items() if offset is not None}, log)


def moves(rows: Sequence[Standing], wished: Mapping[Partition, int], log: Log) -> list[Move]:
    """The moves to these offsets, clamped to what the partitions hold."""
    found = []
    for row in rows:
        if row.partition in wished:
            after = min(max(wished[row.partition], row.span[0]), row.span[1])
            if after != row.committed:
                is_clamped = after != wished[row.partition]
                at = _time_from(row.partition, (after, row.span[1]), log)
                found.append(
                    Move(partition=row.partition, before=row.committed, after=after, is_clamped=is_clamped, at=at)
                )
    return found


def beyond_inbox(planned: Iterable[Move], *, now: datetime, remembers: timedelta = LONGEST_INBOX) -> list[Move]:
    """Moves back to records older than inboxes remember: their effects would happen a second time."""
    return [move for move in planned if move.again > 0 and move.at is not None and now - move.at > remembers]


def reset(name: str, planned: Sequence[Move], groups: Groups) -> None:
    """Moves the group in one request; ``EnvironmentFault`` if it has members."""
    try:
        groups.commit(name, {move.partition: move.after for move in planned})
    except GroupHasMembers as refusal:
        raise EnvironmentFault(
            str(refusal), next_step=f"treaty groups release {name}, or stop its members; then run this again"
        ) from refusal


def save(rows: Sequence[Standing], file: Path) -> None:
    """Writes what is committed now, for an undo. ``UsageError`` if the file is there and says anything else."""
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(_undo(rows))
    except FileExistsError:
        keep_other_undo(rows, file)
        if not file.is_file():  # it went in this moment
            save(rows, file)


def keep_other_undo(rows: Sequence[Standing], file: Path) -> None:
    """Raises ``UsageError`` unless nothing is there, or a file with what would be saved now."""
    # The same is no undo lost: it is what a move leaves that the broker refused, and that is run again. A link to nowhere is there.
    is_there = os.path.lexists(file)
    if is_there and not (file.is_file() and file.read_bytes() == _undo(rows).encode()):
        raise UsageError(
            f"{file} is there already, and may be the undo of a former move. Nothing was moved.",
            next_step="name another file with --save",
        )


def _undo(rows: Sequence[Standing]) -> str:
    told = [
        {"topic": row.partition.topic, "partition": row.partition.partition, "offset": row.committed}
        for row in rows
        if row.committed is not None
    ]
    return json.dumps(told, indent=2) + "\n"


def saved(file: Path) -> dict[Partition, int]:
    """The offsets of a saved file; ``UsageError`` if it is none."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return {Partition(str(each["topic"]), int(each["partition"])): int(each["offset"]) for each in told}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} holds no saved offsets.", next_step="name a file that --save wrote") from error


def _time_from(partition: Partition, span: Span, log: Log) -> datetime | None:
    """The time of the first record in a span; None if there is none."""
    # Not of the record at its start: what was aborted, compacted away or taken by retention has left none there.
    record = next(log.read({partition: span}), None)
    # One without a time counts as old: a guard that knows nothing holds back.
    return None if record is None else EPOCH + timedelta(milliseconds=max(record.timestamp_ms, 0))
