"""Which services run here, and whose groups have a reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops.services import groups_of, left_out, started
from treaty_codegen import Catalog
from treaty_codegen.catalog import Consumer, Topic

DECLARED = ("order", "payment", "audit")


def settings(folder: Path, services: str = "") -> Settings:
    (folder / "treaty.toml").write_text(f"[local]\n{services}\n", encoding="utf-8")
    return Settings.load(None, {}, start=folder)


@pytest.mark.parametrize(
    ("chosen", "runs", "rests"),
    [
        ("", DECLARED, ()),
        ('services = ["*"]', DECLARED, ()),
        ('services = ["audit", "order"]', ("order", "audit"), ("payment",)),
        ("services = []", (), DECLARED),
    ],
)
def test_the_named_services_run_in_the_order_of_their_declaration(
    chosen: str, runs: tuple[str, ...], rests: tuple[str, ...], tmp_path: Path
) -> None:
    found = settings(tmp_path, chosen)
    assert started(found, declared=DECLARED) == runs
    assert left_out(found, declared=DECLARED) == rests


def test_a_service_that_is_not_declared_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \[service\.paiment\]: did you mean `payment`"):
        started(settings(tmp_path, 'services = ["order", "paiment"]'), declared=DECLARED)


def test_lag_is_asked_of_groups_that_keep_common_offsets_and_have_a_reader_here() -> None:
    consumers = (
        Consumer(group="order-view", service="order"),
        Consumer(group="push-*", service="notification"),
        Consumer(group="billing", external="@partner/billing"),
        Consumer(group="accounting", service="payment"),
    )
    topic = Topic(name="order-events", doc="", owner="", events=(), consumers=consumers)
    catalog = Catalog(files={}, topics={"order-events": topic})
    assert groups_of(catalog) == {"order-view": ["order-events"], "accounting": ["order-events"]}
    assert groups_of(catalog, without=["payment"]) == {"order-view": ["order-events"]}
