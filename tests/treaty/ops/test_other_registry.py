"""Plan and apply against a registry that is not ours, where ``TREATY_OTHER_REGISTRY`` gives its address.

It may be in use: every run takes subjects of its own and leaves all others alone. How to have Karapace:
``compat-tests/karapace-export/README.md``.
"""

from __future__ import annotations

import os
import secrets
from datetime import date
from pathlib import Path

import pytest

from tests.treaty.ops.killed import killer
from tests.treaty.ops.waived_project import TODAY, TOMBSTONE, TOPICS, WAIVER, planned, waived_project, write
from treaty.config import Settings
from treaty.ops.applied import record
from treaty.ops.contents import contents
from treaty.ops.http import RegistryHttp, RegistryMoved
from treaty.ops.lockfile import read_lock
from treaty.ops.plan import Plan
from treaty.ops.registry import plan_registry
from treaty.ops.registry_apply import apply_registry

URL = os.environ.get("TREATY_OTHER_REGISTRY", "")
MORE = ', {"name": "n", "type": "string", "doc": "d"}'
MOST_CALLS = 60

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not URL, reason="no other registry: set TREATY_OTHER_REGISTRY to the address of one"),
]


class Own:
    """A project whose topic nobody else has."""

    def __init__(self, folder: Path) -> None:
        self.topic = f"orders-{secrets.token_hex(6)}"
        folder.mkdir()
        self.settings: Settings = waived_project(folder)
        self.topics = TOPICS.replace("order-events", self.topic)
        self.tombstone = TOMBSTONE.replace("order-events", self.topic)
        self.paid, self.gone = (f"{self.topic}-mall.order.Order{name}" for name in ("Paid", "Archived"))
        write(self.settings.root, topics=self.topics)

    def prepare(self, http: RegistryHttp) -> Plan:
        """A history, and a tree that asks for a lift, a register and both deletions."""
        apply_registry(planned(self.settings, http), http, done=lambda *_: None)
        http.register(self.gone, '{"type": "record", "name": "OrderArchived", "fields": []}')
        write(self.settings.root, extra=MORE, waivers=WAIVER, topics=self.topics + self.tombstone)
        return planned(self.settings, http)

    def state(self, http: RegistryHttp) -> object:
        """What is there of ours, and what a new plan would do."""
        held = {name: list(rows) for name, rows in contents(http).items() if name.startswith(self.topic)}
        gone = [name for name in http.deleted_subjects() if name.startswith(self.topic)]
        return held, gone, http.level(self.paid), planned(self.settings, http).steps


def test_plan_and_apply_agree_with_it(tmp_path: Path) -> None:
    own = Own(tmp_path / "own")
    with RegistryHttp(URL) as http:
        made = own.prepare(http)
        assert [step.action for step in made.steps] == [
            "set-level",
            "register",
            "set-level",
            "soft-delete",
            "permanent-delete",
        ]
        write(own.settings.root, extra=MORE, topics=own.topics)
        _, blocked = plan_registry(own.settings, http, environment="local", today=TODAY)
        assert [row.subject for row in blocked] == [own.paid], "without its waiver the break is blocked"
        write(own.settings.root, extra=MORE, waivers=WAIVER, topics=own.topics + own.tombstone)
        done = apply_registry(made, http, done=lambda *_: None)
        assert done.changed == 5
        record(own.settings, made, done.contents)
        assert own.state(http) == ({own.paid: [1, 2]}, [], "FULL_TRANSITIVE", ())
        assert apply_registry(made, http, done=lambda *_: None).changed == 0, "the same plan may be run again"
        lock = read_lock(own.settings.folder("schemas")).environments["local"]
        assert {number: row.id for number, row in lock[own.paid].items()} == {
            number: row.id for number, row in done.contents[own.paid].items()
        }


SHARED = {
    "currency": '{"type": "enum", "namespace": "%s", "name": "Currency", "symbols": ["UNKNOWN"], "default": "UNKNOWN"}',
    "line": """{"type": "record", "namespace": "%s", "name": "Line", "doc": "d", "fields": [
      {"name": "currency", "type": "Currency"}]}""",
    "paid": """{"type": "record", "namespace": "%s", "name": "Paid", "doc": "d", "fields": [
      {"name": "order_id", "type": "long"}, {"name": "lines", "type": {"type": "array", "items": "Line"}},
      {"name": "paid_in", "type": "Currency"}]}""",
    "placed": """{"type": "record", "namespace": "%s", "name": "Placed", "doc": "d", "fields": [
      {"name": "order_id", "type": "long"}]}""",
}
STONE = """
[[removed]]
%s
reason = "r"
approved_by = "@o"
soft_after = 2026-01-01
permanent_after = 2026-02-01
"""
GONE = ('topic = "{0}-events"\nevent = "{0}.Paid"', 'type = "{0}.Line"', 'type = "{0}.Currency"')
STONES = "".join(STONE % what for what in GONE)


