"""The key of a record: the given one, else the event's own, of 1 to 512 bytes without a zero."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from treaty_runtime.errors import InvalidKey
from treaty_runtime.publish.record_key import diagnostic_key, key_of


class Keyed:
    """Has a key of its own."""

    __avro_fullname__ = "mall.order.OrderPaid"

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __key__(self) -> str | None:
        return self._key


class Keyless:
    """Declares none."""

    __avro_fullname__ = "mall.order.OrderPaid"


@pytest.mark.parametrize(
    ("event", "given", "key"),
    [
        (Keyed("own"), None, "own"),
        (Keyed("own"), "given", "given"),
        (Keyed(None), None, None),
        (Keyless(), None, None),
        (Keyless(), "given", "given"),
        (Keyless(), "x", "x"),
        (Keyless(), "x" * 512, "x" * 512),
        (Keyless(), "é", "é"),
        (Keyless(), "é" * 256, "é" * 256),
    ],
)
def test_the_given_key_comes_before_the_events_own(event: Any, given: str | None, key: str | None) -> None:
    assert key_of(event, given=given) == key


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("", "has 0 bytes"),
        ("x" * 513, "has 513 bytes"),
        ("é" * 257, "has 514 bytes"),
        ("a\x00b", "has 3 bytes"),
        ("é\x00", "has 3 bytes"),
        ("\ud800" + "x" * 90, "is no Unicode text: '\\ud800" + "x" * 79 + "'."),
    ],
)
def test_a_key_that_cannot_be_kept_is_refused_and_says_why(key: str, told: str) -> None:
    with pytest.raises(InvalidKey) as caught:
        key_of(Keyed(key))  # type: ignore[arg-type]  # of an event only its key is asked for
    assert told in str(caught.value)
    assert str(caught.value).startswith("The key of mall.order.OrderPaid ")


def test_an_event_without_a_key_shares_its_key_with_no_other() -> None:
    assert diagnostic_key(UUID(int=7)) == "diag-00000000-0000-0000-0000-000000000007"
