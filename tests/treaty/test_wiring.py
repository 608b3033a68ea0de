"""Who gets the registry's token: the registry that the same person named, and nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.treaty.registry.people import bearer
from treaty.config import Settings
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops.http import WHAT_TO_DO, RegistryRefused
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.testing import registry
from treaty.wiring import registry_of

TOKEN = "hunter2"


def settings(folder: Path, text: str, **env: str) -> Settings:
    (folder / "treaty.toml").write_text(text, encoding="utf-8")
    return Settings.load(None, {f"TREATY_ENVIRONMENT_PROD__{key}": value for key, value in env.items()}, start=folder)


@contextmanager
def listener() -> Iterator[tuple[str, list[str | None]]]:
    """A server that answers every question with a mode and keeps the Authorization headers it was sent."""
    heard: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers["Authorization"])
            body = b'{"mode": "READWRITE"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silence."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()
            thread.join()


def test_a_token_goes_to_an_address_that_a_variable_names(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n", encoding="utf-8")
    with listener() as (url, heard):
        for given in ({"REGISTRY_TOKEN": TOKEN}, {"REGISTRY_TOKEN_FILE": str(secret)}):
            told = settings(tmp_path, "[environment.prod]\n", REGISTRY=url, **given)
            with registry_of(told, "prod") as http:
                http.mode()
    assert heard == [f"Bearer {TOKEN}"] * 2


def test_a_user_and_password_of_the_address_are_sent_and_not_shown(tmp_path: Path) -> None:
    with listener() as (url, heard):
        told = settings(tmp_path, "[environment.prod]\n", REGISTRY=url.replace("//", "//ann:hunter2@"))
        with registry_of(told, "prod") as http:
            http.mode()
            assert http.host == url.removeprefix("http://")
    assert heard == ["Basic YW5uOmh1bnRlcjI="]


def test_a_token_never_goes_to_an_address_out_of_a_file(tmp_path: Path) -> None:
    """A repository that somebody else wrote may name its own registry: the reader's token stays at home."""
    with listener() as (url, heard):
        told = settings(tmp_path, f"[environment.prod]\nregistry = '{url}'\n", REGISTRY_TOKEN=TOKEN)
        with pytest.raises(UsageError, match="only to an address that a variable names too") as refused:
            registry_of(told, "prod")
    assert TOKEN not in f"{refused.value} {refused.value.next_step}"
    assert heard == []


def test_a_token_with_its_grants_is_enough_to_plan_and_apply(tmp_path: Path) -> None:
    store = MemoryStore()
    token = bearer(store, "ci", ("maintainer", "orders-*"))["Authorization"].removeprefix("Bearer ")
    with registry(store) as url:
        told = settings(tmp_path, "[environment.prod]\n", REGISTRY=url, REGISTRY_TOKEN=token)
        with registry_of(told, "prod") as http:
            assert http.register("orders-value", '"int"') == 1
            http.set_level("orders-value", "FULL")
            assert http.subjects() == ["orders-value"]
            with pytest.raises(RegistryRefused, match="needs role writer") as refused:
                http.register("goods-value", '"int"')
            assert (refused.value.code, refused.value.next_step) == (40301, WHAT_TO_DO[403])
        without = settings(tmp_path, f"[environment.prod]\nregistry = '{url}'\n")
        with registry_of(without, "prod") as http, pytest.raises(RegistryRefused) as stranger:
            http.subjects()
    assert stranger.value.next_step == WHAT_TO_DO[401]
    assert token not in f"{refused.value} {stranger.value}"


def test_a_token_file_that_cannot_be_used_is_named_without_its_text(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name, words in (("none", "cannot be read"), ("empty", "is empty")):
        told = settings(
            tmp_path, "[environment.prod]\n", REGISTRY="http://127.0.0.1:1", REGISTRY_TOKEN_FILE=str(tmp_path / name)
        )
        with pytest.raises(EnvironmentFault, match=words):
            registry_of(told, "prod")
