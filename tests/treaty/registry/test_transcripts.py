"""What Confluent's clients see, page by page, on every store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.cases.markdown import ROOT, Case, cases
from tests.treaty.registry.conftest import SHARED
from tests.treaty.registry.transcripts import Transcript, profiles
from treaty.registry.http.app import create_app
from treaty.registry.settings import WireProfile
from treaty.registry.stores.protocol import Store

PAGES = sorted((ROOT / "compat-tests" / "confluent").glob("*.md"))
CASES = [case for page in PAGES for case in cases(page)]


def test_every_resource_has_a_page() -> None:
    routes = Path(ROOT, "platform/tool/src/treaty/registry/http/routes").glob("[a-z]*.py")
    assert {route.stem for route in routes} <= {page.stem for page in PAGES}


@pytest.mark.snapshot
@pytest.mark.parametrize("kind", ["memory", *SHARED])
@pytest.mark.parametrize(
    ("case", "profile"),
    [(case, profile) for case in CASES for profile in profiles(case)],
    ids=lambda value: f"{value.path.stem}: {value.title}" if isinstance(value, Case) else value,
)
def test_a_transcript_is_answered_as_written(
    case: Case, profile: WireProfile, kind: str, new_store: Callable[[str], Store]
) -> None:
    transcript = Transcript(case, profile)
    # Without a socket: some hundred servers more would only cost time; the other tests of this folder have real ones.
    with TestClient(create_app(new_store(kind), settings=transcript.settings)) as client:
        transcript.play(client)
