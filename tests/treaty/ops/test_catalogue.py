"""The catalogue as a site: complete, true in its links, the same each time, and deaf to what schemas try."""

from __future__ import annotations

import ast
import http.client
import json
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, expect

from tests.cases.markdown import ROOT
from tests.e2e.browser import visit
from treaty.cli import treaty
from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.baseline import RELEASES, SET, set_document
from treaty.ops.catalogue import build
from treaty.ops.catalogue.html import code, el
from treaty.ops.catalogue.links import dead_links
from treaty.ops.catalogue.serving import HOST, SiteServer
from treaty.ops.rules import NAMES
from treaty.ops.schemas import load_project
from treaty_codegen.old_set import old_set

pytestmark = pytest.mark.long

Site = Mapping[PurePosixPath, bytes]
OURS = ROOT / "platform/tool/src/treaty/ops/catalogue"
BAD = "</script><script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"> ' \u202e & \x1b[31m"
EVENT = {
    "type": "record",
    "namespace": "mall.order",
    "name": "OrderPaid",
    "doc": BAD,
    "treaty": {"deprecated": {"since": BAD, "use": BAD}},
    "fields": [
        {"name": "order_id", "type": "long", "doc": BAD, "treaty": {"unit": BAD, "pii": BAD}},
        {"name": "note", "type": "string", "default": BAD},
        {"name": "way", "type": ["null", "mall.Card", "mall.Cash"], "default": None},
    ],
}
TOPICS = f"""format = 1
[topic."order-events"]
doc = {json.dumps(BAD)}
owner = {json.dumps(BAD)}
key = "order_id"
events = ["mall.order.OrderPaid"]
producers = ["order"]
[topic."order-events".consumer.billing]
external = {json.dumps(BAD)}
reads = ["OrderPaid.order_id"]
"""


