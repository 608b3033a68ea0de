"""The field scanner: what it sees in code, what it follows, and where it says that it does not know."""

from __future__ import annotations

import json
import textwrap

import pytest

from tests.treaty_codegen.schema_texts import array, enum, event, f, mapping, record, topics
from treaty_codegen import SdkSettings, load_catalog, sdk_index
from treaty_codegen.breaking import breaking
from treaty_codegen.old_set import old_set
from treaty_codegen.readers import Readers, Scan, scan

STATUS = enum("UNKNOWN", "PAID", "HELD", default="UNKNOWN")
LINE = record("Line", f("title", "string"), f("price", "long"))
FIELDS = [
    f("id", "long"),
    f("total", "long"),
    f("note", ["null", "string"]),
    f("lines", array(LINE)),
    f("by", mapping("Line")),
    f("status", STATUS),
]
CATALOG = load_catalog(
    {**event(FIELDS), **event([f("id", "long"), f("total", "long")], name="OrderHeld")},
    topics=topics(events=("mall.order.OrderPaid", "mall.order.OrderHeld")),
)
SDK = sdk_index(CATALOG, SdkSettings(package="events", distribution="events", namespace="mall", version="1.0.0"))
EVENTS = {"mall.order.OrderPaid", "mall.order.OrderHeld"}
IMPORTS = "from events.order import OrderPaid, OrderHeld, Line\n"


def scanned(code: str, **more: str) -> Scan:
    files = {"app/handlers.py": IMPORTS + textwrap.dedent(code)}
    files |= {f"app/{name}.py": IMPORTS + textwrap.dedent(text) for name, text in more.items()}
    return scan(files, SDK, events=EVENTS)


def reads(found: Scan) -> set[str]:
    return {f"{read.event.rpartition('.')[2]}.{read.path}" for read in found.reads}


BOTH = "def f(event: OrderPaid | OrderHeld):"
READ = [
    ("def f(event: OrderPaid): print(event.total)", {"OrderPaid.total"}),
    ("async def f(event: OrderPaid, context): await g(event.total)", {"OrderPaid.total"}),
    ("def f(event: 'OrderPaid | None'): return event.total", {"OrderPaid.total"}),
    ("@on(OrderPaid)\ndef f(event): return event.total", {"OrderPaid.total"}),
    ("Told = OrderPaid | OrderHeld\ndef f(event: Told): return event.total", {"OrderPaid.total", "OrderHeld.total"}),
    ("def f(event: OrderPaid): return event.lines[0].title", {"OrderPaid.lines", "OrderPaid.lines.title"}),
    ("def f(event: OrderPaid):\n for line in event.lines:\n  line.price", {"OrderPaid.lines", "OrderPaid.lines.price"}),
    ("def f(event: OrderPaid): return sum(x.price for x in event.lines)", {"OrderPaid.lines", "OrderPaid.lines.price"}),
    ("def f(event: OrderPaid):\n for name, one in event.by.items():\n  one.title", {"OrderPaid.by", "OrderPaid.by.title"}),
    ("def f(event: OrderPaid):\n first, *rest = event.lines\n rest[0].price", {"OrderPaid.lines", "OrderPaid.lines.price"}),
    ("def f(event: OrderPaid):\n for i, x in enumerate(sorted(event.lines)):\n  x.price", {"OrderPaid.lines", "OrderPaid.lines.price"}),
    ("def f(event: OrderPaid): return getattr(event, 'note')", {"OrderPaid.note"}),
    ("def f(event: OrderPaid): return attrgetter('note', 'id')(event)", {"OrderPaid.note", "OrderPaid.id"}),
    ("def f(event: OrderPaid):\n def inner(): return event.id\n return inner", {"OrderPaid.id"}),
    ("def f(event: OrderPaid):\n if (found := event): found.id", {"OrderPaid.id"}),
    ("def f(event: object):\n if isinstance(event, OrderPaid): return event.id", {"OrderPaid.id"}),
    ("def f(event):\n match event:\n  case OrderPaid(id=i): return i", {"OrderPaid.id"}),
    (f"{BOTH}\n if isinstance(event, OrderPaid): return event.id\n return event.total", {"OrderPaid.id", "OrderHeld.total"}),
    (f"{BOTH}\n match event:\n  case OrderPaid(total=t): t\n  case OrderHeld() as held: held.id", {"OrderPaid.total", "OrderHeld.id"}),
    ("def f(event: OrderPaid): g(event)\ndef g(what): return what.id", {"OrderPaid.id"}),
    ("def f(event: OrderPaid): g(what=event.lines)\ndef g(*, what): return what[0].title", {"OrderPaid.lines", "OrderPaid.lines.title"}),
    ("def f(event: OrderPaid): f(event); event.id", {"OrderPaid.id"}),
    ("def f(event: OrderPaid): a(event)\ndef a(x): b(x)\ndef b(x): a(x); x.id", {"OrderPaid.id"}),
    ("class A:\n def f(self, event: OrderPaid): self.g(event)\n def g(self, what): what.id", {"OrderPaid.id"}),
    ("def f(order): return order.total", set()),
    ("def f(event: OrderPaid):\n event = other()\n event.total", set()),
]  # fmt: skip


