"""Version numbers after a permanent delete: again from one, as Confluent's, or never again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.treaty.registry.asking import asking
from tests.treaty.registry.conftest import SHARED
from treaty.registry.settings import RegistrySettings, VersionNumbers
from treaty.registry.stores.protocol import Store
from treaty.registry.testing import registry


@pytest.mark.parametrize("kind", ["memory", *SHARED])
@pytest.mark.parametrize(("numbers", "next_number"), [("confluent", 1), ("never_reuse", 3)])
def test_numbers_come_again_unless_they_are_told_not_to(
    kind: str, numbers: VersionNumbers, next_number: int, new_store: Callable[[str], Store]
) -> None:
    settings = RegistrySettings(version_numbers=numbers)
    with registry(new_store(kind), settings=settings) as url, asking(url) as client:
        client.put("/config", json={"compatibility": "NONE"})
        for text in ('"int"', '"string"'):
            client.post("/subjects/s/versions", json={"schema": text})
        client.delete("/subjects/s")
        client.delete("/subjects/s?permanent=true")
        answer = client.post("/subjects/s/versions", json={"schema": '"bytes"'}).json()
        assert (answer["version"], answer["id"]) == (next_number, 3)


def test_another_way_to_count_is_refused_by_name() -> None:
    with pytest.raises(Exception, match="write confluent or never_reuse"):
        RegistrySettings(version_numbers="backwards").require_sense()  # type: ignore[arg-type]  # what is refused
