"""What Confluent's clients see, page by page, on every store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.cases.markdown import ROOT, Case, cases
from tests.treaty.registry.transcripts import Transcript, profiles
from treaty.registry.http.app import create_app
from treaty.registry.settings import WireProfile
from treaty.registry.stores.protocol import Store

PAGES = sorted((ROOT / "compat-tests" / "confluent").glob("*.md"))
CASES = [case for page in PAGES for case in cases(page)]


def test_every_resource_has_a_page() -> None:
    routes = Path(ROOT, "platform/tool/src/treaty/registry/http/routes").glob("[a-z]*.py")
    assert {route.stem for route in routes} <= {page.stem for page in PAGES}


def plays() -> Iterator[Any]:
    """Each case in each version on each store. On PostgreSQL, and to old clients on SQLite, there is little new: where there is time."""
    for case in CASES:
        for profile in profiles(case):
            for kind in ("memory", "sqlite", "postgres"):
                marks = [pytest.mark.postgres] if kind == "postgres" else []
                if kind == "postgres" or (kind == "sqlite" and profile == "7" and len(profiles(case)) > 1):
                    marks.append(pytest.mark.long)
                yield pytest.param(
                    case, profile, kind, marks=marks, id=f"{case.path.stem}: {case.title}-{profile}-{kind}"
                )


@pytest.mark.snapshot
@pytest.mark.parametrize(("case", "profile", "kind"), plays())
def test_a_transcript_is_answered_as_written(
    case: Case, profile: WireProfile, kind: str, new_store: Callable[[str], Store]
) -> None:
    transcript = Transcript(case, profile)
    # Without a socket: some hundred servers more would only cost time; the other tests of this folder have real ones.
    with TestClient(create_app(new_store(kind), settings=transcript.settings)) as client:
        transcript.play(client)
