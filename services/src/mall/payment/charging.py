"""Has the channel take the money of a payment.

Law: a charge whose answer was lost is not forgotten. Whoever finds the payment given up asks the channel what became of it.
"""

from __future__ import annotations

from functools import partial

from mall.payment import store
from mall.payment.domain import Answer, answered
from mall.payment.tables import PaymentRow
from mall.payment.till import Till
from mall.payment.transition import Step, carry_out
from mall_events.payment import PaymentStatus
from mall_events.saga import PaymentSagaStarted
from treaty_runtime.event import Context


async def charge(till: Till, context: Context, *, saga: PaymentSagaStarted) -> None:
    """Ask the channel, then write down what it said. A repeat asks again and changes nothing."""
    row = await till.look(saga.payment_id)
    answer = None if row is None else await _ask(till, context, row, saga)
    if answer is None:
        return
    async with till.open(context, since=saga.event_time) as work:
        row = await store.find_payment(work.session, saga.payment_id, lock=True)
        if row is not None:
            await carry_out(work, row=row, step=Step(trigger=answered(answer), answer=answer))


async def _ask(till: Till, context: Context, row: PaymentRow, saga: PaymentSagaStarted) -> Answer | None:
    key, channel = str(row.payment_id), till.channel
    is_in_time = till.now() < saga.deadline
    if row.status == PaymentStatus.CREATED.name and is_in_time:
        amount, currency = row.amount, row.currency
        return await context.outside(
            "charge", key, partial(channel.charge, row.payment_id, amount=amount, currency=currency)
        )
    if row.status in (PaymentStatus.CREATED.name, PaymentStatus.CANCELLED.name):
        return await context.outside("find", key, partial(channel.find, row.payment_id))
    return None