@pytest.fixture(scope="module")
def mall() -> Site:
    return build(Settings.load(ROOT / "treaty.toml", {}, start=ROOT))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A project of texts that try to be markup, with one release before it."""
    schemas = tmp_path / "schemas"
    (schemas / "order").mkdir(parents=True)
    for name in ("Card", "Cash"):
        shared: dict[str, object] = {"type": "record", "namespace": "mall", "name": name, "doc": BAD, "fields": []}
        (schemas / f"{name.lower()}.avsc").write_text(json.dumps(shared), encoding="utf-8")
    file = schemas / "order/order_paid.avsc"
    file.write_text(json.dumps(EVENT | {"fields": EVENT["fields"][:1]}), encoding="utf-8")  # type: ignore[index]  # a list
    (schemas / "topics.toml").write_text(TOPICS, encoding="utf-8")
    (tmp_path / "treaty.toml").write_text('[project]\nnamespace = "mall"\n', encoding="utf-8")
    before = old_set(load_project(settings_of(tmp_path)), label="1.0.0")
    (schemas / RELEASES / "1.0.0").mkdir(parents=True)
    document = set_document(before, dict.fromkeys(before.events, "1.0.0"), version="1.0.0")
    (schemas / RELEASES / "1.0.0" / SET).write_text(json.dumps(document), encoding="utf-8")
    file.write_text(json.dumps(EVENT), encoding="utf-8")
    return tmp_path


def settings_of(project: Path) -> Settings:
    return Settings.load(project / "treaty.toml", {}, start=project)


def test_every_event_type_topic_service_and_rule_has_a_page_in_both_languages(mall: Site) -> None:
    catalog = load_project(Settings.load(ROOT / "treaty.toml", {}, start=ROOT))
    events = {event for topic in catalog.topics.values() for event in topic.events}
    wanted = {
        *(f"events/{name}.html" for name in events),
        *(f"types/{name}.html" for name in catalog.by_name if name not in events),
        *(f"topics/{name}.html" for name in catalog.topics),
        *(f"services/{name}.html" for name in catalog.services),
        *(f"rules/{name}.html" for names in NAMES.values() for name in names),
    }
    there = {str(path) for path in mall}
    assert wanted <= there
    assert {f"zh/{path}" for path in wanted} <= there


def test_no_link_leads_nowhere_and_none_leads_away(mall: Site) -> None:
    assert [*dead_links(mall)] == []


def test_a_dead_link_a_missing_place_and_a_link_to_elsewhere_are_named() -> None:
    site = {
        PurePosixPath("a/b.html"): b'<a href="../c.html#there"></a><a href="../c.html#not"></a><a href="d.html"></a>',
        PurePosixPath("c.html"): b'<p id="there"><a href="https://example.org/"></a><script src="x.js"></script>',
    }
    assert [*dead_links(site)] == [
        "a/b.html leads to ../c.html#not, which is not there",
        "a/b.html leads to d.html, which is not there",
        "c.html leads to https://example.org/, which is not there",
        "c.html leads to x.js, which is not there",
    ]


def test_the_same_project_gives_the_same_bytes(mall: Site) -> None:
    again = build(Settings.load(ROOT / "treaty.toml", {}, start=ROOT))
    assert again == mall


def test_an_event_says_who_writes_and_reads_and_what_it_was(mall: Site) -> None:
    page = mall[PurePosixPath("events/mall.order.OrderPaid.html")].decode()
    for text in (
        'href="../topics/order-events.html"',
        'href="../services/order.html"',
        "notification-service",
    ):
        assert text in page
    assert "services/src/mall/" in page, "the lines of code that read a field"
    assert "from mall_events.order import OrderPaid" in page
    assert "<h2>版本</h2>" in mall[PurePosixPath("zh/events/mall.order.OrderPaid.html")].decode()


def test_text_is_escaped_wherever_it_stands() -> None:
    assert el("p", "<b>", code("&"), title='"<').text == '<p title="&quot;&lt;">&lt;b&gt;<code>&amp;</code></p>'
    assert el("p", "a\u202eb\x1b\u3000").text == "<p>a\\u202eb\\x1b\u3000</p>"


def test_every_sentence_of_the_site_has_its_chinese_and_none_is_left_over() -> None:
    known = tomllib.loads((OURS / "zh.toml").read_text(encoding="utf-8"))
    texts: set[str] = {
        node.value
        for file in OURS.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(known) - texts - set(NAMES) == set(), "nobody says these any more"
    said = {
        node.args[0].value
        for file in OURS.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"words", "places.words"}
        and isinstance(node.args[0], ast.Constant)
    }
    assert said - set(known) == set()


def test_build_writes_and_writes_nothing_again_and_leaves_what_is_not_its_own(hostile: Path) -> None:
    words = ["catalog", "build", "--to", str(hostile / "site"), "--config", str(hostile / "treaty.toml")]
    first = CliRunner().invoke(treaty, words, standalone_mode=False)
    assert first.return_value == 0, first.output
    again = CliRunner().invoke(treaty, words, standalone_mode=False)
    assert again.return_value == 0
    assert ", 0 written or removed, in" in again.stderr
    (hostile / "site/events/own.html").write_text("mine", encoding="utf-8")
    (hostile / "site/README.md").write_text("beside", encoding="utf-8")
    foreign = CliRunner().invoke(treaty, words, standalone_mode=False)
    assert (foreign.return_value, foreign.stdout.split()) == (1, ["foreign", f"{hostile}/site/events/own.html"])
    assert (hostile / "site/events/own.html").read_text(encoding="utf-8") == "mine"


def test_neither_the_site_nor_the_generator_takes_the_files_of_the_other_for_stale_ones(hostile: Path) -> None:
    with (hostile / "treaty.toml").open("a", encoding="utf-8") as file:
        file.write('catalog = "docs"\n')
    there = ["--config", str(hostile / "treaty.toml")]
    CliRunner().invoke(treaty, ["generate", *there], standalone_mode=False)
    pages = {path: path.read_bytes() for path in (hostile / "docs").rglob("*") if path.is_file()}
    assert {path.name for path in pages} >= {"order-events.md", "index.md"}
    for folder in ("docs", "docs/site", "schemas", "sdk"):
        refused = CliRunner().invoke(treaty, ["catalog", "build", "--to", str(hostile / folder), *there])
        assert refused.exit_code != 0
        assert isinstance(refused.exception, UsageError), folder
    moved = (hostile / "docs").rename(hostile / "moved")
    built = CliRunner().invoke(treaty, ["catalog", "build", "--to", str(moved), *there], standalone_mode=False)
    assert (built.return_value, "foreign  " in built.stdout) == (1, True)
    assert {path: (moved / path.relative_to(hostile / "docs")).read_bytes() for path in pages} == pages
    moved.rename(hostile / "docs")
    CliRunner().invoke(treaty, ["generate", *there], standalone_mode=False)
    assert (hostile / "docs/events/mall.order.OrderPaid.html").is_file(), "the generator took a page of the site"


def test_a_folder_without_its_slash_leads_to_the_one_with_it() -> None:
    with served({PurePosixPath("zh/index.html"): b"home"}) as server:
        connection = http.client.HTTPConnection(HOST, server.server_address[1])
        connection.request("GET", "/zh")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"], answer.read()) == (308, "/zh/", b"")
        connection.request("GET", "/zh/")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"home")


@contextmanager
def served(site: Site) -> Iterator[SiteServer]:
    with SiteServer(site, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_the_server_gives_pages_of_the_site_and_nothing_else() -> None:
    with served({PurePosixPath("index.html"): b"home", PurePosixPath("a/b.html"): b"b"}) as server:

        def asked(path: str, host: str = "", method: str = "GET") -> tuple[int, bytes, str]:
            connection = http.client.HTTPConnection(HOST, server.server_address[1])
            connection.request(method, path, headers={"Host": host} if host else {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("Content-Security-Policy", "")

        assert asked("/")[:2] == (200, b"home")
        assert asked("/a/b.html?x#y")[:2] == (200, b"b")
        assert asked("/a/b.html", method="HEAD")[:2] == (200, b"")
        assert asked("/../../etc/passwd")[0] == asked("/%2e%2e/etc/passwd")[0] == asked("/a")[0] == 404
        assert asked("/", host="evil.example:80")[0] == 404, "another name for this address"
        assert asked("/", method="POST")[0] == 501
        assert asked("/")[2].startswith("default-src 'self'; base-uri 'none'")


def test_the_server_stops_at_ctrl_c_and_that_is_no_fault(hostile: Path) -> None:
    words = [sys.executable, "-m", "treaty", "catalog", "serve", "--config", str(hostile / "treaty.toml")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        place = urlsplit(command.stdout.readline().strip())
        connection = http.client.HTTPConnection(HOST, place.port)
        connection.request("GET", "/")
        assert connection.getresponse().status == 200, "it serves, so the signal cannot come too early"
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=60)
    assert (command.returncode, said) == (0, "")


@pytest.mark.browser
def test_in_the_browser_hostile_text_is_text_the_search_finds_and_pages_need_no_script(
    chromium: Browser, hostile: Path
) -> None:
    site = build(settings_of(hostile))
    assert [*dead_links(site)] == []
    with served(site) as server, visit(chromium, f"{server.url}events/mall.order.OrderPaid.html") as seen:
        page = seen.page
        expect(page).to_have_title("OrderPaid")
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 2
        assert "</script><script>document.title='ran'</script>" in page.locator("main").inner_text()
        assert page.locator('a[href="#type-mall.Card"], a[href="#type-mall.Cash"]').count() == 2
        assert page.get_by_role("cell", name="the first").count() == 1
        page.get_by_label("Search").fill("cash")
        page.locator("#found a").first.click()
        expect(page).to_have_title("Cash")
        page.get_by_role("link", name="中文").click()
        expect(page.locator("html")).to_have_attribute("lang", "zh")
        page.get_by_role("link", name="事件", exact=True).click()
        expect(page).to_have_title("mall 的事件")
        assert seen.axe() == []
        assert [fault for fault in seen.faults if not fault.startswith(server.url)] == []
        with visit(chromium, server.url, java_script_enabled=False, color_scheme="dark") as plain:
            plain.page.get_by_role("link", name="OrderPaid", exact=True).first.click()
            expect(plain.page).to_have_title("OrderPaid")
            expect(plain.page.get_by_role("search")).to_be_hidden()
        with visit(chromium, f"{server.url}events/mall.order.OrderPaid.html", color_scheme="dark") as dark:
            assert dark.axe() == []
