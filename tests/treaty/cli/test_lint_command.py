"""``treaty lint`` as a process: exit codes, formats, and input that nobody should have committed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import EVENT, TOPICS, Scratch, changed, project

UNDOCUMENTED = changed(total="long") | {"doc": ""}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return project(tmp_path)


def test_a_clean_project_ends_with_0_and_says_what_it_checked(scratch: Scratch) -> None:
    done = scratch.run("lint")
    assert (done.code, done.out, done.err) == (0, "", "Checked 1 schema: 0 errors, 0 warnings\n")


def test_an_error_ends_with_1_and_stands_on_stdout(scratch: Scratch) -> None:
    scratch.write("schemas/order/order_paid.avsc", UNDOCUMENTED)
    done = scratch.run("lint")
    assert done.code == 1
    assert "schemas/order/order_paid.avsc:4:11 record-without-doc: " in done.out
    assert done.err == "Checked 1 schema: 2 errors, 0 warnings\n"


def test_a_warning_ends_with_0_and_with_strict_with_1(scratch: Scratch) -> None:
    local = {"type": "long", "logicalType": "local-timestamp-millis"}
    scratch.write("schemas/order/order_paid.avsc", changed(paid_at=local))
    assert (scratch.run("lint").code, scratch.run("lint", "--strict").code) == (0, 1)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[lint]\nuse = ["standrad"]\n', "did you mean `standard`"),
        ('[lint]\nexcept = ["record-without-docs"]\n', "did you mean `record-without-doc`"),
        ('[lint.severity]\n"record-without-doc" = "fatal"\n', "say error, warning or info"),
        ('[lint.ignore]\n"record-without-dok" = ["schemas/**"]\n', "did you mean `record-without-doc`"),
        ('[lint.ignore]\n"record-without-doc" = "schemas/**"\n', "a list of paths"),
        ('[lint]\nuze = ["standard"]\n', "did you mean `use`"),
    ],
)
def test_a_slip_in_the_settings_ends_with_2_rather_than_switch_off_a_rule(
    tmp_path: Path, toml: str, words: str
) -> None:
    done = project(tmp_path, toml=toml).run("lint")
    assert done.code == 2
    assert words in done.err


def test_rules_can_be_chosen_left_out_ignored_and_weighed(tmp_path: Path) -> None:
    toml = """[lint]
