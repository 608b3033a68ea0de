"""Column types all services share, the same on SQLite and Postgres."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, TypeDecorator

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A primary key that counts by itself: SQLite only does that for INTEGER."""


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite would drop the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Send UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # as above
        """Give UTC back, whatever zone the connection has."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """decimal(12,2), kept as a whole number of hundredths: SQLite has no exact decimal."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002  # as above
        """Send hundredths; raises ValueError for more than two decimals."""
        return None if value is None else to_minor(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002  # as above
        """Give the amount back with two decimals."""
        return None if value is None else Decimal(value).scaleb(-2)


def to_minor(amount: Decimal) -> int:
    """The amount in hundredths, exactly; raises ValueError if it has more than two decimals."""
    minor = amount.scaleb(2)
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} has more than two decimals")
    return int(minor)
