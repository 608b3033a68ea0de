"""An event that goes: never without a tombstone, with one after its day and last, by the real commands on a real registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.treaty.cli.scratch import EVENT, TOPICS, Scratch, project
from treaty.ops.http import RegistryHttp
from treaty.registry.testing import registry

BOTH = TOPICS.replace('"mall.order.OrderPaid"]', '"mall.order.OrderPaid", "mall.order.OrderSent"]')
SENT, NEW = "schemas/order/order_sent.avsc", "schemas/order/order_kept.avsc"
SUBJECT = "order-events-mall.order.OrderSent"
TOMBSTONE = """
[[removed]]
event = "mall.order.OrderSent"
topic = "order-events"
reason = "nobody reads it"
approved_by = "@mall/orders"
soft_after = {soft}
permanent_after = {permanent}
"""


def removed(scratch: Scratch, tombstone: str = "") -> None:
    """The event is gone from the tree, and another one has come."""
    (scratch.root / SENT).unlink(missing_ok=True)
    scratch.write(NEW, EVENT | {"name": "OrderKept"})
    topics = TOPICS.replace('"mall.order.OrderPaid"]', '"mall.order.OrderPaid", "mall.order.OrderKept"]')
    scratch.write("schemas/topics.toml", topics + tombstone)


@pytest.mark.timeout(400)
def test_a_file_without_a_tombstone_fails_and_with_one_the_subject_goes_after_its_day_and_last(tmp_path: Path) -> None:
    toml = '[breaking]\nagainst = ["releases"]\n[lint]\nuse = ["minimal"]\n[environment.prod]\nregistry = "http://localhost:1"\n'
    scratch = project(tmp_path, toml=toml, topics=BOTH)
    scratch.write(SENT, EVENT | {"name": "OrderSent"})
    with registry() as url, RegistryHttp(url) as http:

        def plan() -> tuple[int, list[str]]:
            done = scratch.run(
                "registry", "plan", "--env", "prod", "--out", "plan.json", TREATY_ENVIRONMENT_PROD__REGISTRY=url
            )
            return done.code, [" ".join(line.split()[1:4]) for line in done.out.splitlines()]

        def apply() -> int:
            words = ("registry", "apply", "plan.json", "--yes")
            return scratch.run(*words, TREATY_ENVIRONMENT_PROD__REGISTRY=url).code

        assert scratch.run("release", "1.0.0").code == 0
        assert (plan()[0], apply()) == (0, 0)
        removed(scratch)
        done = scratch.run("breaking")
        assert (done.code, "event-removed" in done.out) == (1, True)
        assert plan() == (
            1,
            [
                "~ set-level order-events-mall.order.OrderKept",
                "+ register order-events-mall.order.OrderKept",
                f"drift {SUBJECT} is",
            ],
        ), "drift, and no deletion"
        removed(scratch, TOMBSTONE.format(soft="2999-01-01", permanent="2999-06-01"))
        assert scratch.run("breaking").code == 0
        code, steps = plan()
        assert (code, len(steps)) == (0, 2), "it waits for its day"
        removed(scratch, TOMBSTONE.format(soft="2026-01-01", permanent="2999-06-01"))
        code, steps = plan()
        assert (code, steps[-1]) == (0, f"- soft-delete {SUBJECT}"), "last of all"
        assert (apply(), SUBJECT in http.subjects(), http.deleted_subjects()) == (0, False, [SUBJECT])
        assert plan() == (0, [])
        removed(scratch, TOMBSTONE.format(soft="2026-01-01", permanent="2026-06-01"))
        assert plan() == (0, [f"- permanent-delete {SUBJECT}"])
        assert (apply(), http.deleted_subjects(), plan()) == (0, [], (0, []))
        assert SUBJECT not in (scratch.root / "schemas/schemas.lock").read_text()
