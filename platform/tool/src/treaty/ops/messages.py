"""Retained records read as tomorrow's readers would: what no check of schemas can know, because the records are what they are.

Laws: nothing is committed and no group is joined; no value of a record is shown, only where it lies and what was wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from treaty.errors import UsageError
from treaty.ops.progress import Progress, silent
from treaty.ops.registered import Registered
from treaty.ops.seek import Kind, Seek, target
from treaty_avro import AvroError, DecodeError, Record, Schema, canonical_text, compile_generic, parse
from treaty_codegen import Catalog, publish
from treaty_codegen.breaking import breaking
from treaty_codegen.catalog import SchemaFile
from treaty_codegen.finding import Severity
from treaty_codegen.old_set import OldEvent, OldSet
from treaty_runtime.event import Partition, Place
from treaty_runtime.event import Record as KafkaRecord
from treaty_runtime.kafka.log import Log, Span

WINDOWS = 10
"""Places at which each partition is looked into, evenly from the oldest record to the newest."""
FRAME_BYTES = 5


@dataclass(slots=True, kw_only=True)
class Report:
    """What became of the records of one event: read, failed, or read with another meaning; the first place of each fault by reason."""

    event: str
    read: int = 0
    failed: int = 0
    changed: int = 0
    faults: dict[str, Place] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether every record was read as it was meant."""
        return not self.failed and not self.changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the schemas of today make of one writer's: a decoder or the reason why there is none; what changed its meaning."""

    event: str
    decode: Any = None
    refusal: str = ""
    changed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """From where on a topic is looked at. ``offsets_at``: the first offset of each partition that is not older than an instant."""

    seek: Seek
    offsets_at: Callable[[Iterable[Partition], datetime], Mapping[Partition, int]]

    def narrowed(self, spans: Mapping[Partition, Span]) -> dict[Partition, Span]:
        """What is left of the spans. Raises ``UsageError`` for a shift: there is no group to shift from."""
        if self.seek.kind is Kind.SHIFT:
            raise UsageError("--from shift: nothing was read before, so there is no place to shift from.")
        by_time = self.offsets_at(list(spans), self.seek.at) if self.seek.at is not None else {}
        starts = {
            partition: target(self.seek, span, committed=None, at_time=by_time.get(partition))
            for partition, span in spans.items()
        }
        return {
            partition: (min(max(starts[partition] or 0, start), end), end) for partition, (start, end) in spans.items()
        }


class Judge:
    """Judges records one after the other; each writer's schema once."""

    def __init__(self, catalog: Catalog, registered: Registered) -> None:
        self._catalog, self._registered = catalog, registered
        self._verdicts: dict[int, Verdict] = {}
        self.reports: dict[str, Report] = {}

    def take(self, record: KafkaRecord) -> None:
        """Reads one record; a tombstone is nobody's."""
        value = record.value
        if value is None:
            return
        if len(value) < FRAME_BYTES or value[0] != 0:
            self._fail("(not framed)", "it does not begin with 00 and a schema id", record.place)
            return
        schema_id = int.from_bytes(value[1:FRAME_BYTES], "big")
        if schema_id not in self._verdicts:
            self._verdicts[schema_id] = self._verdict(schema_id)
        verdict = self._verdicts[schema_id]
        report = self._report(verdict.event)
        if verdict.decode is None:
            self._fail(verdict.event, verdict.refusal, record.place)
            return
        try:
            verdict.decode(value, FRAME_BYTES)
        except DecodeError as error:
            self._fail(verdict.event, f"{error.code} at {error.path or '/'}", record.place)
            return
        report.read += 1
        if verdict.changed:
            report.changed += 1
            report.faults.setdefault(verdict.changed, record.place)

    def _report(self, event: str) -> Report:
        return self.reports.setdefault(event, Report(event=event))

    def _fail(self, event: str, reason: str, place: Place) -> None:
        report = self._report(event)
        report.failed += 1
        report.faults.setdefault(reason, place)

    def _verdict(self, schema_id: int) -> Verdict:
        written = self._registered.by_id(schema_id)
        if written is None:
            return Verdict(event=f"(schema id {schema_id})", refusal="the registry does not know the id")
        file = self._file_of(written)
        if file is None:
            return Verdict(event=written.name, refusal="no schema of today has this name or alias")
        today = parse(publish(file), rules="stored", path=file.full_name)
        try:
            _, decode = compile_generic(today, written)
        except AvroError as error:
            return Verdict(event=file.full_name, refusal=str(error).splitlines()[0])
        return Verdict(event=file.full_name, decode=decode, changed=self._changed(file.full_name, written, schema_id))

    def _file_of(self, written: Schema) -> SchemaFile | None:
        """The event of today that continues the writer's: of its name, else with its name as an alias."""
        by_name = self._catalog.by_name
        if written.name in by_name:
            return by_name[written.name]
        roots = ((file, file.schema.root) for file in by_name.values())
        return next(
            (
                file
                for file, root in roots
                if isinstance(root, Record) and written.name in {a.full for a in root.aliases}
            ),
            None,
        )

    def _changed(self, event: str, written: Schema, schema_id: int) -> str:
        """The rules of meaning that stand between the writer's schema and today's; "" for none."""
        topic = self._catalog.topic_of(event)
        if topic is None:
            return ""
        old = OldEvent(text=canonical_text(written), topic=topic.name, level=topic.compatibility)
        found = breaking(self._catalog, [OldSet(label=f"schema id {schema_id}", events={event: old})], use=["meaning"])
        rules = [
            row
            for row in found
            if row.severity is Severity.ERROR and event in row.affects and row.rule != "key-changed"
        ]
        return f"meaning changed: {rules[0].rule}, {rules[0].message}" if rules else ""


def check_messages(
    catalog: Catalog,
    log: Log,
    registered: Registered,
    *,
    topic: str,
    sample: int,
    since: Since | None = None,
    progress: Progress = silent,
) -> list[Report]:
    """Reads about ``sample`` records of a topic, spread evenly over partitions and retained offsets, ``since`` a place if one is given.

    Raises ``UsageError`` for a topic that does not exist; reports are sorted by event.
    """
    spans: Mapping[Partition, Span] = log.spans([topic])
    if not spans:
        raise UsageError(f"There is no topic {topic}.", next_step="treaty topics list")
    if since is not None:
        spans = since.narrowed(spans)
    judge = Judge(catalog, registered)
    expected = min(sample, sum(end - start for start, end in spans.values()))
    records = (record for windows in rounds(spans, sample=sample) for record in log.read(windows))
    for number, record in enumerate(records, start=1):
        judge.take(record)
        progress(number, max(number, expected))
    return [judge.reports[event] for event in sorted(judge.reports)]


def rounds(spans: Mapping[Partition, Span], *, sample: int) -> Iterator[dict[Partition, Span]]:
    """Windows of offsets to read, a round after the other: everything if it is no more than ``sample``, else parts of each tenth."""
    total = sum(end - start for start, end in spans.values())
    if total <= sample:
        yield {partition: span for partition, span in spans.items() if span[0] < span[1]}
        return
    for number in range(WINDOWS):
        windows = {}
        for partition, (start, end) in spans.items():
            length = end - start
            first = start + length * number // WINDOWS
            tenth = start + length * (number + 1) // WINDOWS - first
            take = min(tenth, -(-sample * length // (total * WINDOWS)))
            if take:
                windows[partition] = (first, first + take)
        if windows:
            yield windows
