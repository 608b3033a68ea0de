"""Making users, tokens and grants at the command line: secrets go in by file or prompt, and out once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from treaty.cli import treaty
from treaty.cli.outcome import run
from treaty.registry.access.tokens import id_of
from treaty.registry.stores.sql.store import open_store

PASSWORD = "correct horse battery"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``treaty registry …`` in an empty project; exit code, stdout, stderr."""
    (tmp_path / "treaty.toml").write_text(f"[registry]\ndatabase = 'sqlite:///{tmp_path}/r.db'\n", encoding="utf-8")
    (tmp_path / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["treaty", "registry", *words])
        code = run(treaty, debug=False)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


def test_a_user_is_made_from_a_file_and_nothing_shows_the_password(told: Run, tmp_path: Path) -> None:
    code, out, err = told("users", "add", "ann", "--password-file", "password")
    assert (code, out) == (0, "")
    assert "grants add ann" in err
    assert told("users", "list")[1] == "ann\n"
    assert PASSWORD not in out + err + told("audit", "list")[1]
    assert PASSWORD.encode() not in (tmp_path / "r.db").read_bytes()


def test_without_a_terminal_a_password_is_asked_for_by_file(told: Run) -> None:
    code, _, err = told("users", "add", "ann")
    assert code == 2
    assert "--password-file" in err


def test_a_token_is_shown_once(told: Run, tmp_path: Path) -> None:
    code, out, _ = told("tokens", "add", "ci", "--days", "3")
    token = out.strip()
    assert (code, len(out.splitlines())) == (0, 1)
    token_id = id_of(token)
    assert token_id is not None
    listed = told("tokens", "list")[1]
    assert token_id in listed
    assert "ci" in listed
    assert token not in listed + told("audit", "list")[1]
    assert told("users", "list")[1] == "ci  (tokens only)\n"
    assert told("tokens", "remove", token_id)[0] == 0
    assert told("tokens", "list")[1] == ""
    assert told("tokens", "remove", token_id)[0] == 2
    assert token.encode() not in (tmp_path / "r.db").read_bytes()


def test_grants_are_given_listed_and_taken_back(told: Run) -> None:
    assert told("grants", "add", "ann", "writer", "orders-*")[0] == 0
    assert told("grants", "add", "group:staff", "reader", "*")[0] == 0
    assert told("grants", "list")[1] == "ann  writer  :.:orders-*\ngroup:staff  reader  *\n"
    assert told("grants", "remove", "ann", "writer", "orders-*")[0] == 0
    assert told("grants", "list")[1] == "group:staff  reader  *\n"
    entries = [json.loads(line) for line in told("audit", "list", "--limit", "2")[1].splitlines()]
    assert [entry["action"] for entry in entries] == ["remove-grant", "add-grant"]
    assert all(entry["actor"].startswith("operator ") for entry in entries)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["users", "add", "a:b", "--password-file", "password"], "has no colon"),
        (["users", "add", "token", "--password-file", "password"], "is not 'token'"),
        (["users", "remove", "nobody"], "There is no user"),
        (["grants", "add", "ann", "boss", "*"], "There is no role"),
        (["grants", "add", "ann", "reader", "a*b"], "is no pattern"),
        (["grants", "remove", "ann", "reader", "a"], "There is no such grant"),
        (["users", "list", "--database", "mysql://h/d"], "SQLite or Postgres"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_said_in_a_sentence(told: Run, words: list[str], sentence: str) -> None:
    code, _, err = told(*words)
    assert code == 2
    assert sentence in err


def test_a_short_password_is_refused(told: Run, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("short\n", encoding="utf-8")
    code, _, err = told("users", "add", "ann", "--password-file", "password")
    assert code == 2
    assert "12 to 1024 characters" in err
    assert "short" not in err


def test_a_removed_user_leaves_nothing_behind(told: Run, tmp_path: Path) -> None:
    told("tokens", "add", "ci")
    told("grants", "add", "ci", "admin", "*")
    assert told("users", "remove", "ci")[0] == 0
    store = open_store(f"sqlite:///{tmp_path}/r.db", migrate=False)
    directory = store.directory()
    store.close()
    assert (dict(directory.passwords), dict(directory.tokens), directory.grants) == ({}, {}, ())


def test_the_audit_is_verified_against_what_was_noted(told: Run, tmp_path: Path) -> None:
    told("grants", "add", "ann", "writer", "orders-*")
    code, noted, err = told("audit", "verify")
    assert (code, noted.startswith("1:")) == (0, True)
    assert "1 sealed entries" in err
    told("grants", "add", "bob", "writer", "orders-*")
    assert told("audit", "verify", "--noted", noted.strip())[0] == 0
    with sqlite3.connect(tmp_path / "r.db") as connection:
        connection.execute("UPDATE audit SET actor = 'eve' WHERE id = 1")
    connection.close()
    code, _, err = told("audit", "verify", "--noted", noted.strip())
    assert code == 1
    assert "is not what was sealed" in err
    assert told("audit", "verify", "--noted", "nonsense")[0] == 2
