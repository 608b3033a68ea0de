"""Every query of the chat service; sessions are passed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from mall.chat.domain import Listing
from mall.chat.tables import ConversationRow, ListingRow, MessageRow
from mall.upsert import insert


async def find_conversation(
    session: AsyncSession, conversation_id: int, *, lock: bool = False
) -> ConversationRow | None:
    """The row, locked until the transaction ends if asked for."""
    query = select(ConversationRow).where(col(ConversationRow.id) == conversation_id)
    return await session.scalar(query.with_for_update() if lock else query)


async def find_listing(session: AsyncSession, goods_id: int, *, to_change: bool = False) -> Listing | None:
    """What is known of these goods, locked until the transaction ends: who opens a conversation and who closes all wait for each other.

    Those who open one share the lock and do not wait among themselves; ``to_change`` takes it alone.
    """
    row = await session.get(ListingRow, goods_id, with_for_update={"read": not to_change})
    return row.value() if row else None


async def open_conversation(
    session: AsyncSession, listing: Listing, *, buyer_id: int, now: datetime
) -> tuple[ConversationRow, bool]:
    """The one conversation of this buyer about these goods, and whether it is new."""
    values = {
        "goods_id": listing.goods_id,
        "buyer_id": buyer_id,
        "seller_id": listing.seller_id,
        "is_open": True,
        "last_sequence": 0,
        "created_at": now,
    }
    added = insert(session, ConversationRow).values(values).on_conflict_do_nothing()
    is_new = (await session.execute(added.returning(col(ConversationRow.id)))).first() is not None
    mine = (col(ConversationRow.goods_id) == listing.goods_id) & (col(ConversationRow.buyer_id) == buyer_id)
    return (await session.scalars(select(ConversationRow).where(mine))).one(), is_new


async def conversations(
    session: AsyncSession, *, user_id: int, before: int | None, size: int
) -> Sequence[ConversationRow]:
    """Up to `size + 1` conversations of a user, newest first."""
    mine = or_(col(ConversationRow.buyer_id) == user_id, col(ConversationRow.seller_id) == user_id)
    query = select(ConversationRow).where(mine).order_by(col(ConversationRow.id).desc()).limit(size + 1)
    if before is not None:
        query = query.where(col(ConversationRow.id) < before)
    return list(await session.scalars(query))


async def messages(
    session: AsyncSession, *, conversation_id: int, before: int | None, size: int
) -> Sequence[MessageRow]:
    """Up to `size + 1` messages of a conversation, newest first."""
    query = select(MessageRow).where(col(MessageRow.conversation_id) == conversation_id)
    if before is not None:
        query = query.where(col(MessageRow.sequence) < before)
    return list(await session.scalars(query.order_by(col(MessageRow.sequence).desc()).limit(size + 1)))


async def mark_read(session: AsyncSession, *, conversation_id: int, reader_id: int, up_to: int, now: datetime) -> None:
    """Mark what a reader received up to a sequence as read."""
    await session.execute(
        update(MessageRow)
        .where(
            col(MessageRow.conversation_id) == conversation_id,
            col(MessageRow.recipient_id) == reader_id,
            col(MessageRow.sequence) <= up_to,
            col(MessageRow.read_at).is_(None),
        )
        .values(read_at=now)
    )


async def close_all(session: AsyncSession, *, goods_id: int) -> None:
    """Close every conversation about these goods."""
    about = col(ConversationRow.goods_id) == goods_id
    await session.execute(update(ConversationRow).where(about).values(is_open=False))
