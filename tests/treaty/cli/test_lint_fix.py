"""``treaty lint --fix`` and ``--baseline`` as processes: what is mended, what is left alone, and what a kill leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.treaty.cli.scratch import EVENT, Scratch, project
from treaty_codegen.fmt import formatted

FIELDS: list[dict[str, Any]] = [
    {"name": "order_id", "type": "long", "doc": "Number of the order."},
    {"name": "note", "type": ["null", "string"], "doc": "For people."},
    {"name": "coupon", "type": ["string", "long", "null"], "doc": "As typed."},
    {"name": "gift", "type": ["string", "null"], "doc": "A greeting.", "default": None},
    {"name": "paid_at", "type": "long", "doc": "When it was paid.", "logicalType": "timestamp-millis"},
]
MENDED: list[dict[str, Any]] = [
    {"name": "order_id", "type": "long", "doc": "Number of the order."},
    {"name": "note", "type": ["null", "string"], "doc": "For people.", "default": None},
    {"name": "coupon", "type": ["null", "string", "long"], "doc": "As typed.", "default": None},
    {"name": "gift", "type": ["null", "string"], "doc": "A greeting.", "default": None},
    {"name": "paid_at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "When it was paid."},
]
PAID = "schemas/order/order_paid.avsc"
KILLER = """
import os, sys
left = int(os.environ["KILL_AT"])
def hook(event, arguments):
    global left
    is_made = event == "open" and "schemas" in str(arguments[0]) and arguments[1] is None
    if is_made or event in {"os.rename", "os.remove", "os.chmod"}:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
sys.addaudithook(hook)
from treaty.cli import main
main()
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return project(tmp_path, event=EVENT | {"fields": FIELDS})


@pytest.mark.parametrize("indent", [None, 2])
def test_what_can_be_mended_is_mended_and_shown_and_a_second_run_changes_nothing(scratch: Scratch, indent: int) -> None:
    before = json.dumps(EVENT | {"fields": FIELDS}, indent=indent)
    scratch.write(PAID, before)
    assert scratch.run("lint").code == 1
    done = scratch.run("lint", "--fix")
    assert done.code == 0, done.out
    text = (scratch.root / PAID).read_text(encoding="utf-8")
    assert json.loads(text)["fields"] == MENDED
    assert f"fixed {PAID}:" in done.err
    assert "+++ b/order/order_paid.avsc" in done.err
    again = scratch.run("lint", "--fix")
    assert (again.code, again.err) == (0, "Checked 1 schema: 0 errors, 0 warnings\n")
    assert (scratch.root / PAID).read_text(encoding="utf-8") == text


def test_what_is_not_at_fault_stays_as_it_was_typed(scratch: Scratch) -> None:
    odd = (
        '{"type":"record",  "namespace":"mall.order","name":"OrderPaid","doc":"Paid.","fields":[\r\n'
        '\t{"doc": "A\\u00e9.", "name":"a",   "type":["null","string"]},'
        '{"name":"size_limit","doc":"B.","type":"long","default":10}]}'
    )
    scratch.write(PAID, odd.encode())
    scratch.run("lint", "--rule", "optional-without-default", "--fix")
    fixed = (scratch.root / PAID).read_bytes().decode()
    assert fixed.replace(', "default": null', "", 1) == odd


def test_a_released_field_is_never_touched(scratch: Scratch) -> None:
    scratch.write("treaty.toml", '[project]\nnamespace = "mall"\n[lint]\nuse = []\n')
    assert scratch.run("release", "1.0.0").code == 0
    before = (scratch.root / PAID).read_text(encoding="utf-8")
    scratch.write("treaty.toml", '[project]\nnamespace = "mall"\n')
    done = scratch.run("lint", "--fix")
    assert (done.code, (scratch.root / PAID).read_text(encoding="utf-8")) == (1, before)
    rows = json.loads(scratch.run("lint", "--format", "json").out)["findings"]
    assert rows
    assert all(row["fix"] is None for row in rows)


