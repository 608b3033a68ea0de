"""How objects of a class are filled fastest without running its ``__init__``.

A frozen class with slots refuses assignment, and its slots' own ``__set__`` costs a call for each attribute. A *twin*, a
class of the same slots that is not frozen, takes plain assignments; when it is full, its class is changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from treaty_avro.plan.binding import is_slotted
from treaty_avro.straightline.source import is_plain


def twin(cls: type, attributes: Sequence[str]) -> type | None:
    """A class whose full objects can become objects of ``cls``; None where the interpreter does not allow that."""
    if not is_slotted(cls, attributes) or not all(map(is_plain, attributes)):
        return None
    weak = ("__weakref__",) if cls.__weakrefoffset__ else ()
    made: type = type("Twin", (), {"__slots__": (*attributes, *weak)})
    try:
        made().__class__ = cls
    except TypeError:
        return None
    return made
