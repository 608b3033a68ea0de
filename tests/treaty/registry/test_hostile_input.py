"""Whatever is sent, the answer is a named error, and the next request is answered."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.treaty.registry.asking import asking
from treaty.registry.http.app import create_app
from treaty.registry.observation import Answered, Record
from treaty.registry.settings import Limits, RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.testing import registry
from treaty.registry.wire.incoming import read_headers
from treaty.registry.wire.negotiation import answer_type, takes_gzip

PATH = "/subjects/s/versions"
MIB = 1_048_576


@pytest.fixture(scope="module")
def hostile() -> Iterator[httpx.Client]:
    """A client of a registry that the tests of this module share; none of them gets anything registered."""
    with registry() as url, asking(url) as client:
        yield client
        assert client.get("/subjects").json() == []


def refused(client: httpx.Client, content: bytes, **headers: str) -> tuple[int, int, str]:
    """Status, code and message of the answer to a body."""
    sent = {"Content-Type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
    response = client.post(PATH, content=content, headers=sent)
    body = response.json()
    return response.status_code, body["error_code"], body["message"]


def of_schema(text: str) -> bytes:
    return json.dumps({"schema": text}).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"schema": ', "Malformed JSON: line 1 column 12"),
        (b'{\n  "schema": "a",\n}', "Malformed JSON: line 3 column 1"),
        (b'{"schema": NaN}', "Malformed JSON: line 1 column 12"),
        (b'{"schema": -Infinity}', "Malformed JSON: line 1 column 12"),
        (b'{"schema": "\xff"}', "Malformed JSON: line 1 column 13"),
        (b"\xef\xbb\xbf{}", "Malformed JSON: line 1 column 1"),
        (b"\x00", "Malformed JSON: line 1 column 1"),
    ],
)
def test_malformed_json_is_refused_with_its_place(hostile: httpx.Client, content: bytes, message: str) -> None:
    assert refused(hostile, content) == (400, 400, message)


def test_a_body_over_one_mebibyte_is_refused(hostile: httpx.Client) -> None:
    assert refused(hostile, b" " * (MIB + 1)) == (413, 413, "Request body is larger than 1048576 bytes.")
    assert refused(hostile, b" " * MIB)[0] == 422


def test_twenty_mebibytes_are_refused_too(hostile: httpx.Client) -> None:
    with contextlib.suppress(httpx.WriteError, httpx.ReadError):  # the registry may also hang up on who keeps sending
        assert refused(hostile, b" " * (20 * MIB))[0] == 413
    assert hostile.get("/").status_code == 200


def test_a_gzip_bomb_is_cut_off_at_the_limit(hostile: httpx.Client) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        for _ in range(200):
            file.write(b" " * MIB)
    bomb = packed.getvalue()
    assert len(bomb) < MIB
    assert refused(hostile, bomb, Content_Encoding="gzip")[:2] == (413, 413)


def test_headers_over_64_kibibytes_are_refused_unread(hostile: httpx.Client) -> None:
    answer = hostile.get("/healthz", headers={"Accept": "," * 65_536})
    assert (answer.status_code, answer.json()["error_code"]) == (431, 431)
    assert "65536 bytes" in answer.json()["message"]
    assert hostile.get("/healthz", headers={"Accept": "a/b" + ",a/b" * 15_000}).status_code == 406
    assert hostile.get("/healthz").status_code == 200


def test_a_long_address_is_refused_unread(hostile: httpx.Client) -> None:
    """Its query of 60 kB was taken apart on the loop, before anybody had said who they are, for as long as a hundred requests."""
    for path in ("/healthz?" + "a&" * 5_000, "/subjects/" + "%2F" * 3_000):
        answer = hostile.get(path)
        assert (answer.status_code, answer.json()["error_code"]) == (414, 414)
    assert hostile.get("/healthz?" + "a&" * 4_000).status_code == 200


def test_lines_of_one_header_count_together() -> None:
    lines = [(b"accept", b"a/b"), (b"host", b"x"), (b"accept", b"application/json")]
    headers = read_headers(lines)
    assert headers == {b"accept": b"a/b,application/json", b"host": b"x"}
    assert answer_type(headers[b"accept"].decode()) == "application/json"


@pytest.mark.parametrize(
    ("sent", "taken"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.000, br", False), ("", False)],
)
def test_gzip_of_weight_nothing_is_not_wanted(sent: str, taken: bool) -> None:
    assert takes_gzip(sent) is taken


def test_broken_gzip_is_named(hostile: httpx.Client) -> None:
    body = gzip.compress(of_schema('"int"'))
    assert refused(hostile, b"not gzip", Content_Encoding="gzip")[1] == 42201
    assert "ends early" in refused(hostile, body[:-9], Content_Encoding="gzip")[2]
    assert "follows" in refused(hostile, body + b"x", Content_Encoding="gzip")[2]


def test_a_gzip_body_is_read(hostile: httpx.Client) -> None:
    status, code, message = refused(hostile, gzip.compress(of_schema('"strin"')), Content_Encoding="gzip")
    assert (status, code) == (422, 42201)
    assert "strin" in message


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"schema":['])
def test_a_body_nested_fifty_thousand_deep_is_refused(hostile: httpx.Client, opening: str) -> None:
    status, code, message = refused(hostile, opening.encode() * 50_000)
    assert (status, code) == (422, 42201)
    assert "nested deeper than 400" in message


@pytest.mark.parametrize("opening", ["[", '{"type":', '{"type":"array","items":'])
def test_a_schema_nested_too_deep_is_refused_with_the_limit(hostile: httpx.Client, opening: str) -> None:
    depth = min(50_000, 500_000 // len(opening))
    status, code, message = refused(hostile, of_schema(opening * depth))
    assert (status, code) == (422, 42201)
    assert "400" in message or "100" in message


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"record","name":"T","fields":[],"x":NaN}',
        '{"type":"record","name":"T","name":"U","fields":[]}',
        '\ufeff"int"',
        '{"type":"record","name":"T","doc":"\\ud800","fields":[]}',
        '{"type":"record","name":"T","fields":[],"x":1e999}',
        '{"type":"fixed","name":"T","size":' + "9" * 5000 + "}",
        "// comment\n1",
    ],
)
def test_a_schema_that_is_no_strict_json_is_refused_with_its_place(hostile: httpx.Client, text: str) -> None:
    status, code, message = refused(hostile, of_schema(text))
    assert (status, code) == (422, 42201)
    assert message.startswith("Invalid schema of type AVRO, details: <schema>:1:")


def test_a_schema_over_half_a_mebibyte_is_too_large(hostile: httpx.Client) -> None:
    text = '{"type":"record","name":"T","fields":[],"doc":"' + "x" * 524_288 + '"}'
    assert refused(hostile, of_schema(text)) == (422, 42209, "Register operation failed because schema is too large")


def test_too_much_metadata_is_too_large(hostile: httpx.Client) -> None:
    body = {"schema": '"int"', "metadata": {"properties": {"a": "x" * 65_536}}}
    assert refused(hostile, json.dumps(body).encode())[1] == 42209


def test_half_a_surrogate_pair_is_refused(hostile: httpx.Client) -> None:
    body = b'{"schema": "\\"int\\"", "metadata": {"properties": {"a": "\\ud83d"}}}'
    assert refused(hostile, body) == (422, 42201, "Invalid request body: a string holds half of a surrogate pair")


@pytest.mark.parametrize(
    "rule",
    ['"params": {"a": 1e999}', '"params": {"a": 9}', '"tags": [1]', f'"params": {{"a": {"9" * 4300}}}'],
    ids=["infinity", "number", "tag", "many digits"],
)
def test_a_rule_holds_texts_only(hostile: httpx.Client, rule: str) -> None:
    body = f'{{"schema": "\\"int\\"", "ruleSet": {{"domainRules": [{{"name": "n", "type": "T", {rule}}}]}}}}'
    status, code, message = refused(hostile, body.encode())
    assert (status, code) == (422, 42201)
    assert message.endswith("have to be strings")


def test_a_rule_set_is_enabled_at_a_number_of_64_bits(hostile: httpx.Client) -> None:
    body = f'{{"schema": "\\"int\\"", "ruleSet": {{"enableAt": {2**63}}}}}'
    assert refused(hostile, body.encode())[1:] == (
        42201,
        "Invalid request body: enableAt has to be between -1 and 2^63-1",
    )


@pytest.mark.parametrize("path", [PATH, f"{PATH}?normalize=true", "/compatibility/subjects/s/versions"])
def test_types_that_nest_deeper_than_their_text_are_refused(hostile: httpx.Client, path: str) -> None:
    """Each type uses the next one before it is defined: written out, they stand in each other."""
    used = [{"type": "record", "name": f"R{n}", "fields": [{"name": "n", "type": f"R{n + 1}"}]} for n in range(150)]
    text = json.dumps([*used, {"type": "fixed", "name": "R150", "size": 1}])
    response = hostile.post(path, content=of_schema(text), headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error_code"]) == (422, 42201)
    assert "100 levels deep" in response.json()["message"]


def test_a_number_of_five_thousand_digits_is_refused(hostile: httpx.Client) -> None:
    assert refused(hostile, b'{"schema": "\\"int\\"", "id": ' + b"9" * 5000 + b"}")[1] == 42201
    assert refused(hostile, b'{"schema": "\\"int\\"", "id": 2147483648}')[1] == 42201


def test_too_many_references_are_refused(hostile: httpx.Client) -> None:
    references = [{"name": f"T{index}", "subject": "t", "version": 1} for index in range(101)]
    body = json.dumps({"schema": '"int"', "references": references}).encode()
    assert "the limit is 100" in refused(hostile, body)[2]


@pytest.mark.parametrize("path", ["/subjects/%ff%fe/versions", "/subjects/%zz/versions", "/subjects/a%00b/versions"])
def test_odd_paths_are_answered(hostile: httpx.Client, path: str) -> None:
    host, port = hostile.base_url.host, hostile.base_url.port
    with socket.create_connection((host, port or 80)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404")
    assert b'"error_code":40401' in answer


def test_a_connection_stays_usable_after_an_error(hostile: httpx.Client) -> None:
    for _ in range(3):
        assert refused(hostile, b"{")[0] == 400
        assert hostile.get("/subjects").status_code == 200


def test_a_client_that_goes_away_within_its_body_is_no_failure_of_ours() -> None:
    """Else each one would write a stack trace, and a thousand of them fill the log."""
    told: list[Record] = []

    async def gone() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def unread(_message: object) -> None:
        """Nobody listens."""

    scope = {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"", "headers": [],
        "http_version": "1.1", "scheme": "http", "server": ("x", 80), "client": ("y", 1), "root_path": "",
    }  # fmt: skip
    app = create_app(MemoryStore(), settings=RegistrySettings(), observe=told.append)

    async def ask() -> None:
        await app(scope, gone, unread)

    asyncio.run(ask())
    assert [type(record) for record in told] == [Answered]


def test_every_answer_has_an_id_and_is_not_cached(hostile: httpx.Client) -> None:
    response = hostile.get("/nope", headers={"X-Request-Id": "abc-1"})
    assert response.headers["x-request-id"] == "abc-1"
    assert response.headers["cache-control"] == "no-cache, no-store, must-revalidate"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert len(hostile.get("/", headers={"X-Request-Id": "a b"}).headers["x-request-id"]) == 32


def test_settings_limit_the_body(hostile: httpx.Client) -> None:
    assert RegistrySettings().limits.body_bytes == MIB


def test_a_chain_of_references_is_as_deep_for_a_registry_that_has_just_read_it() -> None:
    """What is remembered must not let a chain in that nobody could read after a restart."""
    with registry() as url, asking(url) as client:

        def status(level: int) -> int:
            below = f"L{level - 1}"
            fields = [{"name": "f", "type": below}] if level else []
            schema = json.dumps({"type": "record", "name": f"L{level}", "fields": fields})
            references = [{"name": below, "subject": below, "version": 1}] if level else []
            body = {"schema": schema, "references": references}
            return client.post(f"/subjects/L{level}/versions", json=body).status_code

        assert [status(level) for level in range(22)] == [200] * 21 + [422]


def record_of(name: str, size: int, *references: str) -> dict[str, object]:
    """A body with a record of what it refers to, whose doc is so long."""
    fields = [{"name": f"f{number}", "type": each} for number, each in enumerate(references)]
    schema = {"type": "record", "name": name, "fields": fields, "doc": "x" * size}
    return {"schema": json.dumps(schema), "references": [{"name": r, "subject": r, "version": 1} for r in references]}


def test_references_are_bounded_with_all_that_they_refer_to_and_shared_ones_count_once() -> None:
    """Only what was referred to at first hand was counted: twenty steps of a hundred each were parsed for one request."""
    limits = Limits(reference_bytes=100_000)
    with registry(settings=RegistrySettings(limits=limits)) as url, asking(url) as client:

        def answer(name: str, size: int, *references: str) -> httpx.Response:
            return client.post(f"/subjects/{name}/versions", json=record_of(name, size, *references))

        for name, size, references in (
            ("A", 60_000, ()),
            ("B", 1, ("A",)),
            ("C", 1, ("A",)),
            ("D", 1, ("B", "C")),
            ("E", 60_000, ()),
            ("F", 1, ("E",)),
        ):
            assert answer(name, size, *references).status_code == 200, name
        refused = answer("G", 1, "D", "F")
        assert (refused.status_code, refused.json()["error_code"]) == (422, 42201)
        assert "references have more text than 100000 bytes" in refused.json()["message"]
