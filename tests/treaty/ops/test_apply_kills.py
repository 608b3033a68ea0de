"""``registry apply`` killed with SIGKILL before and after every call it makes, and run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.treaty.ops.killed import killer
from tests.treaty.ops.waived_project import GONE, SUBJECT, TOMBSTONE, TOPICS, WAIVER, planned, waived_project, write
from treaty.config import Settings
from treaty.ops.applied import record
from treaty.ops.contents import Contents, contents
from treaty.ops.http import RegistryHttp
from treaty.ops.lockfile import read_lock
from treaty.ops.plan import Plan
from treaty.ops.registry_apply import apply_registry
from treaty.registry.testing import registry

MOST_CALLS = 60
NEW = "order-events-mall.order.OrderShipped"
SHIPPED = """{"type": "record", "namespace": "mall.order", "name": "OrderShipped", "doc": "d", "fields": [
  {"name": "order_id", "type": "long", "doc": "d"}]}"""


def prepare(settings: Settings, url: str) -> None:
    """A registry with history, and a tree that asks for every kind of step: levels, registers, a lift, both deletions."""
    write(settings.root)
    (settings.root / "schemas/order/order_shipped.avsc").unlink(missing_ok=True)
    with RegistryHttp(url) as http:
        apply_registry(planned(settings, http), http, done=lambda *_: None)
        http.register(GONE, '{"type": "record", "name": "OrderArchived", "fields": []}')
    (settings.root / "schemas/order/order_shipped.avsc").write_text(SHIPPED, encoding="utf-8")
    topics = TOPICS.replace('"mall.order.OrderPaid"]', '"mall.order.OrderPaid", "mall.order.OrderShipped"]')
    write(
        settings.root,
        extra=', {"name": "n", "type": "string", "doc": "d"}',
        waivers=WAIVER,
        topics=topics + TOMBSTONE,
    )
    (settings.root / "schemas/schemas.lock").unlink(missing_ok=True)


def finish(settings: Settings, plan: Path, url: str) -> tuple[Contents, str | None]:
    """The same plan, run again by somebody who lives: what the registry holds then, and the level that had been lifted."""
    made = Plan.from_json(plan.read_text(encoding="utf-8"))
    with RegistryHttp(url) as http:
        record(settings, made, apply_registry(made, http, done=lambda *_: None).contents)
        assert (planned(settings, http).steps, planned(settings, http).drift) == ((), ())
        assert http.deleted_subjects() == []
        return contents(http), http.level(SUBJECT)


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_apply_killed_at_every_call_and_run_again_ends_the_same(tmp_path: Path, *, is_after: bool) -> None:
    settings, plan = waived_project(tmp_path), tmp_path / "plan.json"
    ends = []
    with killer() as dying:
        for call in range(1, MOST_CALLS):
            with registry() as url:
                prepare(settings, url)
                with RegistryHttp(url) as http:
                    made = planned(settings, http)
                plan.write_text(made.to_json(), encoding="utf-8")
                was_killed = dying.apply(tmp_path / "treaty.toml", plan, url, call=call, is_after=is_after)
                ends.append((*finish(settings, plan, url), read_lock(tmp_path / "schemas").environments))
            if not was_killed:
                break
        else:
            pytest.fail("the plan takes more calls than were counted")
    assert {step.action for step in made.steps} == {"set-level", "register", "soft-delete", "permanent-delete"}
    assert len(ends) > len(made.steps), "at least one call a step"
    assert all(end == ends[-1] for end in ends), "whenever it was killed"
    held, level = ends[-1][:2]
    assert {name: list(versions) for name, versions in held.items()} == {SUBJECT: [1, 2], NEW: [1]}
    assert level == "FULL_TRANSITIVE"
    assert {name: list(rows) for name, rows in ends[-1][2]["local"].items()} == {SUBJECT: [1, 2], NEW: [1]}
