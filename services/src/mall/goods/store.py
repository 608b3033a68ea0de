"""Every query of the goods service; sessions are passed in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.goods.domain import FOR_SALE
from mall.goods.tables import GoodsImageRow, GoodsRow, GoodsViewRow
from mall.upsert import insert

ONE_VIEW_PER = timedelta(seconds=30)
VIEWS_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which goods a list shows: all that are for sale, or every one of `own_by`."""

    category: str | None = None
    seller_id: int | None = None
    title: str | None = None
    own_by: int | None = None


async def find_goods(session: AsyncSession, goods_id: int, *, lock: bool = False) -> GoodsRow | None:
    """The row, locked until the transaction ends if asked for."""
    query = select(GoodsRow).where(col(GoodsRow.id) == goods_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def page(session: AsyncSession, shown: Filter, *, before: int | None, size: int) -> Sequence[GoodsRow]:
    """Up to `size + 1` goods, newest first."""
    query = select(GoodsRow).order_by(col(GoodsRow.id).desc()).limit(size + 1)
    if shown.own_by is not None:
        query = query.where(col(GoodsRow.seller_id) == shown.own_by)
    else:
        query = query.where(or_(*(col(GoodsRow.status) == status.name for status in sorted(FOR_SALE, key=str))))
    if shown.category is not None:
        query = query.where(col(GoodsRow.category) == shown.category)
    if shown.seller_id is not None:
        query = query.where(col(GoodsRow.seller_id) == shown.seller_id)
    if shown.title is not None:
        query = query.where(col(GoodsRow.title).icontains(shown.title, autoescape=True))
    if before is not None:
        query = query.where(col(GoodsRow.id) < before)
    return list(await session.scalars(query))


async def count_view(session: AsyncSession, goods_id: int, *, session_id: str, now: datetime) -> bool:
    """Note that a session looks at goods; False if it did so in the last 30 s."""
    columns = GoodsViewRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not declare it
    row = {"session_id": session_id, "goods_id": goods_id, "viewed_at": now}
    noted = (
        insert(session, GoodsViewRow)
        .values(row)
        .on_conflict_do_update(
            index_elements=["session_id", "goods_id"],
            set_={"viewed_at": now},
            where=columns.viewed_at <= now - ONE_VIEW_PER,
        )
        .returning(columns.goods_id)
    )
    return (await session.execute(noted)).first() is not None


async def forget_views(session: AsyncSession, *, session_id: str, now: datetime) -> None:
    """Drop a session's views that no longer matter."""
    old = col(GoodsViewRow.viewed_at) < now - VIEWS_KEPT
    await session.execute(delete(GoodsViewRow).where(col(GoodsViewRow.session_id) == session_id, old))


async def goods_of(session: AsyncSession, seller_id: int) -> Sequence[GoodsRow]:
    """All goods of a seller, locked in the order of their ids."""
    query = select(GoodsRow).where(col(GoodsRow.seller_id) == seller_id).order_by(col(GoodsRow.id))
    return list(await session.scalars(query.with_for_update()))


# -- pictures


async def images_of(session: AsyncSession, goods_id: int) -> Sequence[str]:
    """Names of the pictures of goods, in their order."""
    return (await images_of_all(session, [goods_id])).get(goods_id, [])


async def images_of_all(session: AsyncSession, goods_ids: Collection[int]) -> dict[int, list[str]]:
    """Names of the pictures by goods; goods without one are left out."""
    query = select(GoodsImageRow).where(col(GoodsImageRow.goods_id).in_(goods_ids)).order_by(col(GoodsImageRow.id))
    found: dict[int, list[str]] = {}
    for row in await session.scalars(query):
        found.setdefault(row.goods_id, []).append(row.name)
    return found


async def named_images(session: AsyncSession, names: Collection[str]) -> set[str]:
    """Which of these files have a row."""
    query = select(col(GoodsImageRow.name)).where(col(GoodsImageRow.name).in_(names))
    return set(await session.scalars(query))


async def add_image(session: AsyncSession, goods_id: int, *, name: str, size_bytes: int, now: datetime) -> None:
    """Write a picture's row."""
    session.add(GoodsImageRow(goods_id=goods_id, name=name, size_bytes=size_bytes, created_at=now))
    await session.flush()


async def remove_image(session: AsyncSession, goods_id: int, *, name: str) -> bool:
    """Drop a picture's row; False if there is none."""
    mine = (col(GoodsImageRow.goods_id) == goods_id, col(GoodsImageRow.name) == name)
    dropped = await session.execute(delete(GoodsImageRow).where(*mine).returning(col(GoodsImageRow.id)))
    return dropped.first() is not None