@pytest.mark.parametrize(("code", "expected"), READ, ids=[code for code, _ in READ])
def test_a_read_is_seen(code: str, expected: set[str]) -> None:
    assert reads(scanned(code)) == expected


LOST = [
    ("return dataclasses.asdict(event)", "the event is passed to dataclasses.asdict"),
    ("return vars(event)", "the event is passed to vars"),
    ("return repr(event)", "the event is passed to repr"),
    ("return f'{event}'", "the event is written as text"),
    ("g(**event)", "the event is passed to g"),
    ("return getattr(event, name)", "the event is passed to getattr"),
    ("self.last = event", "the event is stored on an object"),
    ("box['x'] = event.lines", "`lines` is stored on an object"),
    ("return event", "the event is returned"),
    ("yield event.lines[0]", "`lines` is yielded"),
    ("foreign.send(event)", "the event is passed to foreign.send"),
    ("queue.put([event])", "the event is passed to queue.put"),
    ("event.__dict__", "the event is read as a dictionary"),
]


@pytest.mark.parametrize(("code", "why"), LOST, ids=[code for code, _ in LOST])
def test_what_gets_out_of_sight_is_unknown_with_its_line(code: str, why: str) -> None:
    found = scanned(f"def f(self, event: OrderPaid, name):\n    {code}")
    assert [(each.event, each.why, each.line) for each in found.unknown] == [("mall.order.OrderPaid", why, 3)]


def test_what_is_only_looked_at_is_neither_read_nor_lost() -> None:
    found = scanned(
        "def f(event: OrderPaid):\n  if event is None or len([event]) > 3 or not event: return\n  isinstance(event, X)"
    )
    assert (found.reads, found.unknown) == ((), ())


CLOSED = " case Status.PAID: a()\n case Status.UNKNOWN | Status.HELD: b()\n"
MATCHES = [
    ("match event.status:\n" + CLOSED, True),
    ("match event.status:\n" + CLOSED + " case _: assert_never(event.status)", True),
    ("match event.status:\n" + CLOSED + " case never: typing.assert_never(never)", True),
    ("status = event.status\nmatch status:\n" + CLOSED, True),
    ("match event.status:\n" + CLOSED + " case _: c()", False),
    ("match event.status:\n" + CLOSED + " case other: c(other)", False),
    ("match event.status:\n" + CLOSED + " case _ if late(): assert_never(1)\n case _: c()", False),
    ("status = event.status\nstatus = other()\nmatch status:\n" + CLOSED, False),
    ("match other:\n" + CLOSED, False),
]


@pytest.mark.parametrize(("code", "is_exhaustive"), MATCHES)
def test_a_match_without_a_way_for_what_comes_later_is_told(code: str, is_exhaustive: bool) -> None:
    found = scanned("def f(event: OrderPaid):\n" + textwrap.indent(code, "    "))
    assert [(each.owner, each.field) for each in found.exhaustive] == [
        ("mall.order.OrderPaid", "status")
    ] * is_exhaustive
    assert set(found.exhaustive) <= set(found.reads)


