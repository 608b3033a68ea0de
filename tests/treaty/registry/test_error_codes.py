"""Which codes of 5xx there are is what the page of the API says."""

from __future__ import annotations

from collections.abc import Iterator

from tests.cases.markdown import ROOT
from treaty.registry.errors import RegistryError

CONFLUENT_ALONE = {"50002", "50003", "50004"}
"""Of a log that answers too late, of a leader that does not answer or is not there: we have neither."""


def kinds(of: type[RegistryError] = RegistryError) -> Iterator[type[RegistryError]]:
    yield of
    for each in of.__subclasses__():
        yield from kinds(each)


def test_codes_of_confluent_that_cannot_occur_are_named_on_the_page_and_nowhere_answered() -> None:
    page = (ROOT / "docs/registry/api.md").read_text(encoding="utf-8")
    assert all(code in page for code in CONFLUENT_ALONE)
    assert {kind.code for kind in kinds() if kind.status >= 500} == {50001, 503}


def test_whatever_says_try_again_later_says_when() -> None:
    """A 500 is a fault of ours, which trying again does not mend."""
    for kind in kinds():
        assert (kind.retry_after_seconds is not None) == (kind.status in (429, 503)), kind
