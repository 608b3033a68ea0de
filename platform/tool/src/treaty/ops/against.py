"""What the working tree is compared with, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from treaty.ops.http import RegistryHttp


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What the tree is compared with. ``base`` names the branch for ``merge-base``; ``registry`` is that of ``environment``.

    ``judges_all``: what the merge base already has is judged like what is new. ``approvals``: who really approved, if it is known.
    ``proves``: values are looked for that show the damage.
    """

    names: tuple[str, ...] = ()
    base: str = ""
    registry: RegistryHttp | None = None
    environment: str = ""
    judges_all: bool = False
    approvals: frozenset[str] | None = None
    proves: bool = True
