"""The comment of a pull request: what it says, how it folds, and that nothing in it is more than a text."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from treaty_codegen.render.markdown import LONGEST, MARK
from treaty_codegen.render.review import comment
from treaty_codegen.review import EventRow, Job, Problem, Review

HOSTILE = "<img src=x onerror=alert(1)> @all [a](https://evil) | `x` **b** <!-- treaty:review --> # h\n/close\n"
ROW = EventRow(
    event="mall.order.OrderCreated",
    before="2.3.0",
    after="3.0.0",
    changes=("type-changed total decimal(12, 2) → decimal(12, 4)",),
    wire="ok both ways",
    meaning="✖ values change",
    sdk="same",
    readers=("billing (3 places)", "report (unknown)"),
)
PROBLEM = Problem(
    rule="decimal-scale-changed",
    place="schemas/order/order_created.avsc:31",
    message="`total` changed",
    fingerprint="9f31c2a0b4d87e11",
    proof="12.34 → bytes 04 04 d2 → read as 0.1234",
    affects=("mall.order.OrderCreated",),
    against="release 1.4.0",
    readers=("billing handlers.py:5",),
    help="add `total_v2`",
)
REVIEW = Review(
    rows=(ROW,),
    problems=(PROBLEM,),
    remarks=("schemas/a.avsc:1 doc-changed: doc",),
    owners=("@mall/orders",),
    rollout=("OrderCreated in any order",),
    jobs=(Job(name="bytes", failed=True, detail="0.1.0 case 0: another value"),),
    looked_at="Checked 42 schemas.",
    plan="Registry plan for prod: 1 level, 2 versions, 0 deletes, 0 drifts.",
    plan_sha256="3b" * 32,
    bump="major",
)


def shown(markdown: str) -> tuple[str, list[str]]:
    """The text that a reader sees, and every tag of the page but those that we write."""
    ours = {"details", "summary", "code", "br"}
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)
    flat = [child for token in tokens for child in [token, *(token.children or ())]]
    links = [token.type for token in flat if token.type in {"link_open", "image", "strong_open"}]
    tags = [t.content for t in flat if t.type.startswith("html") and not any(f"{name}>" in t.content for name in ours)]
    return "".join(token.content for token in flat if token.type == "text"), links + tags


def test_it_names_contract_change_verdicts_readers_and_plan() -> None:
    text = comment(REVIEW)
    assert text.splitlines()[:2] == [MARK, "### Event review: 1 change must be fixed"]
    assert "| event | contract | change | wire | meaning | SDK | read by |" in text
    row = next(line for line in text.splitlines() if line.startswith("| mall"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:2] == ["mall.order.OrderCreated", "2.3.0 → 3.0.0"]
    assert cells[3:] == ["ok both ways", "✖ **values change**", "same", "billing (3 places), report (unknown)"]
    for part in (
        "next release: major",
        "plan <code>3b3b3b3b3b3b</code>",
        "Rollout: OrderCreated in any order",
        "1 level, 2",
    ):
        assert part in text, part
    assert "12.34 → bytes 04 04 d2 → read as 0.1234" in text
    assert "✖ bytes: 0.1.0 case 0: another value" in text


def test_nothing_changed_is_said_in_one_line() -> None:
    assert "nothing must be fixed" in comment(Review(looked_at="Checked 1 schema."))
    only = Review(jobs=(Job(name="generated", failed=True, detail="sdk is stale"),))
    assert "### Event review: generated must be fixed" in comment(only)


def hostile(kind: type, **real: Any) -> Any:
    texts = {field.name: HOSTILE for field in fields(kind) if field.name not in real}
    lists = {"changes", "readers", "affects"}
    return kind(**{name: (text, text) if name in lists else text for name, text in texts.items()}, **real)


def test_hostile_text_in_every_place_is_only_text() -> None:
    review = Review(
        rows=(hostile(EventRow), hostile(EventRow, wire=f"✖ {HOSTILE}")),
        problems=(hostile(Problem),),
        remarks=(HOSTILE,),
        owners=(HOSTILE,),
        rollout=(HOSTILE,),
        jobs=(hostile(Job, failed=True),),
        looked_at=HOSTILE,
        plan=HOSTILE,
        plan_sha256=HOSTILE,
        bump=HOSTILE,
    )
    text = comment(review)
    assert text.count(MARK) == 1, "and it stands first"
    assert "<img" not in text
    assert "@all" not in text, "no mention"
    assert "\n/close" not in text, "no command"
    assert "https://evil" not in text
    seen, more = shown(text)
    assert "onerror=alert(1)" in seen, "it is there, as text"
    strong = [tag for tag in more if tag == "strong_open"]
    assert set(more) <= {"strong_open", f"{MARK}\n", "<!-- -->"}, more
    assert len(strong) == 2, "a cell with a cross, and the rule of a problem"


def test_a_long_review_folds_and_keeps_its_counts() -> None:
    many = replace(REVIEW, remarks=tuple(f"remark {n} " + "x" * 300 for n in range(300)))
    assert "remark 1 " not in comment(many)
    assert PROBLEM.rule in comment(many)
    more = replace(many, problems=tuple(replace(PROBLEM, message="m" * 1000) for _ in range(300)))
    assert "2.3.0 → 3.0.0" in comment(more)
    most = replace(more, rows=tuple(replace(ROW, event=f"e{n}") for n in range(3000)))
    assert "3000 events changed; 300 errors" in comment(most)
    assert all(len(comment(each)) <= LONGEST for each in (REVIEW, many, more, most))


def test_a_report_reads_back_equal() -> None:
    assert Review.from_json(REVIEW.to_json()) == REVIEW


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"format": 2}',
        "[" * 100_000,
        json.dumps({**json.loads(REVIEW.to_json()), "rows": [{"event": 1}]}),
        json.dumps({**json.loads(REVIEW.to_json()), "rows": [{"event": "e", "other": "x"}]}),
        json.dumps({**json.loads(REVIEW.to_json()), "plan": "x" * 30_000}),
        json.dumps({**json.loads(REVIEW.to_json()), "remarks": ["x"] * 20_000}),
        json.dumps({**json.loads(REVIEW.to_json()), "bump": {"a": 1}}),
        json.dumps({**json.loads(REVIEW.to_json()), "jobs": [{"name": "a", "failed": [["x"]], "detail": ""}]}),
    ],
    ids=range(12),
)
def test_a_report_that_is_none_is_refused(junk: str) -> None:
    with pytest.raises(ValueError, match=r"not a|Expecting"):
        Review.from_json(junk)
