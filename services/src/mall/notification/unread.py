"""A message that nobody reads is told by mail after ten minutes: once a conversation, until something of it is read.

Law: the job names its notice; of several unread ones the first is mailed about, the others find it unread and stay silent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from mall.notification import store
from mall.notification.outgoing import unread_mail
from treaty_runtime.delay.runner import JobContext, JobHandler
from treaty_runtime.job import Job

QUEUE, KIND = "chat-unread", "chat_message"
PATIENCE = timedelta(minutes=10)


def unread_job(notification_id: int, *, told_at: datetime) -> Job:
    """The job that looks whether a notice was read."""
    name = str(notification_id)
    return Job(queue=QUEUE, id=name, due=told_at + PATIENCE, payload=name.encode())


def unread_worker(*, now: Callable[[], datetime]) -> JobHandler:
    """What the delay queue runs when a notice has waited long enough."""

    async def remind(job: Job, context: JobContext) -> None:
        session = context.session
        row = await store.find_notification(session, int(job.payload))
        if row is None or row.read_at is not None or await store.is_unread_before(session, row):
            return
        contact = (await store.contacts(session, {row.user_id})).get(row.user_id)
        if contact is not None:
            context.stage(unread_mail(contact, event_id=row.event_id, now=now()))

    return remind
