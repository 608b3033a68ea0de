"""An export brought into another registry is the same there: ids, numbers, deletes, references, configs, modes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from tests.treaty.registry.asking import asked, asking
from treaty.cli import treaty
from treaty.ops import backup, restore
from treaty.ops.backup import BackupBroken, HiddenByAlias, referred_first
from treaty.ops.http import RegistryHttp, RegistryUnreachable
from treaty.ops.restore import TargetDiffers
from treaty.registry.stores.protocol import Store
from treaty.registry.stores.sql.store import open_store
from treaty.registry.testing import registry

LINE = {"type": "record", "name": "Line", "namespace": "shop", "fields": [{"name": "sku", "type": "string"}]}
ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [{"name": "line", "type": "Line"}]}
REFERENCE = {"name": "shop.Line", "subject": "line", "version": 1}


def fill(client: httpx.Client) -> None:
    """Everything that can be in a registry, with what is odd about it."""

    def send(method: str, path: str, body: dict[str, Any] | None = None) -> None:
        assert client.request(method, path, json=body).is_success, path

    def register(subject: str, schema: Any, **more: Any) -> None:
        send("POST", f"/subjects/{subject}/versions", {"schema": json.dumps(schema), **more})

    send("PUT", "/config", {"compatibility": "NONE", "normalize": True})
    register("gone", "int")
    register("line", LINE)
    register("order", ORDER, references=[REFERENCE])
    register("order", ORDER, references=[REFERENCE], metadata={"properties": {"owner": "shop"}})
    register("a%2Fb%25c%20d", "string", ruleSet={"domainRules": [{"name": "r", "type": "CEL"}]})
    register(":.staging:line", LINE)
    register(":.staging:order", ORDER, references=[REFERENCE])
    send("DELETE", "/subjects/gone/versions/1?permanent=false")
    send("DELETE", "/subjects/order/versions/1")
    send("PUT", "/config/order", {"compatibility": "FULL", "defaultMetadata": {"tags": {"a": ["b"]}}})
    send("PUT", "/config/purchase", {"alias": "order"})
    send("PUT", "/config/:.staging:", {"compatibility": "FORWARD"})
    send("PUT", "/mode/line", {"mode": "READONLY"})
    send("PUT", "/mode/:.staging:", {"mode": "READONLY"})


@pytest.fixture
def full() -> Iterator[str]:
    """The URL of a registry that holds one of everything."""
    with registry() as url:
        with asking(url) as client:
            fill(client)
        yield url


@pytest.fixture
def taken(full: str) -> backup.Backup:
    """What is in it."""
    with RegistryHttp(full) as source:
        return backup.take(source)


def bring(taken: backup.Backup, url: str, *, force: bool = False, dry_run: bool = False) -> restore.Report:
    with RegistryHttp(url, sleep=lambda _: None) as target:
        return restore.restore(taken, target, force=force, dry_run=dry_run, say=lambda _: None)


def test_an_import_is_what_was_exported_and_again_writes_nothing(
    taken: backup.Backup, store: Store, tmp_path: Path
) -> None:
    with registry(store) as url:
        first = bring(taken, url)
        assert (first.differences, first.written, first.deleted, first.skipped) == ([], 7, 2, 0)
        again = bring(taken, url)
        assert (again.differences, again.written, again.deleted, again.settings) == ([], 0, 0, 0)
        with RegistryHttp(url) as target:
            backup.write(backup.take(target), tmp_path / "second")
    backup.write(taken, tmp_path / "first")
    for file in ("manifest.json", "schemas.jsonl", "configs.jsonl", "modes.jsonl"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()
    assert backup.read(tmp_path / "first") == taken


def test_an_import_that_broke_off_is_begun_again(taken: backup.Backup) -> None:
    """Whatever was written before the connection broke, the next run brings the rest, and modes are never left in IMPORT."""
    chance = random.Random(5)  # the same places each run

    class Breaking(httpx.HTTPTransport):
        """Loses the connection after a number of writes."""

        left = 0

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "POST" and "/versions" in request.url.path:
                Breaking.left -= 1
                if Breaking.left < 0:
                    raise httpx.ConnectError("cut")
            return super().handle_request(request)

    with registry() as url:
        for _ in range(4):
            Breaking.left = chance.randint(0, 2)
            with RegistryHttp(url, transport=Breaking()) as target, pytest.raises(RegistryUnreachable):
                restore.restore(taken, target, force=False, dry_run=False, say=lambda _: None)
            assert asked("GET", f"{url}/mode").json() == {"mode": "READWRITE"}
        assert bring(taken, url).differences == []


def test_a_dry_run_writes_nothing(taken: backup.Backup) -> None:
    with registry() as url:
        report = bring(taken, url, dry_run=True)
        assert (report.written, report.deleted) == (7, 2)
        assert asked("GET", f"{url}/subjects?deleted=true").json() == []


def test_a_registry_that_holds_something_else_is_left_alone(taken: backup.Backup) -> None:
    with registry() as url, asking(url) as client:
        client.post("/subjects/mine/versions", json={"schema": '"bytes"'})
        with pytest.raises(TargetDiffers, match="not empty: it holds mine"):
            bring(taken, url)
        assert client.get("/subjects").json() == ["mine"]


def test_the_same_version_with_other_content_stops_the_import_before_it_begins(taken: backup.Backup) -> None:
    with registry() as url, asking(url) as client:
        client.post("/subjects/line/versions", json={"schema": '"bytes"'})
        with pytest.raises(TargetDiffers, match="line version 1"):
            bring(taken, url, force=True)
        assert client.get("/subjects").json() == ["line"]


def test_ids_go_on_after_the_highest_that_was_imported(taken: backup.Backup) -> None:
    highest = max(row["id"] for row in taken.schemas)
    with registry() as url:
        bring(taken, url)
        new = asked("POST", f"{url}/subjects/new/versions", json={"schema": '"bytes"'}).json()
        assert new["id"] == highest + 1


def test_one_context_is_exported_alone(full: str) -> None:
    with RegistryHttp(full) as source:
        only = backup.take(source, context=".staging")
    assert {row["subject"] for row in only.schemas} == {":.staging:line", ":.staging:order"}
    assert only.configs == {":.staging:": {"compatibility": "FORWARD"}}


def test_what_is_referred_to_comes_first_however_the_ids_are() -> None:
    rows = [
        {"subject": "a", "version": 1, "id": 1, "references": [{"name": "B", "subject": "b", "version": 1}]},
        {"subject": "b", "version": 1, "id": 2, "references": [{"name": "C", "subject": "c", "version": 1}]},
        {"subject": "c", "version": 1, "id": 3},
        {"subject": ":.x:a", "version": 1, "id": 1, "references": [{"name": "C", "subject": "c", "version": 1}]},
    ]
    assert [row["subject"] for row in referred_first(rows)] == [":.x:a", "c", "b", "a"]


def test_versions_behind_their_own_alias_are_named(full: str) -> None:
    asked("PUT", f"{full}/config/order", json={"alias": "line"}).raise_for_status()
    with (
        RegistryHttp(full) as source,
        pytest.raises(HiddenByAlias, match="order has versions, but its alias leads to line"),
    ):
        backup.take(source)


def test_a_changed_file_is_refused_by_name(taken: backup.Backup, tmp_path: Path) -> None:
    backup.write(taken, tmp_path)
    (tmp_path / "schemas.jsonl").write_text("{}\n")
    with pytest.raises(BackupBroken, match=r"schemas\.jsonl"):
        backup.read(tmp_path)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(BackupBroken, match="is no export"):
        backup.read(tmp_path)


def test_another_spelling_of_a_text_is_the_same_text() -> None:
    """Karapace keeps a text as it was sent; ours is Java's spelling."""
    spelled = {"subject": "s", "version": 1, "id": 1, "schema": '{"fields": [], "name": "A", "type": "record"}'}
    ours = {**spelled, "schema": '{"type":"record","name":"A","fields":[]}'}
    texts = restore.Texts(backup.Backup((spelled,), {}, {}))
    assert texts.same(spelled, ours)
    assert not texts.same(spelled, {**ours, "schema": '{"type":"record","name":"B","fields":[]}'})
    assert not texts.same(spelled, {**ours, "metadata": {"tags": {}, "properties": {"a": "b"}}})


