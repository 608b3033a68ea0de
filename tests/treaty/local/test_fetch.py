"""Jars come from whoever has them, whole and checked; here from a small repository of our own."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from treaty.local.download import default, download, mirrors, repositories
from treaty.local.errors import NoJars
from treaty.local.fetch import Fetch, fetch, is_complete, silent
from treaty.local.jars import DATA, Jar, Jars, locked_jars
from treaty.local.machine import Machine

CONTENT = {"one": b"first jar" * 1000, "two": b"second jar" * 2000}


def jar(name: str, content: bytes) -> Jar:
    digest = hashlib.sha256(content).hexdigest()
    return Jar(group="org.example", artifact=name, version="1", size=len(content), sha256=digest)


JARS = Jars(kafka="0", jars=tuple(jar(name, content) for name, content in CONTENT.items()))


class Repository(ThreadingHTTPServer):
    """Serves ``files`` by path, with ranges; remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {f"/{one.place}": CONTENT[one.artifact] for one in JARS.jars}
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.asked.append((self.path, wanted))
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        self.wfile.write(content[begin:])

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def repository() -> Iterator[Repository]:
    server = Repository()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bare(tmp_path: Path, repository: Repository) -> Machine:
    """A machine without Maven and without a local repository, that is told of ours."""
    return Machine(env={"HOME": str(tmp_path), "PATH": "", "TREATY_MAVEN_REPO": repository.url})


def run(machine: Machine, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    Fetch(machine, folder, JARS, silent).run()


def test_jars_come_by_http_and_are_what_the_lock_says(bare: Machine, tmp_path: Path) -> None:
    run(bare, tmp_path / "jars")
    assert all(one.matches(tmp_path / "jars" / one.name) for one in JARS.jars)


def test_a_broken_download_is_continued_where_it_ended(bare: Machine, tmp_path: Path, repository: Repository) -> None:
    folder = tmp_path / "jars"
    folder.mkdir()
    (folder / "one-1.jar.part").write_bytes(CONTENT["one"][:500])
    run(bare, folder)
    assert ("/org/example/one/1/one-1.jar", "bytes=500-") in repository.asked
    assert (folder / "one-1.jar").read_bytes() == CONTENT["one"]


def test_other_bytes_than_the_locks_are_refused(bare: Machine, tmp_path: Path, repository: Repository) -> None:
    repository.files["/org/example/two/1/two-1.jar"] = b"evil".ljust(len(CONTENT["two"]))
    with pytest.raises(NoJars, match="gave other bytes than the lock names") as caught:
        run(bare, tmp_path / "jars")
    assert "1 of 2 jars" in str(caught.value)
    assert not (tmp_path / "jars" / "two-1.jar").exists()
    assert "TREATY_MAVEN_REPO" in (caught.value.next_step or "")


def test_a_repository_without_the_jar_is_asked_once(bare: Machine, tmp_path: Path, repository: Repository) -> None:
    del repository.files["/org/example/two/1/two-1.jar"]
    with pytest.raises(NoJars, match="404"):
        run(bare, tmp_path / "jars")
    assert [path for path, _ in repository.asked].count("/org/example/two/1/two-1.jar") == 1


def test_the_second_address_serves_what_the_first_lacks(tmp_path: Path, repository: Repository) -> None:
    bases = ["http://127.0.0.1:9", repository.url]
    assert download(JARS.jars, into=tmp_path, bases=bases, progress=lambda _done: None) == []


def test_jars_of_the_local_maven_repository_need_no_network(tmp_path: Path, repository: Repository) -> None:
    machine = Machine(env={"HOME": str(tmp_path), "PATH": "", "TREATY_MAVEN_REPO": "http://127.0.0.1:9"})
    for one in JARS.jars:
        place = tmp_path / ".m2" / "repository" / one.place
        place.parent.mkdir(parents=True)
        place.write_bytes(CONTENT[one.artifact])
    run(machine, tmp_path / "jars")
    assert repository.asked == []


def test_a_damaged_jar_in_the_cache_is_fetched_again(bare: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    run(bare, folder)
    (folder / "one-1.jar").write_bytes(b"damaged")
    (folder / ".ok").touch()
    assert not is_complete(folder, JARS)
    run(bare, folder)
    assert (folder / "one-1.jar").read_bytes() == CONTENT["one"]


def test_an_interrupted_download_does_not_go_on(tmp_path: Path, repository: Repository) -> None:
    def interrupted(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(JARS.jars, into=tmp_path, bases=[repository.url], progress=interrupted)
    assert not list(tmp_path.glob("*.jar"))


def test_progress_ends_at_all_bytes(bare: Machine, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    (tmp_path / "jars").mkdir()
    Fetch(bare, tmp_path / "jars", JARS, lambda done, everything: seen.append((done, everything))).run()
    assert seen[0] == (0, JARS.size)
    assert seen[-1] == (JARS.size, JARS.size)


def test_mirrors_of_the_users_maven_settings_are_asked(tmp_path: Path) -> None:
    (tmp_path / "settings.xml").write_text(
        '<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><mirrors>'
        "<mirror><id>a</id><mirrorOf>*</mirrorOf><url>https://mirror.example/maven/</url></mirror>"
        "<mirror><id>b</id><mirrorOf>other</mirrorOf><url>https://other.example</url></mirror>"
        "<mirror><id>c</id><mirrorOf>*,!central</mirrorOf><url>https://not.example</url></mirror></mirrors></settings>"
    )
    assert mirrors(tmp_path / "settings.xml") == ["https://mirror.example/maven/"]
    assert repositories(Machine(env={"TREATY_M2": str(tmp_path)})) == ["https://mirror.example/maven"]


def test_the_default_repository_is_known_and_no_host_is_in_our_code() -> None:
    assert default()[0].startswith("https://")
    host = default()[0].split("/")[2]
    sources = [*DATA.parent.glob("*.py"), *(path for path in DATA.iterdir() if path.is_file())]
    assert not [path for path in sources if host in path.read_text()]


def test_the_pom_and_the_lock_name_the_same_jars() -> None:
    pom = (DATA / "pom.xml").read_text()
    assert pom.count("<artifactId>") - pom.count("<artifactId>*</artifactId>") - 1 == len(locked_jars().jars)
    assert all(f"<artifactId>{one.artifact}</artifactId>" in pom for one in locked_jars().jars)


@pytest.mark.kafka
def test_a_warm_cache_asks_nobody(machine: Machine, tmp_path: Path) -> None:
    warm = fetch(machine)
    shutil.copytree(warm, tmp_path / "kafka" / locked_jars().kafka)
    offline = Machine(env={"PATH": os.defpath, "HOME": str(tmp_path), "TREATY_CACHE": str(tmp_path)})
    assert is_complete(fetch(offline), locked_jars())
