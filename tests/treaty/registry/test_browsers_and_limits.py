"""Pages of other origins, clients that send slowly or all at once, and starts that would be open to everybody."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.parts.waiting import wait_until
from tests.treaty.registry.asking import asked, asking
from tests.treaty.registry.people import administration, bearer
from treaty.registry.access.bucket import Buckets, Rate
from treaty.registry.errors import StartRefused
from treaty.registry.process.server import serve
from treaty.registry.settings import Limits, RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

OURS, THEIRS = "https://console.example", "https://evil.example"
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def test_browsers_get_no_permission_unless_an_origin_is_named() -> None:
    with registry() as url:
        answer = asked("GET", f"{url}/subjects", headers={"Origin": OURS})
        allowed = asked("OPTIONS", f"{url}/subjects", headers={"Origin": OURS, **ASKED})
    assert answer.status_code == 200
    assert not [name for name in [*answer.headers, *allowed.headers] if name.startswith("access-control")]


def test_pages_of_a_named_origin_may_ask_and_others_may_not() -> None:
    store = MemoryStore()
    headers = bearer(store, "ann", ("reader", "*"))
    with registry(store, settings=RegistrySettings(cors_origins=(OURS,))) as url:
        allowed = asked("OPTIONS", f"{url}/subjects", headers={"Origin": OURS, **ASKED})
        ours = asked("GET", f"{url}/subjects", headers={"Origin": OURS, **headers})
        strange = asked("OPTIONS", f"{url}/subjects", headers={"Origin": THEIRS, **ASKED})
        theirs = asked("GET", f"{url}/subjects", headers={"Origin": THEIRS, **headers})
        nobody = asked("GET", f"{url}/subjects", headers={"Origin": OURS})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, OURS)
    assert ours.headers["access-control-allow-origin"] == OURS
    assert "access-control-allow-credentials" not in ours.headers
    assert strange.status_code == 400
    assert "access-control-allow-origin" not in theirs.headers
    assert (nobody.status_code, nobody.headers["access-control-allow-origin"]) == (401, OURS)


@pytest.mark.parametrize("origin", ["*", "console.example", "https://a/b", "null", "https://*.example", ""])
def test_what_is_no_exact_origin_stops_the_start(origin: str) -> None:
    with pytest.raises(StartRefused, match="is no origin"):
        RegistrySettings(cors_origins=(origin,)).require_sense()


def test_a_body_that_comes_too_slowly_is_given_up() -> None:
    with registry(settings=RegistrySettings(limits=Limits(body_seconds=0.2))) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as slow:
            slow.sendall(b"POST /subjects/s/versions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            answer = b""
            while b"}" not in answer:
                answer += slow.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"error_code":408' in answer


def test_more_requests_at_once_than_the_limit_are_put_off() -> None:
    limits = Limits(open_requests=2)
    with registry(settings=RegistrySettings(limits=limits)) as url, ExitStack() as opened:
        host, port = url.removeprefix("http://").split(":")
        for _ in range(2):
            waiting = opened.enter_context(socket.create_connection((host, int(port))))
            waiting.sendall(b"POST /subjects/s/versions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")

        def put_off() -> httpx.Response | None:
            answer = asked("GET", f"{url}/subjects")
            return answer if answer.status_code == 503 else None

        answer = wait_until(put_off)
        assert answer is not None
        assert answer.headers["Retry-After"] == "1"
        assert [asked("GET", url + path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200, 200, 200]
        opened.close()
        wait_until(lambda: asked("GET", f"{url}/subjects").status_code == 200)


def test_a_bucket_gives_what_its_rate_says() -> None:
    buckets = Buckets(Rate.parse("2/minute"))
    assert [buckets.take("a", at=0.0) for _ in range(3)] == [True, True, False]
    assert buckets.take("b", at=0.0)
    assert [buckets.take("a", at=at) for at in (29.0, 30.0, 30.1)] == [False, True, False]
    assert [buckets.take("a", at=10_000.0) for _ in range(3)] == [True, True, False]


def test_a_rate_is_shared_out_among_processes() -> None:
    assert Rate.parse("100/second").among(4) == Rate(25, 1)
    assert Buckets(Rate.parse("1/hour").among(4)).take("a", at=0.0)


@pytest.mark.parametrize("text", ["0/second", "100", "100/day", "-1/second", "1.5/second", " 1/second"])
def test_what_is_no_rate_stops_the_start(text: str) -> None:
    with pytest.raises(StartRefused, match="is no rate"):
        RegistrySettings(rate_limit=text).require_sense()


def test_beyond_loopback_a_start_needs_credentials_and_does_not_listen_before(tmp_path: Path) -> None:
    said: list[str] = []
    database = f"sqlite:///{tmp_path}/r.db"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = RegistrySettings(host="0.0.0.0", port=port, database=database)  # noqa: S104  # that it is refused
        assert serve(told, say=said.append) == 2
        assert "treaty registry users add" in said.pop()
        store = open_store(database, migrate=False)
        administration(store).add_grant("ann", "admin", "*")
        assert serve(told, say=said.append) == 2, "a grant is no credential"
        administration(store).add_token("ann", lifetime=None)
        store.close()
        assert serve(told, say=said.append) == 3, "with a token it gets as far as the port, which is taken"


def test_guesses_of_passwords_do_not_keep_others_waiting() -> None:
    store = MemoryStore()
    administration(store).put_user("ann", "correct horse battery")
    headers = bearer(store, "ci", ("reader", "*"))
    with registry(store) as url:
        assert asked("GET", f"{url}/subjects", headers=headers).status_code == 200
        codes: list[int] = []

        def guess(number: int) -> None:
            codes.append(asked("GET", f"{url}/subjects", auth=("ann", f"guess {number}")).status_code)

        threads = [threading.Thread(target=guess, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        assert asked("GET", f"{url}/subjects", headers=headers).status_code == 200
        for thread in threads:
            thread.join()
    assert set(codes) <= {401, 429}
    assert 401 in codes


def test_what_a_proxy_leaves_before_a_path_is_taken_off() -> None:
    store = MemoryStore()
    headers = bearer(store, "ann", ("admin", "*"))
    with registry(store, settings=RegistrySettings(root_path="/registry")) as url:
        with asking(f"{url}/registry", headers=headers) as client:
            assert client.post("/subjects/registry%2Fa/versions", json={"schema": '"int"'}).status_code == 200
            assert client.get("/contexts/away/subjects").json() == []
            assert client.get("/").status_code == 200
        assert asked("GET", f"{url}/subjects", headers=headers).json() == ["registry/a"]
        assert asked("GET", f"{url}/registry/subjects").status_code == 401
        assert asked("GET", f"{url}/registrysubjects", headers=headers).status_code == 404


@pytest.mark.parametrize("path", ["registry", "/", "/a/", "/a//b", "/a?b", "/%2e"])
def test_what_is_no_path_to_stand_before_others_stops_the_start(path: str) -> None:
    with pytest.raises(StartRefused, match="is no path"):
        RegistrySettings(root_path=path).require_sense()


def test_limits_can_be_set_and_not_to_nothing() -> None:
    told = RegistrySettings.told({"max_body_bytes": 50, "max_schema_bytes": 20})
    with registry(settings=told) as url:
        large = asked("POST", f"{url}/subjects/s/versions", json={"schema": " " * 60})
        schema = asked("POST", f"{url}/subjects/s/versions", json={"schema": '{"type":"array","items":"int"}'[:29]})
    assert (large.status_code, schema.json()["error_code"]) == (413, 42209)
    with pytest.raises(StartRefused, match="A limit of nothing"):
        RegistrySettings.told({"max_open_requests": 0}).require_sense()
