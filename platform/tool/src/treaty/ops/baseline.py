"""The old sides that a change is compared with: commits, folders, the releases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from treaty.config import Settings, nearest
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops import git
from treaty.ops.schemas import TOPICS, read_tree
from treaty_avro import AvroError
from treaty_codegen import Catalog, CodegenError, load_catalog
from treaty_codegen.old_set import OldEvent, OldSet, OldTopic, old_set
from treaty_codegen.quantities import duration, span

RELEASES = "releases"
MERGE_BASE = "merge-base"
REGISTRY = "registry"
"""Every live version of an environment's registry: `treaty.ops.registry_sides` asks for them."""
SET = "set.json"


def baselines(settings: Settings, against: Iterable[str], *, base: str = "") -> list[OldSet]:
    """Old sets, newest first: ``merge-base``, ``git:REF`` and ``dir:PATH`` in the order given, then ``releases``.

    ``base`` is the branch whose merge base is meant ("": what ``origin`` calls its head, else ``main``). Raises ``UsageError``
    for an unknown kind, an unknown ref, or a baseline that does not parse.
    """
    names = tuple(dict.fromkeys(against))
    sets: list[OldSet] = []
    for name in names:
        if name in {RELEASES, REGISTRY}:
            continue
        kind, _, value = name.partition(":")
        if kind == "git" and value:
            sets.append(at_commit(settings, value, label=f"git {value}"))
        elif kind == "dir" and value:
            sets.append(in_folder(Path(value)))
        elif name == MERGE_BASE:
            branch, commit = git.merge_base(settings.root, base)
            sets.append(at_commit(settings, commit, label=f"merge base with {branch}"))
        else:
            raise UsageError(f"--against {name}: say merge-base, releases, registry, git:REF or dir:PATH.")
    return sets + (releases(settings.folder("schemas") / RELEASES) if RELEASES in names else [])


def require_base(settings: Settings, base: str) -> None:
    """Raises ``UsageError`` for a branch that git does not know here; a shallow or partial clone may lack a real one."""
    if not base:
        return
    git.commit_of(
        settings.root, "HEAD"
    )  # without a repository or a commit no name helps: git's own sentence says what does
    try:
        git.merge_base(settings.root, base)
    except EnvironmentFault:
        return
    except UsageError as error:
        sentence = f"--base {base}: {str(error).removesuffix('.')}{nearest(base, git.branches(settings.root))}"
        raise UsageError(sentence, next_step="name a branch, a tag or a commit, or leave --base out") from error


def at_commit(settings: Settings, ref: str, *, label: str) -> OldSet:
    return old_set(catalog_at(settings, ref, label=label), label=label)


def catalog_at(settings: Settings, ref: str, *, label: str) -> Catalog:
    """The catalog as a commit has it. Raises ``UsageError`` for an unknown ref, or schemas that do not parse."""
    files = git.files_at(settings.root, ref, settings.folder("schemas"))
    texts = {path: decode(path, data) for path, data in files.items() if path.endswith(".avsc")}
    topics = decode(TOPICS, files[TOPICS]) if TOPICS in files else None
    return catalog_of(texts, topics, label=label)


def in_folder(folder: Path) -> OldSet:
    if not folder.is_dir():
        raise UsageError(f"--against dir:{folder}: there is no such folder.")
    tree = read_tree(folder)
    for each in tree.unread:
        raise UsageError(f"{folder / each.path} cannot be compared with: {each.reason}")
    return old_set(catalog_of(tree.schemas, tree.topics, label=str(folder)), label=f"dir {folder}")


def catalog_of(texts: Mapping[str, str], topics: str | None, *, label: str) -> Catalog:
    try:
        return load_catalog(texts, topics=topics)
    except (AvroError, CodegenError) as error:
        raise UsageError(f"{label} cannot be compared with: {error}") from error


def decode(path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start}).") from error


def releases(folder: Path) -> list[OldSet]:
    """Every released set, newest first; none before the first release."""
    return list(each_release(folder))


def each_release(folder: Path) -> Iterator[OldSet]:
    """The same, each read when its turn comes."""
    return (read_set(path / SET) for path in release_folders(folder))


def release_folders(folder: Path) -> list[Path]:
    """The folder of every release, newest first; what begins with a dot was never finished."""
    found = [path.parent for path in folder.glob(f"*/{SET}") if path.is_file() and not path.parent.name.startswith(".")]
    return sorted(found, key=lambda path: version_key(path.name), reverse=True)


def version_key(version: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in version.split("."))
    except ValueError as error:
        raise UsageError(f"releases/{version}: a release is named by its version, like 1.4.0.") from error


def read_set(path: Path) -> OldSet:
    """One ``set.json``. Raises ``UsageError`` if it is not one."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        events = {name: old_event(event) for name, event in body["events"].items()}
        topics = {name: old_topic(topic) for name, topic in body.get("topics", {}).items()}
        return OldSet(label=f"release {body['version']}", events=events, topics=topics)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} is not a released set: {error}", next_step="git restore it: releases are append-only"
        ) from error


def old_event(body: Mapping[str, Any]) -> OldEvent:
    if not {str}.issuperset(map(type, body.values())):
        raise TypeError("every member of an event is a text")
    return OldEvent(**body)


def old_topic(body: Mapping[str, Any]) -> OldTopic:
    return OldTopic(
        owner=member(body["owner"]),
        partitions={env: int(count) for env, count in body["partitions"].items()},
        retention={env: duration(text) for env, text in body["retention"].items()},
    )


def member(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def set_document(released: OldSet, contracts: Mapping[str, str], *, version: str) -> dict[str, Any]:
    """A released set as ``set.json`` holds it; ``contracts``: the version of each event's contract."""
    return {
        "version": version,
        "events": {
            name: {
                "text": e.text,
                "topic": e.topic,
                "key": e.key,
                "level": e.level,
                "version": version,
                "contract": contracts[name],
            }
            for name, e in sorted(released.events.items())
        },
        "topics": {
            name: {
                "owner": topic.owner,
                "partitions": dict(topic.partitions),
                "retention": {env: span(value) for env, value in topic.retention.items()},
            }
            for name, topic in sorted(released.topics.items())
        },
    }
