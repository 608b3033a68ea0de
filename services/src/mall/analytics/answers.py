"""Counters as clients see them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class LiveAnswer(BaseModel):
    """Counters: of this minute and the one before, of sixty minutes, of the UTC day. `gmv_paid_minor` is in minor units."""

    at: datetime
    last_minutes: dict[str, int]
    last_hour: dict[str, int]
    today: dict[str, int]


class Accepted(BaseModel):
    """The event is kept and will be published under this id."""

    event_id: str
