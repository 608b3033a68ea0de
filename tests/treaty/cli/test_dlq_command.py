"""``treaty dlq`` as an operator types it, on a real broker and a real registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from tests.treaty.cli.scratch import Scratch, project
from tests.treaty.ops.burying import Cemetery, buried, original
from treaty.ops.dead_letters.body import frame
from treaty.ops.http import RegistryHttp
from treaty_avro import compile_generic, parse
from treaty_runtime.admin import Cluster
from treaty_runtime.event import Place
from treaty_runtime.kafka.log import Log
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.headers import first_values

pytestmark = [pytest.mark.long, pytest.mark.kafka]

FIELDS = [
    {"name": "order_id", "type": "long"},
    {"name": "email", "type": "string", "treaty": {"pii": "email"}},
]
SCHEMA = {"type": "record", "namespace": "mall.order", "name": "OrderPaid", "fields": FIELDS}
NEWEST = SCHEMA | {"fields": [*FIELDS, {"name": "note", "type": "string", "default": ""}]}
SUBJECT = "order-events-mall.order.OrderPaid"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cemetery(kafka: str, unique: Callable[[str], str]) -> Iterator[Cemetery]:
    topic, group = unique("dlq.order"), unique("order-view")
    with Cluster(kafka) as cluster, Log(kafka) as log:
        for name in (topic, f"retry.{group}.0s", f"retry.{group}.10s"):
            cluster.create(name, partitions=1, replication=1, config={})
        cluster.await_topics([topic, f"retry.{group}.0s", f"retry.{group}.10s"])
        yield Cemetery(log, topic, group)


@pytest.fixture
def scratch(tmp_path: Path, kafka: str, registry: str) -> Scratch:
    return project(tmp_path, toml=f'[environment.local]\nbrokers = "{kafka}"\nregistry = "{registry}"\n')


@pytest.fixture
def run(scratch: Scratch) -> Run:
    def command(*words: object) -> tuple[int, str, str]:
        done = scratch.run("dlq", *map(str, words))
        return done.code, done.out, done.err

    return command


@pytest.fixture
def written(registry: str) -> bytes:
    """An event with an e-mail address, written with version 1; the registry knows a second version."""
    with RegistryHttp(registry) as client:
        schema_id = client.register(SUBJECT, json.dumps(SCHEMA))
        client.register(SUBJECT, json.dumps(NEWEST))
    encode, _ = compile_generic(parse(json.dumps(SCHEMA)))
    return frame(schema_id, encode({"order_id": 7, "email": "ann@example.com"}))


def test_equal_failures_are_one_line_and_letters_that_wait_are_an_exit_code(cemetery: Cemetery, run: Run) -> None:
    code, out, err = run("list", "--topic", cemetery.topic)
    assert (code, out, err) == (0, "", "0 of 0 dead letters wait.\n")
    cemetery.bury(1, 2, 3)
    cemetery.bury(4, error=KeyError("x"))
    code, out, err = run("list", "--topic", cemetery.topic)
    assert (code, err) == (1, "4 of 4 dead letters wait.\n")
    heads, first, second = out.splitlines()
    assert heads.startswith("FINGERPRINT")
    assert first.split()[1:4] == ["3", "3", "OutOfStock"]
    assert second.split()[1:4] == ["1", "1", "KeyError"]
    _, out, _ = run("list", "--topic", cemetery.topic, "--format", "json", "--fingerprint", first.split()[0])
    rows = json.loads(out)
    assert [row["place"] for row in rows] == [f"{cemetery.topic}/0/{offset}" for offset in range(3)]
    assert {row["origin"] for row in rows} == {f"order-events/0/{number}" for number in (1, 2, 3)}


def test_a_dry_run_changes_nothing_and_without_a_terminal_yes_must_be_said(cemetery: Cemetery, run: Run) -> None:
    (place,) = cemetery.bury(1)
    code, out, err = run("replay", place, "--dry-run")
    assert (code, "Nothing was changed" in err, f"retry.{cemetery.group}.0s" in out) == (0, True, True)
    code, _, err = run("replay", place)
    assert (code, "no terminal" in err) == (2, True)
    assert cemetery.sent_back() == []


def test_a_replay_keeps_order_keys_and_ids_and_sends_nothing_twice(cemetery: Cemetery, run: Run) -> None:
    cemetery.bury(3, 1, 2)
    code, _, err = run("replay", "--all", "--topic", cemetery.topic, "--yes", "--rate", 500)
    assert code == 0, err
    assert "3 of 3 sent" in err
    again = run("replay", "--all", "--topic", cemetery.topic, "--yes")
    assert "0 to replay" in again[2]
    records = cemetery.sent_back()
    assert [int(first_values(record.headers)[names.ID].decode()[-2:]) for record in records] == [3, 1, 2]
    assert {record.key for record in records} == {b"o-1"}
    code, out, _ = run("list", "--topic", cemetery.topic, "--all", "--group-by", "none", "--format", "json")
    assert (code, {row["state"] for row in json.loads(out)}) == (0, {"replaying"}), "its group has not come by yet"


def test_what_was_replayed_three_times_stays_and_says_so(cemetery: Cemetery, run: Run) -> None:
    often = buried(1, topic=cemetery.topic, group=cemetery.group)
    place = cemetery.log.append(replace(often, headers=(*often.headers, (names.REPLAY_COUNT, b"3"))))
    code, _, err = run("replay", place, "--yes")
    assert (code, "Fix the cause first" in err) == (1, True)
    assert cemetery.sent_back() == []


def test_a_canary_that_is_not_processed_keeps_the_others_back(cemetery: Cemetery, run: Run) -> None:
    cemetery.bury(1, 2, 3)
    code, _, err = run("replay", "--all", "--topic", cemetery.topic, "--canary", "--wait", 1, "--yes")
    assert code == 1
    assert "1 of 3 sent: 1 replaying." in err
    assert "Stopped: the first one is replaying after 1 s" in err
    assert len(cemetery.sent_back()) == 1


def test_a_group_without_its_retry_topic_is_told_how_to_get_it(kafka: str, cemetery: Cemetery, run: Run) -> None:
    place = cemetery.log.append(buried(1, topic=cemetery.topic, group="no-such-group"))
    code, _, err = run("replay", place, "--yes")
    assert (code, "next: treaty topics plan" in err) == (3, True)


def test_a_pointer_is_replayed_with_the_bytes_of_its_original(
    kafka: str, cemetery: Cemetery, run: Run, unique: Callable[[str], str]
) -> None:
    topic = unique("order-events")
    with Cluster(kafka) as cluster:
        cluster.create(topic, partitions=1, replication=1, config={})
        cluster.await_topics([topic])
    first = original(0, value=b"\0\0\0\0\1large", topic=topic)
    cemetery.log.append(Outgoing(topic=topic, key=first.key, value=first.value, headers=first.headers, partition=0))
    there, gone = (
        cemetery.log.append(buried(number, topic=cemetery.topic, group=cemetery.group, source=source, limit=0))
        for number, source in enumerate([first, original(9, value=b"", topic=topic)])
    )
    assert run("replay", there, "--yes")[0] == 0
    (sent,) = cemetery.sent_back()
    assert (sent.value, first_values(sent.headers)["own"]) == (first.value, b"kept")
    code, _, err = run("replay", gone, "--yes")
    assert (code, f"{gone} is left: the bytes are gone: there is no record at {topic}/0/9" in err) == (1, True), err


def test_pointers_whose_topic_is_gone_are_left_told_and_shown(
    cemetery: Cemetery, run: Run, unique: Callable[[str], str]
) -> None:
    topic = unique("deleted-topic")
    source = original(4, value=b"", topic=topic)
    gone = cemetery.log.append(buried(0, topic=cemetery.topic, group=cemetery.group, source=source, limit=0))
    cemetery.bury(1, 2)
    words = ("replay", "--all", "--topic", cemetery.topic)
    for last in ("--dry-run", "--yes"):
        code, _, err = run(*words, last)
        told = f"{gone} is left: the bytes are gone: there is no record at {topic}/0/4\n2 to replay, 1 left.\n"
        assert (code, told in err) == (1, True), err
    assert len(cemetery.sent_back()) == 2
    assert "0 to replay, 1 left" in run(*words, "--yes")[2]
    code, out, err = run("show", gone)
    assert (code, f"the bytes are gone: there is no record at {topic}/0/4" in out) == (0, True), err
    code, _, err = run("dry-run", gone, "--service", "http://127.0.0.1:1")
    assert (code, f"{gone} cannot be tried: the bytes are gone" in err) == (2, True), err


def test_a_topic_that_was_made_anew_lends_a_pointer_no_other_event(
    kafka: str, cemetery: Cemetery, run: Run, unique: Callable[[str], str], written: bytes
) -> None:
    topic = unique("order-events")
    with Cluster(kafka) as cluster:
        cluster.create(topic, partitions=1, replication=1, config={})
        cluster.await_topics([topic])
    alice, bob = original(0, value=written, topic=topic), original(7, value=written, topic=topic)
    cemetery.log.append(Outgoing(topic=topic, key=bob.key, value=bob.value, headers=bob.headers, partition=0))
    place = cemetery.log.append(buried(0, topic=cemetery.topic, group=cemetery.group, source=alice, limit=0))
    code, _, err = run("replay", place, "--yes")
    assert (code, f"{place} is left: the bytes are gone: another event lies at {topic}/0/0" in err) == (1, True), err
    assert cemetery.sent_back() == []
    code, out, _ = run("show", place, "--reveal")
    assert (code, "another event lies at" in out, "ann@example.com" in out) == (0, True, False)


@pytest.mark.parametrize("words", [("show",), ("edit", "--set", "a=1", "--reason", "r", "--dry-run")], ids=str)
def test_a_place_that_is_not_there_is_a_usage_error(cemetery: Cemetery, run: Run, words: tuple[str, ...]) -> None:
    for place in (f"{cemetery.topic}/7/0", f"{cemetery.topic}/99999999999/0", "dlq.nope/0/0"):
        code, _, err = run(words[0], place, *words[1:])
        assert (code, f"There is no record at {place}" in err) == (2, True), err


def test_headers_of_strangers_are_shown_as_text_and_of_any_length(cemetery: Cemetery, run: Run) -> None:
    sent = buried(1, topic=cemetery.topic, group=cemetery.group)
    strange = (("created-timestamp", b"noon"), ("x-offset", b"\x7f" * 3_000))
    place = cemetery.log.append(replace(sent, headers=(*sent.headers, *strange)))
    code, out, err = run("show", place, "--format", "json")
    assert code == 0, err
    told = {each["name"]: each["value"] for each in json.loads(out)["headers"]}
    assert (told["created-timestamp"], told["kafka_dlt-original-offset"]) == ("noon", "1")
    assert told["x-offset"].endswith("(3000 bytes)")


def test_discard_and_restore_are_notes_with_a_reason(cemetery: Cemetery, run: Run) -> None:
    place, other = cemetery.bury(1, 2)
    assert run("discard", place, "--yes")[0] == 2, "a reason must be given"
    assert run("discard", place, "--reason", "a test order", "--yes")[0] == 0
    code, out, err = run("list", "--topic", cemetery.topic, "--all", "--group-by", "none", "--format", "json")
    first, second = json.loads(out)
    assert (code, err) == (1, "1 of 2 dead letters wait.\n")
    assert (first["state"], first["note"]["reason"], second["state"]) == ("discarded", "a test order", "waiting")
    assert "it is discarded" in run("replay", place, "--yes")[2]
    assert run("restore", place, "--reason", "it was none", "--yes")[0] == 0
    assert run("replay", place, other, "--yes")[0] == 0
    assert "there is nothing to discard" in run("discard", place, "--reason", "x", "--yes")[2]


def test_show_masks_personal_data_and_a_look_at_it_is_noted(
    cemetery: Cemetery, run: Run, written: bytes, kafka: str
) -> None:
    (place,) = cemetery.bury(1, value=written)
    code, out, _ = run("show", place)
    assert code == 0
    assert "ann@example.com" not in out
    assert '"email": "\\u2022' in out
    assert "OutOfStock" in out
    assert json.loads(run("show", place, "--format", "json")[1])["masked"] == ["email"]
    assert "ann@example.com" in run("show", place, "--reveal")[1]
    with Log(kafka) as log:
        notes = [record.value or b"" for record in log.read(log.spans(["_treaty_operations"]))]
    assert [note for note in notes if b'"reveal"' in note and str(place).encode() in note]


def test_show_names_why_bytes_cannot_be_read(cemetery: Cemetery, run: Run) -> None:
    (place,) = cemetery.bury(1, value=b"\x1b[31mnot framed")
    code, out, _ = run("show", place)
    assert (code, "not framed" in out, "1b 5b 33" in out, "\x1b" in out) == (0, True, True, False)
    assert run("show", Place(cemetery.topic, 0, 99))[0] == 2


def test_an_edit_is_checked_laid_down_once_and_replayed_in_place_of_the_old(
    cemetery: Cemetery, run: Run, written: bytes
) -> None:
    (place,) = cemetery.bury(1, value=written)
    words = ("edit", place, "--reason", "typed wrongly", "--set", 'note="by hand"')
    code, out, _ = run(*words, "--dry-run")
    assert (code, '+  "note": "by hand"' in out, "ann@example.com" in out) == (0, True, False)
    for wrong in ("note=7", 'nothing="x"', "note", "note=x"):
        assert run("edit", place, "--reason", "r", "--set", wrong, "--yes")[0] in {1, 2}, wrong
    code, _, err = run(*words, "--yes")
    assert code == 0, err
    assert f"is replaced by {cemetery.topic}/0/1" in err
    assert run(*words, "--yes")[0] == 2, "the old one no longer waits"
    assert run("replay", "--all", "--topic", cemetery.topic, "--yes")[0] == 0
    (sent,) = cemetery.sent_back()
    first = first_values(sent.headers)
    assert first[names.REPLACES].decode().endswith("0001")
    assert first[names.ID] != first[names.REPLACES]
    assert (sent.value or b"").endswith(b"by hand")


def test_kafka_away_is_an_environment_fault(scratch: Scratch, port: int) -> None:
    scratch.write("treaty.toml", f'[project]\nnamespace = "mall"\n[environment.local]\nbrokers = "127.0.0.1:{port}"\n')
    done = scratch.run("dlq", "list")
    assert (done.code, "does not answer" in done.err) == (3, True)


class AskedService(BaseHTTPRequestHandler):
    """A service that answers every dry run alike, and remembers what it was asked."""

    asked: ClassVar[list[tuple[str | None, dict[str, object]]]] = []

    def do_POST(self) -> None:
        """Takes a dry run."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.headers["Authorization"], body))
        is_known = self.headers["Authorization"] == "Bearer admin-token"
        told = {
            "outcome": "failed",
            "error": "shop.OutOfStock: no stock",
            "rows": {"stock": 1},
            "staged": [{"type": "order.seen", "topic": "order-views"}],
            "outside": [{"name": "mail", "key": "o-1"}],
        }
        answer = json.dumps(told if is_known else {}).encode()
        self.send_response(200 if is_known else 403 if self.headers["Authorization"] else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), AskedService) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_dry_run_asks_the_service_and_says_how_a_replay_would_end(
    cemetery: Cemetery, run: Run, service: str, tmp_path: Path
) -> None:
    (place,) = cemetery.bury(7, value=b"\0\0\0\0\1x")
    (tmp_path / "token").write_text("admin-token")
    code, out, err = run("dry-run", place, "--service", service, "--token-file", tmp_path / "token")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "outcome  failed",
        "error    shop.OutOfStock: no stock",
        "rows     1 in stock",
        "staged   order.seen order-views",
        "outside  mail o-1",
    ]
    authorization, body = AskedService.asked[-1]
    assert (authorization, body["group"], body["value"]) == ("Bearer admin-token", cemetery.group, "AAAAAAF4")
    (tmp_path / "token").write_text("a-buyer-token")
    code, _, err = run("dry-run", place, "--service", service, "--token-file", tmp_path / "token")
    assert (code, "lets only admins ask" in err) == (3, True)
    code, _, err = run("dry-run", place, "--service", service)
    assert (code, "name the file that holds an admin's token: --token-file, or TREATY_SERVICE_TOKEN_FILE" in err) == (
        3,
        True,
    )
    code, _, err = run("dry-run", place, "--service", "http://127.0.0.1:1")
    assert (code, "does not answer" in err) == (3, True)
