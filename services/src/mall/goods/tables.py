"""The goods service's tables."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Column, Identity, Index, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from mall.columns import BigId, Moment, Money
from mall.goods.domain import Goods
from mall.idempotency import IdempotencyKeys
from mall_events.goods import GoodsStatus

metadata = MetaData()
idempotency_keys = IdempotencyKeys(metadata)


class Tables(SQLModel, registry=registry(metadata=metadata)):
    """The tables of this service, apart from other services'."""


class GoodsRow(Tables, table=True):
    """Goods of one seller; `available` is what the order service said last."""

    __tablename__ = "goods"
    __table_args__ = (
        Index("goods_by_status", "status", "id"),
        Index("goods_by_seller", "seller_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=Column(BigId, Identity(), primary_key=True))
    seller_id: int = Field(sa_type=BigInteger)
    title: str
    description: str
    category: str
    price: Decimal = Field(sa_type=Money)
    currency: str
    status: str
    listed_quantity: int
    available: int | None = None
    version: int = Field(default=1, sa_type=BigInteger)
    stock_version: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)

    def value(self) -> Goods:
        """The row as decisions see it; the row must have been written."""
        if self.id is None:
            raise ValueError("The goods were not written yet; flush the session first.")
        fields = self.model_dump(exclude={"id", "status", "created_at", "updated_at"})
        return Goods(goods_id=self.id, status=GoodsStatus[self.status], **fields)

    def take(self, goods: Goods, *, now: datetime) -> None:
        """Write what a decision changed."""
        self.title, self.description, self.category = goods.title, goods.description, goods.category
        self.price, self.listed_quantity = goods.price, goods.listed_quantity
        self.status, self.version = goods.status.name, goods.version
        self.available, self.stock_version = goods.available, goods.stock_version
        self.updated_at = now


class GoodsImageRow(Tables, table=True):
    """A picture of goods; `name` is the file's. Shown in the order in which they came."""

    __tablename__ = "goods_image"
    __table_args__ = (Index("goods_image_by_goods", "goods_id", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, sa_column=Column(BigId, Identity(), primary_key=True))
    goods_id: int = Field(sa_type=BigInteger)
    name: str = Field(unique=True)
    size_bytes: int
    created_at: datetime = Field(sa_type=Moment)


class GoodsViewRow(Tables, table=True):
    """When a session last looked at goods, so that a reload is not a second view."""

    __tablename__ = "goods_view"

    session_id: str = Field(primary_key=True, max_length=100)
    goods_id: int = Field(primary_key=True, sa_type=BigInteger)
    viewed_at: datetime = Field(sa_type=Moment)