def test_a_new_symbol_names_those_who_match_them_all() -> None:
    more = enum("UNKNOWN", "PAID", "HELD", "LOST", default="UNKNOWN")
    fields = [f("status", more) if each["name"] == "status" else each for each in FIELDS]
    held = event([f("id", "long"), f("total", "long")], name="OrderHeld")
    new = load_catalog(
        {**event(fields), **held}, topics=topics(events=("mall.order.OrderPaid", "mall.order.OrderHeld"))
    )
    closed = scanned("def f(event: OrderPaid):\n" + textwrap.indent(MATCHES[0][0], "    "))
    opened = scanned("def f(event: OrderPaid):\n" + textwrap.indent(MATCHES[4][0], "    "))
    readers = Readers(scans=(("billing", closed), ("search", opened)))
    (row,) = breaking(new, [old_set(CATALOG, label="release 1.0.0")], readers=readers)
    assert row.rule == "enum-symbol-becomes-default"
    assert [str(each) for each in row.readers] == ["billing app/handlers.py:3 (matches all there is)"]


def test_calls_are_followed_into_other_modules_and_five_deep() -> None:
    found = scanned(
        "from app.domain import total\nfrom app import domain\ndef f(event: OrderPaid): total(event); domain.note(event)",
        domain="def total(x): return x.total\ndef note(x): return x.note",
    )
    assert reads(found) == {"OrderPaid.total", "OrderPaid.note"}
    assert {read.file for read in found.reads} == {"app/domain.py"}
    chain = "def f(event: OrderPaid): g0(event)\n" + "".join(f"def g{n}(x): g{n + 1}(x)\n" for n in range(9))
    assert [each.why for each in scanned(chain).unknown] == ["the event is passed to g5"]


def test_a_file_that_is_no_python_makes_everything_unknown_and_nothing_is_executed() -> None:
    found = scan({"a.py": "def f(:", "b.py": "raise SystemExit", "c.py": "(" * 5000}, SDK, events=EVENTS)
    assert {(each.file, each.why) for each in found.unknown} == {
        ("a.py", "the file is no Python"),
        ("c.py", "the file is no Python"),
    }


@pytest.mark.parametrize(
    ("code", "is_complete", "expected"),
    [
        ("def f(event: OrderPaid): event.total", True, "field-removed error, removed-too-early error"),
        ("def f(event: OrderPaid): return event", True, "field-removed error"),
        ("def f(event: OrderPaid): event.id", True, "field-removed warning"),
        ("def f(event: OrderPaid): event.id", False, "field-removed error"),
    ],
)
def test_a_removed_field_weighs_as_much_as_its_readers(code: str, is_complete: bool, expected: str) -> None:
    readers = Readers(scans=(("billing", scanned(code)),), complete=frozenset(EVENTS if is_complete else ()))
    new = load_catalog(
        {
            **event([each for each in FIELDS if each["name"] != "total"]),
            **event([f("id", "long"), f("total", "long")], name="OrderHeld"),
        },
        topics=topics("NONE", events=("mall.order.OrderPaid", "mall.order.OrderHeld")),
    )
    found = breaking(
        new, [old_set(CATALOG, label="release 1.0.0")], use=["field-removed", "removed-too-early"], readers=readers
    )
    assert ", ".join(f"{row.rule} {row.severity}" for row in found) == expected
    if "too-early" in expected:
        assert str(found[0].readers[0]) == "billing app/handlers.py:2"
        assert "was never deprecated, and billing app/handlers.py:2 reads it" in str(found[1].message)


def test_a_shared_field_weighs_what_it_weighs_for_the_worst_event() -> None:
    """One event's readers are all known and read nothing; of the other's nobody knows."""

    def files(*fields: str) -> dict[str, str]:
        shared = {
            "type": "record",
            "namespace": "mall.order",
            "name": "Shared",
            "fields": [f(name, "long") for name in fields],
        }
        users = [event([f("s", "mall.order.Shared")], name=name) for name in ("OrderPaid", "OrderHeld")]
        return {"order/shared.avsc": json.dumps(shared), **users[0], **users[1]}

    carried = topics("NONE", events=("mall.order.OrderPaid", "mall.order.OrderHeld"))
    old, new = (load_catalog(files(*fields), topics=carried) for fields in (("a", "b"), ("a",)))
    readers = Readers(complete=frozenset({"mall.order.OrderPaid"}))
    found = breaking(new, [old_set(old, label="x")], use=["field-removed"], readers=readers)
    assert [(row.severity, len(row.affects)) for row in found] == [("error", 2)]
