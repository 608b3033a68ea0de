"""The chat service's tables."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, MetaData, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from mall.chat.domain import Conversation, Listing
from mall.columns import BigId, Moment
from mall.idempotency import IdempotencyKeys
from mall_events.goods import GoodsStatus

metadata = MetaData()
idempotency_keys = IdempotencyKeys(metadata)


class Tables(SQLModel, registry=registry(metadata=metadata)):
    """The tables of this service, apart from other services'."""


class ConversationRow(Tables, table=True):
    """One conversation."""

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("goods_id", "buyer_id"),
        Index("conversation_buyer", "buyer_id", "id"),
        Index("conversation_seller", "seller_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=Column(BigId, Identity(), primary_key=True))
    goods_id: int = Field(sa_type=BigInteger)
    buyer_id: int = Field(sa_type=BigInteger)
    seller_id: int = Field(sa_type=BigInteger)
    is_open: bool = True
    last_sequence: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime = Field(sa_type=Moment)

    def value(self) -> Conversation:
        """The row as decisions see it; the row must have been written."""
        if self.id is None:
            raise ValueError("The conversation was not written yet; flush the session first.")
        return Conversation(conversation_id=self.id, **self.model_dump(exclude={"id", "created_at"}))


class MessageRow(Tables, table=True):
    """One message."""

    __tablename__ = "message"
    __table_args__ = (UniqueConstraint("conversation_id", "sequence"),)

    message_id: UUID = Field(primary_key=True)
    conversation_id: int = Field(sa_type=BigInteger, foreign_key="conversation.id")
    sequence: int = Field(sa_type=BigInteger)
    sender_id: int = Field(sa_type=BigInteger)
    recipient_id: int = Field(sa_type=BigInteger)
    text: str
    sent_at: datetime = Field(sa_type=Moment)
    read_at: datetime | None = Field(default=None, sa_type=Moment)


class ListingRow(Tables, table=True):
    """A copy of goods, from GoodsUpdated."""

    __tablename__ = "listing"

    goods_id: int = Field(primary_key=True, sa_type=BigInteger)
    seller_id: int = Field(sa_type=BigInteger)
    title: str
    status: str
    version: int = Field(sa_type=BigInteger)

    def value(self) -> Listing:
        """The row as decisions see it."""
        return Listing(status=GoodsStatus[self.status], **self.model_dump(exclude={"status"}))
