"""The search service's tables."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Index, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from mall.columns import Moment, Money

metadata = MetaData()


class Tables(SQLModel, registry=registry(metadata=metadata)):
    """The tables of this service, apart from other services'."""


class SearchGoodsRow(Tables, table=True):
    """What an answer shows of goods; the row stays when they leave the shelf, so that an older event cannot bring them back."""

    __tablename__ = "search_goods"
    __table_args__ = (Index("search_goods_by_category", "category_key", "goods_id"),)

    goods_id: int = Field(primary_key=True, sa_type=BigInteger)
    version: int = Field(sa_type=BigInteger)
    seller_id: int = Field(sa_type=BigInteger)
    title: str
    category: str
    category_key: str
    price: Decimal = Field(sa_type=Money)
    currency: str
    status: str
    is_for_sale: bool


class SearchTermRow(Tables, table=True):
    """One term of goods that are for sale."""

    __tablename__ = "search_term"
    __table_args__ = (Index("search_term_of_goods", "goods_id"),)

    term: str = Field(primary_key=True)
    goods_id: int = Field(primary_key=True, sa_type=BigInteger)
    weight: int


class CoViewRow(Tables, table=True):
    """The last look of a session at goods; its last 20 goods are kept, and stand for "looked at together"."""

    __tablename__ = "co_view"
    __table_args__ = (Index("co_view_of_goods", "goods_id", "viewed_at"), Index("co_view_by_age", "viewed_at"))

    session_id: str = Field(primary_key=True)
    goods_id: int = Field(primary_key=True, sa_type=BigInteger)
    viewed_at: datetime = Field(sa_type=Moment)
