"""Headers as the client's messages have them, whoever wrote them."""

from __future__ import annotations

from operator import methodcaller
from typing import Any

from treaty_runtime.event import Headers

# Called so, since the interpreter checks what comes back of such a call. Where a name is not UTF-8 the client answers with half-made
# tuples and an error besides (confluent-kafka 2.16); a plain call, once it is quick, would hand these on.
_told = methodcaller("headers")


def headers_of(message: Any) -> Headers:
    """Names and values, in wire order; a value that is null in Kafka is empty to us.

    None at all where one name is not UTF-8: the client gives none then, and the record counts as one that says nothing of itself.
    """
    try:
        told = _told(message) or ()
    except (SystemError, UnicodeDecodeError):
        return ()
    return tuple((name, value if value is not None else b"") for name, value in told)