class Referring:
    """A project in mode ``registry`` whose namespace nobody else has: two events, one of which holds shared types."""

    def __init__(self, root: Path, http: RegistryHttp) -> None:
        self.name, self.root, self._http = f"own{secrets.token_hex(6)}", root, http
        for file, text in SHARED.items():
            self.write(f"schemas/{file}.avsc", text % self.name)
        self.declare("Placed", "Paid")
        told = (
            f'[project]\nnamespace = "{self.name}"\nreferences = "registry"\n[environment.local]\nregistry = "{URL}"\n'
        )
        self.write("treaty.toml", told)

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def declare(self, *events: str, stones: str = "") -> None:
        names = ", ".join(f'"{self.name}.{event}"' for event in events)
        topic = (
            f'format = 1\n[topic.{self.name}-events]\ndoc = "d"\nowner = "@o"\nkey = "order_id"\nevents = [{names}]\n'
        )
        self.write("schemas/topics.toml", topic + stones)

    def apply(self) -> list[tuple[str, str]]:
        """What was done; afterwards there is nothing left to do, and nothing of ours that git does not know."""
        settings = Settings.load(self.root / "treaty.toml", {}, start=self.root)
        made, blocked = plan_registry(settings, self._http, environment="local", today=date(2026, 12, 1))
        assert blocked == ()
        record(settings, made, apply_registry(made, self._http, done=lambda *_: None).contents)
        again, _ = plan_registry(settings, self._http, environment="local", today=date(2026, 12, 1))
        assert (again.steps, [row for row in again.drift if self.name in row.subject]) == ((), [])
        return [(step.action, step.subject.removeprefix(f"{self.name}-events-")) for step in made.steps]


def test_shared_types_are_referred_to_changed_and_buried_in_it(tmp_path: Path) -> None:
    with RegistryHttp(URL) as http:
        own = Referring(tmp_path, http)
        placed, paid, line, currency = (f"{own.name}.{name}" for name in ("Placed", "Paid", "Line", "Currency"))
        assert [name for action, name in own.apply() if action == "register"] == [placed, currency, line, paid]
        newest = http.call("GET", f"/subjects/{own.name}-events-{paid}/versions/latest")
        assert sorted(each["name"] for each in newest["references"]) == [currency, line]
        note = ', {"name": "note", "type": ["null", "string"], "default": null}]}'
        own.write("schemas/line.avsc", SHARED["line"].replace("]}", note) % own.name)
        assert own.apply() == [("register", line), ("register", paid)]
        for file in ("currency", "line", "paid"):
            (tmp_path / f"schemas/{file}.avsc").unlink()
        own.declare("Placed", stones=STONES.format(own.name))
        gone = [paid, line, currency]
        assert own.apply() == [(action, name) for name in gone for action in ("soft-delete", "permanent-delete")]
        assert not {line, currency} & {*http.subjects(), *http.deleted_subjects()}


def test_one_that_moved_is_refused(tmp_path: Path) -> None:
    own = Own(tmp_path / "own")
    with RegistryHttp(URL) as http:
        made = own.prepare(http)
        http.set_level(own.paid, "NONE")
        http.register(own.paid, '"string"')
        http.set_level(own.paid, "FULL_TRANSITIVE")
        with pytest.raises(RegistryMoved, match="expected 1, found 2"):
            apply_registry(made, http, done=lambda *_: None)
        assert http.level(own.paid) == "FULL_TRANSITIVE"


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_apply_killed_at_every_call_and_run_again_ends_the_same(tmp_path: Path, *, is_after: bool) -> None:
    with killer() as dying, RegistryHttp(URL) as http:
        for call in range(1, MOST_CALLS):
            own, plan = Own(tmp_path / f"own-{call}"), tmp_path / "plan.json"
            made = own.prepare(http)
            plan.write_text(made.to_json(), encoding="utf-8")
            was_killed = dying.apply(own.settings.root / "treaty.toml", plan, URL, call=call, is_after=is_after)
            apply_registry(made, http, done=lambda *_: None)
            assert own.state(http) == ({own.paid: [1, 2]}, [], "FULL_TRANSITIVE", ()), call
            if not was_killed:
                assert call > len(made.steps)
                return
    pytest.fail("the plan takes more calls than were counted")
