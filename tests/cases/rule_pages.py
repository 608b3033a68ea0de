"""Runs the cases of rule pages: schemas in, findings out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date

from tests.cases.markdown import Block, Case
from treaty_avro import Version, check, confluent_messages
from treaty_codegen import Catalog, SdkSettings, load_catalog, publish, sdk_index, snake_case, subject_of
from treaty_codegen.breaking import breaking, registry_disagrees, released_set_changed
from treaty_codegen.breaking.registry_disagrees import TwoVerdicts
from treaty_codegen.breaking.released_set_changed import ReleasedFile
from treaty_codegen.breaking.waiving import Judge
from treaty_codegen.finding import Finding
from treaty_codegen.lint import Choice, facts_of, lint
from treaty_codegen.old_set import old_set
from treaty_codegen.places import Places
from treaty_codegen.readers import Scan, scan
from treaty_codegen.released import Released
from treaty_codegen.render import text
from treaty_codegen.waivers import Waivers, read_waivers

TODAY = date(2026, 12, 1)


def lint_findings(case: Case, rule: str) -> str:
    """What one lint rule says of the case's schemas, its ``toml`` and its ``toml waivers``.

    ``json PATH`` blocks are files of examples; ``avsc released`` blocks make a released set.
    """
    topics = next((block.text for block in case.of("toml") if not block.argument), None)
    files = dict(file_of(block) for block in case.of("avsc") if block.argument != "released")
    examples = {block.argument: block.text for block in case.of("json")}
    catalog = load_catalog(files, topics=topics, examples=examples)
    facts = facts_of(
        catalog,
        namespace="mall",
        ignores=waivers_of(case).ignores,
        scans=scans_of(case, catalog),
        released=Released(released_texts(case)),
    )
    # What is unused depends on what all other rules find.
    found = lint(facts, Choice(use=["strict"] if rule == "ignore-unused" else [rule]))
    return text(row for row in found if row.rule == rule)


def released_texts(case: Case) -> list[dict[str, str]]:
    """The ``avsc released`` blocks of a case as one released set: each record and its published text."""
    files = dict(file_of(block) for block in case.of("avsc") if block.argument == "released")
    return (
        [{file.full_name: publish(file) for file in load_catalog(files, topics=None).files.values()}] if files else []
    )


def scans_of(case: Case, catalog: Catalog) -> Iterator[tuple[str, Scan]]:
    """What each service reads, by the ``python SERVICE`` blocks of a case."""
    events = {event for topic in catalog.topics.values() for event in topic.events}
    settings = SdkSettings(package="mall_events", distribution="mall-events", namespace="mall", version="1.0.0")
    for block in case.of("python"):
        sources = {f"services/{block.argument}/handlers.py": block.text}
        yield block.argument, scan(sources, sdk_index(catalog, settings), events=events)


def waivers_of(case: Case) -> Waivers:
    """The ``toml waivers`` block of a case."""
    return read_waivers("".join(block.text for block in case.of("toml") if block.argument == "waivers"))


def breaking_findings(case: Case, rule: str) -> str:
    """What one breaking rule says of the change from ``old`` to ``new``; other rules may fire too and are not shown.

    A case with ``older`` blocks has two releases: 1.1.0 (``old``) and 1.0.0 (``older``). It is the first of December 2026.
    """
    if rule in FACTS_OF_THEIR_OWN:
        return text(FACTS_OF_THEIR_OWN[rule](case))
    has_older = any(block.argument.split()[:1] == ["older"] for block in case.of("avsc"))
    labels = {"old": "release 1.1.0", "older": "release 1.0.0"} if has_older else {"old": "release 1.0.0"}
    sets = [old_set(side(case, name), label=label) for name, label in labels.items()]
    new = side(case, "new")
    found = breaking(new, sets, today=TODAY)
    judge = Judge(catalog=new, today=TODAY, pii_owner="@mall/privacy", approvals=approvals(case))
    return text(row for row in judge.apply(found, waivers_of(case).waivers) if row.rule == rule)


def approvals(case: Case) -> frozenset[str] | None:
    """Who really approved: the list in a ``json approvals`` block, if there is one."""
    block = next((block for block in case.of("json") if block.argument == "approvals"), None)
    return None if block is None else frozenset(json.loads(block.text)["approved_by"])


def released_files(case: Case) -> Iterator[Finding]:
    """A case's ``json released`` and ``json now`` blocks as files of a release and its tag; no ``now``: the file is gone."""
    before = {
        block.argument.split()[1]: block.text for block in case.of("json") if block.argument.startswith("released")
    }
    now = {block.argument.split()[1]: block.text for block in case.of("json") if block.argument.startswith("now")}
    return released_set_changed.check(
        ReleasedFile(
            path=path,
            witness="tag schemas/v1.0.0",
            before=body.encode(),
            now=now[path].encode() if path in now else None,
        )
        for path, body in before.items()
    )


def registry_answers(case: Case) -> Iterator[Finding]:
    """The change from ``old`` to ``new`` as treaty judges it, beside a registry's answer (a ``json answer`` block)."""
    old, new = side(case, "old"), side(case, "new")
    answer = json.loads(case.of("json")[0].text)
    rows = []
    for topic in new.topics.values():
        for event in topic.events:
            before, after = (catalog.by_name[event].schema for catalog in (old, new))
            verdict = check(Version(None, after, ""), [Version(1, before, "")], "FULL_TRANSITIVE")
            rows.append(
                TwoVerdicts(
                    event=event,
                    subject=subject_of(topic, event=event),
                    registry="registry prod",
                    level="FULL_TRANSITIVE",
                    ours=tuple(confluent_messages(verdict)),
                    theirs=() if answer["is_compatible"] else tuple(answer["messages"]),
                )
            )
    return registry_disagrees.check(rows, new, places=Places(new))


FACTS_OF_THEIR_OWN: dict[str, Callable[[Case], Iterator[Finding]]] = {
    "released-set-changed": released_files,
    "registry-disagrees": registry_answers,
}
"""Rules that look at more than two catalogs."""


def side(case: Case, name: str) -> Catalog:
    """The catalog of one side; a topic for all its records is made up unless the case brings ``toml`` of its own."""
    files = dict(file_of(block) for block in case.of("avsc") if block.argument.split()[:1] == [name])
    own = next((block.text for block in case.of("toml") if block.argument.split()[:1] == [name]), None)
    return load_catalog(files, topics=own or topics_for(files))


def topics_for(files: dict[str, str]) -> str:
    """One topic that carries every record but those that others refer to."""
    parsed = [json.loads(text) for text in files.values()]
    names = [f"{body.get('namespace', '')}.{body['name']}".lstrip(".") for body in parsed if body["type"] == "record"]
    records = [name for name in names if not any(f'"{name}"' in text for text in files.values())]
    return f"""format = 1
[topic."order-events"]
doc = "Orders."
owner = "@mall/orders"
events = {json.dumps(records)}
producers = ["order"]
"""


def file_of(block: Block) -> tuple[str, str]:
    """(path, text) of an ``avsc`` block: the path from its info string, else from namespace and name."""
    path = next((word for word in block.argument.split() if word.endswith(".avsc")), None)
    if path is None:
        body = json.loads(block.text)
        folder = body.get("namespace", "").removeprefix("mall").lstrip(".").replace(".", "/")
        path = f"{folder}/{snake_case(body['name'])}.avsc".lstrip("/")
    return path, block.text
