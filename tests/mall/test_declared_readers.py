"""What the services handle is what `schemas/topics.toml` declares, so that a change of an event names all its readers."""

from __future__ import annotations

import ast
import importlib
import tomllib
from typing import Any

import pytest

from mall import SERVICES
from tests.cases.markdown import ROOT
from tests.mall.own_groups import own_groups

TOPICS = ROOT / "schemas" / "topics.toml"
SETTINGS = ROOT / "treaty.toml"
NOT_BUILT: set[str] = set()
"""Declared, so that whoever changes an event knows of them; `docs/services.md` lists what they will read. A built one leaves this set."""
Reads = set[tuple[str, str, str, str]]


def declared(topics: dict[str, Any]) -> Reads:
    """Service, group, topic and event of every declared reader."""
    return {
        (consumer["service"], group, topic, event.rpartition(".")[2])
        for topic, table in topics["topic"].items()
        for group, consumer in table.get("consumer", {}).items()
        for event in consumer.get("events", table["events"])
    }


def written() -> Reads:
    """The same of the services' code."""
    return {
        (service, group.name, event.__topic__, event.__name__)
        for service, own in own_groups().items()
        for group in own
        for event in group.handlers.events
    }


def test_code_and_declaration_name_the_same_readers() -> None:
    topics = tomllib.loads(TOPICS.read_text(encoding="utf-8"))
    ours = {row for row in declared(topics) if row[0] not in NOT_BUILT}
    assert written() == ours


def test_every_declared_service_is_built_or_said_not_to_be() -> None:
    topics = tomllib.loads(TOPICS.read_text(encoding="utf-8"))
    assert set(topics["service"]) == {*SERVICES, *NOT_BUILT}
    assert NOT_BUILT.isdisjoint(SERVICES)
    assert {row[0] for row in declared(topics)} <= set(topics["service"])


def test_the_local_stack_starts_what_is_built() -> None:
    settings = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
    assert settings["local"]["services"] == list(SERVICES)
    assert set(settings["local"]["ports"]) == set(SERVICES)


def published(service: str) -> set[tuple[str, str]]:
    """Topic and event of every event class that the service's code makes."""
    found = set()
    for path in sorted((ROOT / "services/src/mall" / service).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        homes = {
            alias.asname or alias.name: str(node.module)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("mall_events.")
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in homes:
                made = getattr(importlib.import_module(homes[node.func.id]), node.func.id)
                if getattr(made, "__topic__", ""):
                    found.add((made.__topic__, made.__name__))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_makes_the_events_that_it_names_on_topics_that_name_it(service: str) -> None:
    topics = tomllib.loads(TOPICS.read_text(encoding="utf-8"))
    named = getattr(importlib.import_module(SERVICES[service]), "PUBLISHES", ())
    assert {(event.__topic__, event.__name__) for event in named} == published(service)
    assert all({service, "*"} & set(topics["topic"][event.__topic__]["producers"]) for event in named)


def test_dead_letters_go_where_they_are_declared() -> None:
    topics = tomllib.loads(TOPICS.read_text(encoding="utf-8"))
    for service, groups in own_groups().items():
        assert {group.dead_letter for group in groups} == {topics["service"][service]["dead_letter"]}