except = ["quantity-without-unit"]
[lint.ignore]
"field-without-doc" = ["schemas/legacy/**"]
[lint.severity]
"record-without-doc" = "warning"
"""
    scratch = project(tmp_path, toml=toml, event=UNDOCUMENTED)
    done = scratch.run("lint")
    assert (done.code, done.err) == (0, "Checked 1 schema: 0 errors, 1 warning\n")
    assert "record-without-doc (warning)" in done.out
    assert scratch.run("lint", "--rule", "field-without-doc").out == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [(("lint", "--rule", "nope"), 2), (("lint", "--nope"), 2), (("lnt",), 2), (("lint", "--help"), 0)],
)
def test_usage(scratch: Scratch, words: tuple[str, ...], code: int) -> None:
    assert scratch.run(*words).code == code


def test_no_project_no_folder_and_no_schema_each_end_with_2_and_a_next_step(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    (tmp_path / ".git").mkdir()
    assert scratch.run("lint").code == 2
    scratch.write("treaty.toml", "")
    missing = scratch.run("lint")
    (tmp_path / "schemas").mkdir()
    empty = scratch.run("lint")
    assert (missing.code, empty.code) == (2, 2)
    assert "There is no schemas folder" in missing.err
    assert "There is no .avsc file" in empty.err
    assert missing.err.count("\n") == empty.err.count("\n") == 2


def test_a_link_is_named_and_what_it_points_to_is_not_read(
    scratch: Scratch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("outside") / "secret.avsc"
    secret.write_text('{"type": "record", "name": "Secret", "doc": "hunter2", "fields": []}', encoding="utf-8")
    (scratch.root / "schemas" / "order" / "secret.avsc").symlink_to(secret)
    (scratch.root / "schemas" / "order" / "gone.avsc").symlink_to("nowhere.avsc")
    (scratch.root / "schemas" / "loop").symlink_to(scratch.root / "schemas")
    done = scratch.run("lint")
    assert done.code == 1
    assert done.out.count("file-unreadable: not a plain file") == 2
    assert "hunter2" not in done.out + done.err


def test_a_pipe_and_a_folder_called_avsc_are_named_and_nothing_waits(scratch: Scratch) -> None:
    os.mkfifo(scratch.root / "schemas" / "order" / "pipe.avsc")
    (scratch.root / "schemas" / "order" / "folder.avsc").mkdir()
    done = scratch.run("lint")
    assert done.code == 1
    assert [line.split()[0] for line in done.out.splitlines()] == [
        "schemas/order/folder.avsc:1:1",
        "schemas/order/pipe.avsc:1:1",
    ]


def test_topics_that_are_a_pipe_are_named_too(scratch: Scratch) -> None:
    (scratch.root / "schemas" / "topics.toml").unlink()
    os.mkfifo(scratch.root / "schemas" / "topics.toml")
    done = scratch.run("lint")
    assert (done.code, done.out.split(":")[0]) == (1, "schemas/topics.toml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"doc": "' + b"x" * 2_097_152 + b'"}', "2097163 bytes; a schema has at most 1048576"),
        (b'{"type": "record", "doc": "\xff"}', "not UTF-8 (byte 27)"),
        (b"\xef\xbb\xbf{}", "syntax-error"),
        (b"", "syntax-error"),
        (b"[" * 5000, "syntax-error"),
        (b'{"type": "record", "name": "X"}', "syntax-error"),
        (b'{"type": "record", "name": "X", "name": "Y", "fields": []}', "syntax-error"),
    ],
    ids=[
        "huge",
        "not UTF-8",
        "BOM",
        "empty",
        "deep",
        "no fields",
        "a name twice",
    ],  # contents would be: an environment holds no 2 MB
)
def test_a_file_that_cannot_be_read_is_a_finding_and_the_others_are_checked_all_the_same(
    scratch: Scratch, content: bytes, words: str
) -> None:
    scratch.write("schemas/order/broken.avsc", content)
    scratch.write("schemas/order/order_paid.avsc", UNDOCUMENTED)
    done = scratch.run("lint")
    assert done.code == 1
    assert words in done.out
    assert "schemas/order/broken.avsc:1:" in done.out
    assert "record-without-doc" in done.out


def test_merge_markers_are_found_at_their_line(scratch: Scratch) -> None:
    text = json.dumps(EVENT, indent=2).replace('  "doc"', '<<<<<<< HEAD\n  "doc"', 1)
    scratch.write("schemas/order/order_paid.avsc", text)
    done = scratch.run("lint")
    assert (done.code, done.out.split(" ")[0]) == (1, "schemas/order/order_paid.avsc:5:1")


def test_a_broken_shared_type_is_one_fault_and_not_one_for_each_that_uses_it(scratch: Scratch) -> None:
    scratch.write("schemas/order/order_line.avsc", '{"type": "record",')
    scratch.write("schemas/order/order_paid.avsc", changed(lines={"type": "array", "items": "mall.order.OrderLine"}))
    done = scratch.run("lint")
    assert done.code == 1
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["schemas/order/order_line.avsc"]


def test_an_unknown_type_is_told_where_no_file_is_broken(scratch: Scratch) -> None:
    scratch.write("schemas/order/order_paid.avsc", changed(lines="mall.order.OrderLien"))
    done = scratch.run("lint")
    assert done.code == 1
    assert "unknown type 'mall.order.OrderLien'" in done.out


@pytest.mark.parametrize(
    ("topics", "place", "words"),
    [
        (TOPICS.replace("owner =", "ownre ="), "schemas/topics.toml:", "`owner`"),
        (TOPICS + "retenton = '1h'\n", "schemas/topics.toml:9:1", "did you mean `retention`"),
        (TOPICS + "[[[", "schemas/topics.toml:9:1", "not TOML"),
        (TOPICS.replace("OrderPaid", "OrderPade"), "schemas/topics.toml:7:1", "did you mean `mall.order.OrderPaid`"),
        ("", "schemas/topics.toml:1:1", "`format` is not 1"),
    ],
)
def test_broken_topics_are_a_finding_at_their_line(scratch: Scratch, topics: str, place: str, words: str) -> None:
    scratch.write("schemas/topics.toml", topics)
    done = scratch.run("lint")
    assert done.code == 1
    assert done.out.startswith(place)
    assert words in done.out


def test_examples_are_read_with_the_same_care_as_schemas(scratch: Scratch) -> None:
    examples = "schemas/order/order_paid.examples.json"
    scratch.write(examples, '[{"order_id": "none", "note": null}]')
    done = scratch.run("lint")
    assert (done.code, done.out.split()[:2]) == (1, [f"{examples}:1:15", "example-invalid:"])
    scratch.write(examples, '[{"order_id": 7, "note": null}]')
    assert scratch.run("lint", "--rule", "record-without-example").code == 0
    (scratch.root / examples).unlink()
    (scratch.root / examples).symlink_to("/etc/hostname")
    assert f"{examples}:1:1 file-unreadable: not a plain file" in scratch.run("lint").out
    scratch.write("schemas/order/order_paid.avsc", "{")
    assert "example-invalid" not in scratch.run("lint").out, "the schema's own fault is enough"


def test_a_field_that_came_after_a_release_needs_a_default(scratch: Scratch) -> None:
    assert scratch.run("release", "1.0.0").code == 0
    scratch.write("schemas/order/order_paid.avsc", changed(coupon="string"))
    done = scratch.run("lint")
    assert (done.code, "field-without-default: `coupon` came after the last release" in done.out) == (1, True)


def test_a_file_name_cannot_forge_a_line_of_output(scratch: Scratch) -> None:
    scratch.write("schemas/order/a\n::error file=x::forged.avsc", EVENT)
    (scratch.root / "schemas" / os.fsdecode(b"order/\xff.avsc")).write_text("{}", encoding="utf-8")
    done = scratch.run("lint", "--format", "text")
    assert done.code == 1
    assert done.out.count("file-unreadable: the file's name has characters that cannot be printed\n") == 2
    assert not [line for line in done.out.splitlines() if line.startswith("::")]


def test_formats_go_where_they_are_asked_to(scratch: Scratch) -> None:
    scratch.write("schemas/order/order_paid.avsc", UNDOCUMENTED)
    assert scratch.run("lint", GITHUB_ACTIONS="true").out.startswith(
        "::error file=schemas/order/order_paid.avsc,line=4,"
    )
    assert json.loads(scratch.run("lint", "--format", "json").out)["summary"] == {"error": 2, "warning": 0, "info": 0}
    done = scratch.run("lint", "--format", "jsonl", "--output", "found.jsonl")
    assert (done.code, done.out) == (1, "")
    lines = (scratch.root / "found.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["rule"] for line in lines] == ["record-without-doc", "quantity-without-unit"]


def test_a_file_that_cannot_be_written_ends_with_3(scratch: Scratch) -> None:
    done = scratch.run("lint", "--output", "nowhere/found.txt")
    assert (done.code, done.err) == (3, "treaty: No such file or directory (nowhere/found.txt)\n")


def test_nothing_of_the_tree_is_imported_or_executed(scratch: Scratch) -> None:
    for name in ("click.py", "sitecustomize.py", "treaty_codegen.py", "schemas/__init__.py", "conftest.py"):
        scratch.write(name, "open('canary', 'w').close()\n")
    scratch.write("treaty.toml", '[project]\nnamespace = "mall"\n[local]\nservice = "touch canary"\n')
    assert scratch.script("lint").code == 0
    assert not (scratch.root / "canary").exists()


def test_every_broken_file_is_told_once(scratch: Scratch) -> None:
    for name in ("one", "two", "three"):
        scratch.write(f"schemas/order/{name}.avsc", b"" if name == "two" else b"{")
    done = scratch.run("lint")
    assert sorted(line.partition(":")[0] for line in done.out.splitlines() if "syntax-error" in line) == [
        "schemas/order/one.avsc",
        "schemas/order/three.avsc",
        "schemas/order/two.avsc",
    ]


def test_a_check_that_asks_no_registry_loads_no_http_client() -> None:
    code = "import sys, treaty.ops.check; print(sorted(sys.modules.keys() & {'httpx', 'rich', 'confluent_kafka'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
