"""The environment variables that begin with ``TREATY_``: which there are, and which one a misspelt name was to be.

A key of ``treaty.toml`` that nobody knows is refused, for the file is the project's own. Variables belong to a shell or a
runner that others use too, with other projects and other versions of this command: they are told of, and nothing ends.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from treaty.config import DEFAULTS, ENVIRONMENT_KEYS, SECRET_KEYS, variable_of

OURS: Final = "TREATY_"

READ: Final[Mapping[str, str]] = {
    "TREATY_CACHE": "Folder of the cache and of the downloads of `treaty up`, instead of `~/.cache/treaty`",
    "TREATY_DEBUG": "Anything: every fault comes with its stack trace, as `--debug` says for one call",
    "TREATY_SERVICE_TOKEN_FILE": "The file that holds the token for a service, as `--token-file` of `treaty dlq dry-run` names it",
    "TREATY_JAVA": "The Java of the local Kafka: its program or its folder",
    "TREATY_PG_BIN": "Folder of PostgreSQL's programs, for the local PostgreSQL",
    "TREATY_REDIS_SERVER": "The program of the local Redis",
    "TREATY_MAVEN_REPO": "Comma list of Maven repositories that Kafka's jars are taken from",
    "TREATY_M2": "Maven's own folder, instead of `~/.m2`: its settings name mirrors",
    "TREATY_CHROME": "The browser of the tests, and of the exercises' pages",
}
"""What a command or its tests read beside settings, and what it is; ``docs/settings.md`` shows it."""

FAMILIES: Final = tuple(
    f"{OURS}{name}" for name in ("VAR_", "TEST_", "E2E_", "RELIABILITY_", "BENCH_", "REVIEW_", "SNAPSHOTS", "OTHER_")
)
"""How names begin that are the project file's own (``${TREATY_VAR_NAME}``), the tests', the benchmarks' or the action's."""
OTHERS: Final = tuple(
    f"{OURS}{name}" for name in ("APPROVED", "BOT", "ORG_TOKEN", "READER_TOKEN", "REGISTRY", "WRITER_TOKEN")
)
"""Of the workflows."""

OF_AN_ENVIRONMENT: Final = re.compile(r"TREATY_ENVIRONMENT_(.+)__(.+)")


def strangers(env: Mapping[str, str], *, environments: Collection[str] = ()) -> Iterator[str]:
    """A sentence for each variable that begins like ours and that nothing reads; ``environments``: those of the project."""
    known = sorted([*READ, *settings(), *OTHERS])
    for name in sorted(env):
        if name.startswith(OURS) and name not in known and not name.startswith(FAMILIES):
            told = of_environment(name, environments) if OF_AN_ENVIRONMENT.fullmatch(name) else nearest(name, known)
            if told is not None:
                yield f"{name} is set, and nothing reads it{told}"


def settings() -> Iterator[str]:
    """The variable of each key of ``treaty.toml``."""
    for section, keys in DEFAULTS.items():
        yield from (f"{OURS}{section}__{key}".upper() for key in keys)


def of_environment(name: str, environments: Collection[str]) -> str | None:
    """What is to be said of the variable of an environment; nothing of one that may be another project's."""
    found = OF_AN_ENVIRONMENT.fullmatch(name)
    keys = sorted(ENVIRONMENT_KEYS | SECRET_KEYS)
    own = [variable_of(each, key) for each in environments for key in keys]
    if found is None or name in own:
        return None
    close = get_close_matches(name, own, n=1, cutoff=0.9)
    if close:
        return nearest(name, close)
    return (
        None
        if found[2].lower() in keys
        else nearest(name, [f"TREATY_ENVIRONMENT_{found[1]}__{key}".upper() for key in keys])
    )


def nearest(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f": did you mean {close[0]}?" if close else "; docs/settings.md lists what is read."
