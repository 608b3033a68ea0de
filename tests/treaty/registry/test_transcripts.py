"""What Confluent's clients see, page by page, on every store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.cases.markdown import ROOT, Case, cases
from tests.treaty.registry.conftest import SHARED
from tests.treaty.registry.transcripts import Transcript
from treaty.registry.settings import RegistrySettings
from treaty.registry.store import Store
from treaty.registry.testing import registry

PAGES = sorted((ROOT / "compat-tests" / "confluent").glob("*.md"))
CASES = [case for page in PAGES for case in cases(page)]


def test_every_resource_has_a_page() -> None:
    routes = Path(ROOT, "platform/tool/src/treaty/registry/routes").glob("[a-z]*.py")
    assert {route.stem for route in routes} <= {page.stem for page in PAGES}


@pytest.mark.parametrize("kind", ["memory", *SHARED])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.path.stem}: {case.title}")
def test_a_transcript_is_answered_as_written(case: Case, kind: str, new_store: Callable[[str], Store]) -> None:
    transcript = Transcript(case)
    settings = RegistrySettings(wire_profile=transcript.profile)
    with registry(new_store(kind), settings=settings) as url, httpx.Client(base_url=url) as client:
        transcript.play(client)
