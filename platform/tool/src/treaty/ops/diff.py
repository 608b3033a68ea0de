"""Facts between any two sides: commits, folders, releases, registries, the working tree. No verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from treaty.config import Settings
from treaty.errors import UsageError
from treaty.ops import git
from treaty.ops.baseline import MERGE_BASE, RELEASES, at_commit, in_folder, releases
from treaty.ops.http import RegistryHttp
from treaty.ops.registry_sides import look, old_sets
from treaty.ops.schemas import load_project
from treaty_avro import AvroError, parse
from treaty_codegen.diff import Change, diff
from treaty_codegen.old_set import OldEvent, OldSet, old_set

TREE = "tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One difference of one event; ``path`` names what changed within it ("": the event)."""

    event: str
    kind: str
    path: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        sign = "+" if self.kind.endswith("-added") else "-" if self.kind.endswith("-removed") else "~"
        values = " → ".join(filter(None, (self.before, self.after)))
        name = f"{self.event}.{self.path}" if self.path else self.event
        return f"{sign} {self.kind:20} {name}" + (f"  {values}" if values else "")

    def as_json(self) -> dict[str, str]:
        """The fact as a JSON object."""
        return asdict(self)


def side(settings: Settings, name: str, *, connect: Callable[[str], RegistryHttp]) -> OldSet:
    """What a name means: ``tree``, ``merge-base``, ``release:1.4.0``, ``registry:prod``, ``dir:PATH``, ``git:REF`` or a bare ref.

    Raises ``UsageError`` for what is not there.
    """
    kind, _, value = name.partition(":")
    if name == TREE:
        return old_set(load_project(settings), label="the working tree")
    if name == MERGE_BASE:
        branch, commit = git.merge_base(settings.root, "")
        return at_commit(settings, commit, label=f"merge base with {branch}")
    if kind == "dir" and value:
        return in_folder(Path(value))
    if kind == "release" and value:
        return released(settings, value)
    if kind == "registry" and value:
        return registered(settings, value, connect)
    ref = value if kind == "git" and value else name
    return at_commit(settings, ref, label=f"git {ref}")


def released(settings: Settings, version: str) -> OldSet:
    """One released set."""
    found = {old.label: old for old in releases(settings.folder("schemas") / RELEASES)}
    if f"release {version}" not in found:
        known = ", ".join(label.removeprefix("release ") for label in found) or "none yet"
        raise UsageError(f"There is no release {version}.", next_step=f"there are: {known}")
    return found[f"release {version}"]


def registered(settings: Settings, environment: str, connect: Callable[[str], RegistryHttp]) -> OldSet:
    """The newest version of every subject that git declares."""
    catalog = load_project(settings)
    with connect(environment) as registry:
        sets = old_sets(look(catalog, registry, environment=environment), catalog)
    newest: dict[str, OldEvent] = {}
    for old in sets:
        newest = {**old.events, **newest}
    return OldSet(label=f"registry {environment}", events=newest)


def facts(before: OldSet, after: OldSet) -> Iterator[Fact]:
    """Every difference, events in alphabetical order; a shared type's change is told for each event that holds it."""
    for name in sorted({*before.events, *after.events}):
        old, new = before.events.get(name), after.events.get(name)
        if old is None or new is None:
            yield Fact(event=name, kind="event-added" if old is None else "event-removed")
            continue
        yield from settings_changed(name, old, new)
        if old.text != new.text:
            for change in changes(name, old, new):
                yield Fact(event=name, kind=change.kind, path=change.path, before=change.before, after=change.after)


def settings_changed(name: str, old: OldEvent, new: OldEvent) -> Iterator[Fact]:
    """What changed about an event's topic, key and level."""
    for what in ("topic", "key", "level"):
        one, other = getattr(old, what), getattr(new, what)
        if one != other:
            yield Fact(event=name, kind=f"{what}-changed", before=one or "none", after=other or "none")


def changes(name: str, old: OldEvent, new: OldEvent) -> list[Change]:
    """What changed in an event's schema. Raises ``UsageError`` for a text that does not parse."""
    try:
        one, other = (parse(each.text, rules="stored", path=name) for each in (old, new))
    except AvroError as error:
        raise UsageError(f"A version of {name} cannot be compared: {error}") from error
    return diff(one.root, other.root)