def test_the_commands_take_and_bring(full: str, tmp_path: Path) -> None:
    folder = str(tmp_path / "export")
    ended = CliRunner().invoke(treaty, ["registry", "export", "--url", full, "--to", folder], standalone_mode=False)
    assert (ended.return_value, "7 versions of 6 subjects" in ended.output) == (0, True)
    with registry() as url:
        for count in ("7 versions written", "0 versions written, 7 there already"):
            ended = CliRunner().invoke(
                treaty, ["registry", "import", "--from", folder, "--url", url], standalone_mode=False
            )
            assert (ended.return_value, count in ended.output) == (0, True), ended.output


def test_an_old_text_around_a_name_is_imported() -> None:
    """Avro for Java once took an object around a defined name; what was let in then has to come along."""
    text = json.dumps(
        {
            "type": "record",
            "name": "R",
            "fields": [
                {"name": "a", "type": {"type": "fixed", "name": "Hash", "size": 16}},
                {"name": "b", "type": {"type": "Hash"}},
            ],
        }
    )
    row = {"subject": "s", "version": 1, "id": 5, "schema": text}
    with registry() as url:
        assert bring(backup.Backup((row,), {}, {}), url).differences == []
        assert asked("GET", f"{url}/schemas/ids/5").is_success


def test_migrate_brings_a_database_to_this_release(database: str) -> None:
    ended = CliRunner().invoke(treaty, ["registry", "migrate", "--database", database], standalone_mode=False)
    assert ended.return_value == 0, ended.output
    open_store(database, migrate=False).close()
