"""Properties, ports, keys, state and layout: the small decisions of the stack."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE
from types import SimpleNamespace
from typing import IO, cast

import jwt
import pytest

from treaty.errors import UsageError
from treaty.local import properties, services
from treaty.local.errors import LocalFault, PortBusy
from treaty.local.kafka import Kafka, new_id
from treaty.local.keys import ADMIN_USER_ID, keys_in
from treaty.local.layout import Layout, ports_for
from treaty.local.machine import Machine
from treaty.local.ports import END, FIRST, Given, free_port, holder, require_free
from treaty.local.state import Running, State, StateFile
from treaty.local.unprivileged import enter_namespace

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def test_properties_are_escaped_as_java_reads_them() -> None:
    text = properties.render({"log.dirs": "/数据/a\\b", "emoji": "😀"})
    assert text == "log.dirs=/\\u6570\\u636e/a\\\\b\nemoji=\\ud83d\\ude00\n"
    assert properties.parse("# a comment\na=b=c\n\n") == {"a": "b=c"}


def test_kafka_refuses_a_folder_that_it_would_read_as_two(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(LocalFault, match="comma"):
        Kafka(tmp_path / "a,b", machine=machine)


def test_ids_do_not_look_like_options() -> None:
    assert all(len(made) == 22 and not made.startswith("-") for made in (new_id() for _ in range(500)))


def test_free_ports_are_given_once_though_other_processes_ask_too() -> None:
    ask = "from treaty.local.ports import free_port; print(*(free_port() for _ in range(150)))"
    others = [
        subprocess.Popen([sys.executable, "-c", f"{ask}; input()"], stdin=PIPE, stdout=PIPE, text=True)
        for _ in range(3)
    ]
    try:
        given = [int(word) for other in others for word in cast("IO[str]", other.stdout).readline().split()]
        given += [free_port() for _ in range(150)]
    finally:
        for other in others:
            other.communicate("\n")
    assert len(given) == len(set(given)) == 600
    assert all(FIRST < port < END for port in given)


def test_free_ports_of_a_forked_process_are_not_those_of_its_parent() -> None:
    ask = (
        "import os; from treaty.local.ports import free_port; free_port(); os.fork(); os.write(1, b'%d ' % free_port())"
    )
    answer = subprocess.run([sys.executable, "-c", ask], stdout=PIPE, text=True, check=True)
    assert len(set(answer.stdout.split())) == 2


def test_a_port_that_somebody_took_meanwhile_is_passed_over() -> None:
    given = Given()
    first = given.port()
    with socket.create_server(("127.0.0.1", first + 1)):
        assert given.port() == first + 2


def test_a_busy_port_is_refused_with_its_holder() -> None:
    port = free_port()  # one that nobody is given when it is free again
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(PortBusy, match="which redis needs, is held by"):
            require_free(port, name="redis", option="--port redis=<number>")
        assert holder(port) is not None
    require_free(port, name="redis", option="--port redis=<number>")


def test_tokens_are_what_the_services_check(tmp_path: Path) -> None:
    keys = keys_in(tmp_path / "keys")
    assert stat.S_IMODE(keys.private.stat().st_mode) == 0o600
    token = keys.token(9007199254740993, now=NOW, is_admin=True)
    options: dict[str, object] = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, keys.public.read_bytes(), algorithms=["EdDSA"], options=options)  # type: ignore[arg-type]  # a subset of Options
    assert claims["sub"] == "9007199254740993"
    assert claims["admin"] is True
    assert claims["exp"] - claims["iat"] == timedelta(hours=12).total_seconds()
    assert "admin" not in jwt.decode(keys.token(7, now=NOW), options={"verify_signature": False})


def test_the_key_pair_is_made_once(tmp_path: Path) -> None:
    assert keys_in(tmp_path).private.read_bytes() == keys_in(tmp_path).private.read_bytes()


def test_ports_by_hand_win_over_configured_ones_and_those_over_defaults() -> None:
    ports = ports_for(("order", "chat"), configured={"order": 8082}, by_hand={"kafka": 41093})
    assert (ports["kafka"], ports["order"], ports["redis"]) == (41093, 8082, 40379)
    assert ports["chat"] > 0  # a free one
    for wrong in (70_000, -1, "8082"):
        with pytest.raises(UsageError, match="is no port for order"):
            ports_for(("order",), configured={"order": wrong}, by_hand={})  # type: ignore[dict-item]  # a person's file


def test_a_service_is_told_everything_by_its_environment_and_nothing_of_the_callers_cluster(tmp_path: Path) -> None:
    layout = Layout(
        root=tmp_path, services=("order",), ports=ports_for(("order",), configured={"order": 8082}, by_hand={})
    )
    told = services.environment("order", layout, keys_in(tmp_path))
    assert told["KAFKA_BROKERS"] == "127.0.0.1:40093"
    assert told["DATABASE_URL"] == f"sqlite:///{tmp_path}/.treaty/data/order.db"
    assert told["MALL_PORT"] == "8082"
    assert told["MALL_ADMIN_USER_IDS"] == str(ADMIN_USER_ID)
    assert "MALL_JWT_PRIVATE_KEY_FILE" not in told
    assert "MALL_JWT_PRIVATE_KEY_FILE" in services.environment("user", layout_with_user(tmp_path), keys_in(tmp_path))
    inherited = services.inherited(Machine(env={"KAFKA_SASL_USERNAME": "prod", "PATH": "/bin"}))
    assert "KAFKA_SASL_USERNAME" not in inherited
    assert inherited["MALLOC_ARENA_MAX"] == "2"
    assert services.inherited(Machine(env={"MALLOC_ARENA_MAX": "4"}))["MALLOC_ARENA_MAX"] == "4"


def layout_with_user(root: Path) -> Layout:
    return Layout(
        root=root, services=("user",), database="postgres", ports=ports_for(("user",), configured={}, by_hand={})
    )


def test_services_on_postgres_share_one_server(tmp_path: Path) -> None:
    assert (
        services.database_url("user", layout_with_user(tmp_path))
        == "postgresql+psycopg://treaty@127.0.0.1:40432/postgres"
    )
    assert "postgres" in layout_with_user(tmp_path).names()


def test_the_service_command_runs_on_our_own_interpreter() -> None:
    words = services.command("python -m mall '{service} x'", "order")
    assert Path(words[0]).name.startswith("python")
    assert words[1:] == ["-m", "mall", "order x"]
    with pytest.raises(UsageError, match="No closing quotation"):
        services.command("python 'oops", "order")


def test_a_state_file_that_makes_no_sense_counts_as_none(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    assert file.read() is None
    (tmp_path / "state.json").write_text('{"supervisor": 1}')
    assert file.read() is None
    with file.supervise():
        assert file.read() is not None
        assert file.is_supervised()
    assert file.read() is None
    assert not file.is_supervised()


@pytest.mark.parametrize(
    "fault", [{"pid": 0}, {"pid": 1}, {"pid": -1}, {"pid": "self"}, {"pid": True}, {"began": None}]
)
def test_a_state_file_that_names_no_single_process_is_none(tmp_path: Path, fault: dict[str, object]) -> None:
    """To signal the groups 0 or 1 would end this shell, or everything; a foreign tree may bring such a file."""
    file = StateFile(tmp_path)
    file.write(State(supervisor=Running(name="treaty up", pid=999, began="1")))
    assert file.read() is not None
    part = {"name": "kafka", "pid": 999, "began": "1"} | fault
    tree = {"supervisor": {"name": "treaty up", "pid": 999, "began": "1"}, "parts": [part]}
    (tmp_path / "state.json").write_text(json.dumps(tree), encoding="utf-8")
    assert file.read() is None


@pytest.mark.parametrize(("refusals", "written"), [(0, 3), (4, 3), (5, 0)])
def test_a_namespace_that_is_refused_for_a_moment_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, refusals: int, written: int
) -> None:
    answers = iter([-1] * refusals + [0] * 9)
    lines: list[str] = []
    monkeypatch.setattr("treaty.local.unprivileged.LIBC", SimpleNamespace(unshare=lambda _flag: next(answers)))
    monkeypatch.setattr("treaty.local.unprivileged.PAUSES", (0.0,) * 4)
    monkeypatch.setattr(Path, "write_text", lambda _self, line: lines.append(line))
    with nullcontext() if written else pytest.raises(OSError, match="unshare"):
        enter_namespace()
    assert len(lines) == written
