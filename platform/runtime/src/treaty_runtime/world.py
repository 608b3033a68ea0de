"""What a program takes from outside itself: the time and chance. Tests pass their own."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from treaty_runtime.clock import utcnow


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`now` is aware, `clock` monotonic in seconds, `random` in [0, 1), `entropy(n)` n unguessable bytes."""

    now: Callable[[], datetime] = utcnow
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    entropy: Callable[[int], bytes] = os.urandom
