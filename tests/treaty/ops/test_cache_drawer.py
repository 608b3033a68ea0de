"""What lies in the cache folder may be torn, foreign, hostile or too much: nothing of it is taken for an answer, and nothing fails."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.treaty.cli.scratch import Scratch, changed, project
from treaty.config import Settings
from treaty.ops.cache import checks
from treaty.ops.cache.drawer import Contents, Drawer, listed
from treaty.ops.cache.generated import keep, key_of, standing
from treaty.ops.generate import generated

KEYS = [sha256(str(number).encode()).hexdigest() for number in range(5)]
KEY = KEYS[0]


@pytest.fixture
def drawer(tmp_path: Path) -> Drawer:
    return Drawer(folder=tmp_path / "cache" / "checks")


def test_an_entry_is_as_it_was_put_and_its_folder_is_the_users_alone(drawer: Drawer) -> None:
    assert drawer.get(KEY) is None
    for body in (b"", b"one", b"two\n\nlines"):
        drawer.put(KEY, body)
        assert drawer.get(KEY) == body
    assert stat.S_IMODE(drawer.folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in drawer.folder.iterdir()] == [0o600]


def test_what_is_torn_changed_or_under_another_key_is_not_there(drawer: Drawer) -> None:
    drawer.put(KEY, b"an answer")
    file = drawer.folder / KEY
    whole = file.read_bytes()
    for size in range(len(whole)):
        file.write_bytes(whole[:size])
        assert drawer.get(KEY) is None
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert drawer.get(KEY) is None
    (drawer.folder / KEYS[1]).write_bytes(whole)
    assert drawer.get(KEYS[1]) is None
    drawer.put(KEY, b"an answer")
    assert drawer.get(KEY) == b"an answer"


def test_links_pipes_and_folders_are_no_entries(drawer: Drawer, tmp_path: Path) -> None:
    drawer.put(KEY, b"an answer")
    file = drawer.folder / KEY
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert drawer.get(KEY) is None
    file.unlink()
    os.mkfifo(file)
    assert drawer.get(KEY) is None
    file.unlink()
    file.mkdir()
    assert drawer.get(KEY) is None
    drawer.put(KEY, b"cannot take its place")
    assert drawer.get(KEY) is None
    assert [each.name for each in drawer.folder.iterdir()] == [KEY], "nothing half-written is left"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o755])
def test_a_folder_that_others_may_use_is_not_used(drawer: Drawer, mode: int) -> None:
    drawer.put(KEY, b"an answer")
    drawer.folder.chmod(mode)
    drawer.put(KEYS[1], b"another")
    assert (drawer.get(KEY), drawer.contents(), drawer.clear()) == (None, *[Contents(entries=0, size_bytes=0)] * 2)
    drawer.folder.chmod(0o700)
    assert (drawer.get(KEY), drawer.get(KEYS[1])) == (b"an answer", None)


def test_a_folder_that_cannot_be_made_keeps_nothing_and_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "link"):
        drawer = Drawer(folder=folder)
        drawer.put(KEY, b"an answer")
        assert drawer.get(KEY) is None
        assert drawer.contents() == drawer.clear() == Contents(entries=0, size_bytes=0)


def test_what_was_not_used_for_longest_goes_first(drawer: Drawer) -> None:
    small = Drawer(folder=drawer.folder, most_bytes=4 * 1100)
    for number, key in enumerate(KEYS[:4]):
        small.put(key, bytes(1000))
        os.utime(small.folder / key, (number, number))
    assert small.get(KEYS[0]) is not None, "asked for: the youngest now"
    small.put(KEYS[4], bytes(1000))
    assert [(small.folder / key).exists() for key in KEYS] == [True, False, True, True, True]
    small.put(KEYS[1], bytes(5000))
    assert small.get(KEYS[1]) is None, "more than all"


def test_an_entry_that_another_process_takes_away_first_stops_no_clearing(drawer: Drawer) -> None:
    def listed_before_another_took_one(folder: int) -> list[tuple[int, int, str]]:
        found = listed(folder)
        (drawer.folder / found[0][2]).unlink()
        return found

    for key in KEYS:
        drawer.put(key, b"an answer")
    assert replace(drawer, lister=listed_before_another_took_one).clear().entries == len(KEYS) - 1
    assert list(drawer.folder.iterdir()) == []


def test_what_killed_writers_left_counts_and_goes_and_files_of_others_stay(drawer: Drawer) -> None:
    drawer.put(KEY, b"an answer")
    (drawer.folder / f".{KEY}.4711").write_bytes(b"half")
    (drawer.folder / "notes.txt").write_bytes(b"not ours")
    assert drawer.contents().entries == 2
    assert drawer.clear().entries == 2
    assert [file.name for file in drawer.folder.iterdir()] == ["notes.txt"]


HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"{",
    b"\xff",
    b"[" * 100_000,
    b'{"folders": [], "code": 1}',
    b'{"folders": "ab", "code": ""}',
    b'{"folders": ["../../.."], "code": ""}',
    b'{"folders": ["\\ud800\\u0000"], "code": ""}',
]


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:24]))
def test_a_sealed_entry_that_is_no_answer_is_as_if_absent(tmp_path: Path, drawer: Drawer, body: bytes) -> None:
    settings = Settings.load(None, {}, start=project(tmp_path / "project").root)
    assert checks.told(settings, body) is None
    drawer.put(KEY, body)
    assert standing(settings, KEY, drawer=drawer) is None


def test_members_of_other_types_and_sentences_that_cannot_be_said_are_as_if_absent(tmp_path: Path) -> None:
    scratch = project(tmp_path / "project", event=changed(order_id="string") | {"doc": ""})
    settings = Settings.load(None, {}, start=scratch.root)
    outcome = checks.lint(settings, drawer=None)
    body = checks.entry(settings, outcome, (), checks.code_now(settings, ()))
    assert body is not None
    assert checks.told(settings, body) == outcome
    for member, value in {
        "rule": 1, "severity": "fatal", "at": {}, "message": {"template": "{x}", "arguments": {}}, "fix": [],
        "affects": "ab", "readers": None, "proof": 1, "fingerprint": None, "help": "text",
    }.items():  # fmt: skip
        kept = json.loads(body)
        kept["outcome"]["findings"][0][member] = value
        assert checks.told(settings, json.dumps(kept).encode()) is None, member


@pytest.fixture
def remembered(tmp_path: Path) -> Scratch:
    """A project; its commands remember in ``cache`` beside it."""
    return project(tmp_path / "project")


def run(scratch: Scratch, *words: str) -> tuple[int, str, str]:
    done = scratch.run(*words, TREATY_CHECKS__CACHE="true", TREATY_CACHE=str(scratch.root.parent / "cache"))
    return done.code, done.out, done.err


def test_commands_say_the_same_again_and_can_be_told_not_to_remember(remembered: Scratch) -> None:
    remembered.write("schemas/order/order_paid.avsc", changed(total="double") | {"doc": ""})
    folder = remembered.root.parent / "cache" / "checks"
    for words in (("lint",), ("breaking", "--against", "releases", "--format", "json"), ("lint", "--format", "sarif")):
        first = run(remembered, *words, "--no-cache")
        assert run(remembered, *words) == run(remembered, *words) == first
    assert len(list(folder.iterdir())) == 2
    _, shown, _ = run(remembered, "cache", "show")
    assert shown.startswith(f"{folder}\n2 answers, 0.0 MB of at most 67.1 MB")
    assert run(remembered, "cache", "clear")[2].startswith("Forgotten: 2 answers")
    run(remembered, "lint", "--no-cache")
    assert list(folder.iterdir()) == []


def test_what_is_generated_is_compared_by_digest_and_never_written_out_of_the_cache(remembered: Scratch) -> None:
    assert "written or removed" in run(remembered, "generate")[2]
    again = run(remembered, "generate")
    assert (again[0], again[2].split(",")[1]) == (0, " 0 written or removed.\n")
    assert run(remembered, "generate", "--check") == (0, "", "")
    event = next((remembered.root / "sdk" / "src").rglob("_order_paid.py"))
    text = event.read_bytes()
    event.write_bytes(text + b"# edited\n")
    code, out, err = run(remembered, "generate", "--check")
    assert (code, "changed" in out, "1 of" in err) == (1, True, True)
    run(remembered, "generate")
    assert event.read_bytes() == text
    event.unlink()
    assert run(remembered, "generate", "--check")[0] == 1
    for file in (remembered.root.parent / "cache" / "checks").iterdir():
        assert b"class OrderPaid" not in file.read_bytes()


def test_what_is_generated_of_other_schemas_or_for_another_name_is_made_anew(
    remembered: Scratch, drawer: Drawer
) -> None:
    settings = Settings.load(None, {}, start=remembered.root)
    key = key_of(settings, drawer=drawer)
    made = list(generated(settings))
    for each in made:
        each.write(each.changes())
    keep(settings, key, made, drawer=drawer)
    assert standing(settings, key_of(settings, drawer=drawer), drawer=drawer) is not None
    other = Settings.load(None, {"TREATY_PROJECT__PACKAGE": "other_events"}, start=remembered.root)
    assert standing(other, key_of(other, drawer=drawer), drawer=drawer) is None
    remembered.write("schemas/order/order_paid.avsc", changed(total="long"))
    assert standing(settings, key_of(settings, drawer=drawer), drawer=drawer) is None
