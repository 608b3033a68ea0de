"""The channel that moves real money: what the service asks of it.

Law: nothing here is called inside a transaction of ours. The channel keeps its own books, and each call is repeated after a crash.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from mall.payment.domain import Answer


class ChannelSilent(Exception):
    """The channel did not answer: it may have moved the money or not; ask again with the same id."""


class Channel(Protocol):
    """A payment provider. Every method may raise ChannelSilent, and repeats with one id move the money once."""

    async def charge(self, payment_id: UUID, *, amount: int, currency: str) -> Answer:
        """Take an amount in minor units from the payer."""

    async def find(self, payment_id: UUID) -> Answer | None:
        """What became of a charge; None if none was ever asked for."""

    async def refund(self, refund_id: UUID, *, payment_id: UUID, amount: int, currency: str) -> Answer:
        """Give the amount of a charge back."""