def test_a_misnamed_file_gets_its_name_with_its_examples_and_takes_nobody_elses(scratch: Scratch) -> None:
    (scratch.root / PAID).rename(scratch.root / "schemas/order/payed.avsc")
    scratch.write("schemas/order/payed.examples.json", "[]")
    done = scratch.run("lint", "--rule", "file-name-differs", "--fix")
    assert done.code == 0
    assert "rename order/payed.avsc => order/order_paid.avsc" in done.err
    assert sorted(path.name for path in (scratch.root / "schemas/order").iterdir()) == [
        "order_paid.avsc",
        "order_paid.examples.json",
    ]
    other = EVENT | {"name": "OrderHeld"}
    scratch.write("schemas/order/held.avsc", other)
    (scratch.root / "schemas/order/order_held.avsc").symlink_to("nowhere")
    taken = scratch.run("lint", "--rule", "file-name-differs", "--fix")
    assert (taken.code, "exists already" in taken.err) == (1, True)
    assert (scratch.root / "schemas/order/held.avsc").is_file()


def test_a_text_that_is_broken_elsewhere_is_mended_all_the_same_and_links_are_not_written_through(
    scratch: Scratch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "order_lost.avsc"
    outside.write_text(json.dumps(EVENT | {"name": "OrderLost", "fields": FIELDS}), encoding="utf-8")
    before = outside.read_text(encoding="utf-8")
    (scratch.root / "schemas/order/order_lost.avsc").symlink_to(outside)
    scratch.write("schemas/order/broken.avsc", "{")
    assert scratch.run("lint", "--fix").code == 1
    assert outside.read_text(encoding="utf-8") == before
    assert json.loads((scratch.root / PAID).read_text(encoding="utf-8"))["fields"] == MENDED


def test_only_the_paths_that_are_named_are_told_and_mended(scratch: Scratch) -> None:
    scratch.write(
        "schemas/chat/chat_opened.avsc", EVENT | {"namespace": "mall.chat", "name": "ChatOpened", "fields": FIELDS}
    )
    assert scratch.run("lint", "schemas/order", "--fix").code == 0
    done = scratch.run("lint", "--format", "json")
    assert {row["at"]["path"].split("/")[1] for row in json.loads(done.out)["findings"]} == {"chat"}
    assert scratch.run("lint", "schemas/chat/chat_opened.avsc").err.startswith("Checked 1 schema: ")
    assert scratch.run("lint", "nowhere").code == scratch.run("lint", "/etc").code == 2


def test_a_kill_at_every_write_leaves_whole_files_and_the_next_run_mends_the_rest(scratch: Scratch) -> None:
    names = {"order_paid": "OrderPaid", "wrong": "OrderHeld"}
    texts = {stem: json.dumps(EVENT | {"name": name, "fields": FIELDS}, indent=2) for stem, name in names.items()}
    kills = 0
    while True:
        for stem, text in texts.items():
            scratch.write(f"schemas/order/{stem}.avsc", text)
        (scratch.root / "schemas/order/order_held.avsc").unlink(missing_ok=True)
        env = {**os.environ, "KILL_AT": str(kills)}
        words = [
            sys.executable,
            "-c",
            KILLER,
            "lint",
            "--fix",
            "--rule",
            "optional-without-default",
            "--rule",
            "file-name-differs",
        ]
        done = subprocess.run(words, cwd=scratch.root, env=env, capture_output=True, check=False)
        for path in (scratch.root / "schemas/order").glob("*.avsc"):
            found = json.loads(path.read_text(encoding="utf-8"))["fields"]
            assert found[1] in (FIELDS[1], MENDED[1])
        if done.returncode != -9:
            break
        scratch.run("lint", "--fix")
        assert {path.name for path in (scratch.root / "schemas/order").glob("*.avsc")} == {
            "order_paid.avsc",
            "order_held.avsc",
        }
        for path in (scratch.root / "schemas/order").glob("*.avsc"):
            assert json.loads(path.read_text(encoding="utf-8"))["fields"] == MENDED
        kills += 1
    assert kills >= 5


def test_the_patch_of_a_fix_gives_the_same_json_as_its_edits(scratch: Scratch) -> None:
    rows = json.loads(scratch.run("lint", "--format", "json").out)["findings"]
    for row in (row for row in rows if row["fix"]):
        text = json.dumps(EVENT | {"fields": FIELDS}, indent=2)
        lines = text.splitlines(keepends=True)
        starts = [sum(map(len, lines[:n])) for n in range(len(lines))]
        for edit in sorted(row["fix"]["edits"], key=lambda e: (e["line"], e["column"]), reverse=True):
            first, last = (starts[edit[f"{p}line"] - 1] + edit[f"{p}column"] - 1 for p in ("", "end_"))
            text = text[:first] + edit["text"] + text[last:]
        assert json.loads(text) == patched(EVENT | {"fields": FIELDS}, row["fix"]["patch"])
        formatted(text)


def patched(body: Any, operations: list[dict[str, Any]]) -> Any:
    """The operations of RFC 6902 done on a JSON value, in the plain way."""
    body = json.loads(json.dumps(body))

    def parent(pointer: str) -> tuple[Any, Any]:
        *steps, last = pointer.split("/")[1:]
        at = body
        for step in steps:
            at = at[int(step)] if isinstance(at, list) else at[step]
        return at, int(last) if isinstance(at, list) else last

    for operation in operations:
        at, key = parent(operation["path"])
        if operation["op"] == "remove":
            del at[key]
        elif operation["op"] == "move":
            source, old = parent(operation["from"])
            at.insert(key, source.pop(old))
        else:
            at[key] = operation["value"]
    return body


def test_a_baseline_hides_what_it_knows_and_nothing_else(scratch: Scratch) -> None:
    written = scratch.run("lint", "--write-baseline", "known.json")
    assert (written.code, written.err) == (0, "known.json knows 5 findings.\n")
    text = (scratch.root / "known.json").read_text(encoding="utf-8")
    quiet = scratch.run("lint", "--baseline", "known.json")
    assert (quiet.code, quiet.out) == (0, "")
    assert quiet.err == "Checked 1 schema, 5 findings known from known.json: 0 errors, 0 warnings\n"
    more = [*FIELDS, {"name": "badName", "type": "long", "doc": "New."}]
    scratch.write(PAID, "\n\n" + json.dumps(EVENT | {"fields": more}, indent=4))
    noisy = scratch.run("lint", "--baseline", "known.json")
    assert (noisy.code, noisy.out.count("field-not-snake-case"), noisy.out.count("optional")) == (1, 1, 0)
    scratch.run("lint", "--fix")
    assert "5 of known.json are no longer found" in scratch.run("lint", "--baseline", "known.json").err
    scratch.write(PAID, EVENT | {"fields": FIELDS})
    scratch.run("lint", "--write-baseline", "known.json")
    assert (scratch.root / "known.json").read_text(encoding="utf-8") == text


def test_a_file_that_cannot_be_read_is_told_whatever_the_baseline_knows(scratch: Scratch) -> None:
    scratch.write(PAID, "{")
    scratch.run("lint", "--write-baseline", "known.json")
    assert "syntax-error" in scratch.run("lint", "--baseline", "known.json").out


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{", '{"format": 2, "findings": []}', '{"format": 1, "findings": [1]}', "[" * 9000]
)
def test_a_baseline_that_is_none_ends_with_2_and_says_how_to_write_one(scratch: Scratch, content: str | None) -> None:
    if content is not None:
        scratch.write("known.json", content)
    done = scratch.run("lint", "--baseline", "known.json")
    assert (done.code, "next: treaty lint --write-baseline known.json" in done.err or "not 1" in done.err) == (2, True)
