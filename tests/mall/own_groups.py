"""The consumer groups of every service as its code makes them, to be looked at: nothing of them may run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from redis.asyncio import Redis

from mall import SERVICES
from mall.analytics.app import groups as analytics_groups
from mall.audit.app import groups as audit_groups
from mall.cache.app import groups as cache_groups
from mall.cache.store import CacheStore
from mall.chat.app import groups as chat_groups
from mall.goods.app import groups as goods_groups
from mall.goods.image_files import ImageFiles
from mall.notification.app import Ways
from mall.notification.app import groups as notification_groups
from mall.notification.hub import Hub
from mall.notification.inbox import Readership
from mall.notification.sms import FileSms
from mall.notification.smtp import SmtpMail
from mall.notification.webhook import HttpWebhook
from mall.order.app import groups as order_groups
from mall.payment.app import groups as payment_groups
from mall.payment.till import Till
from mall.search.app import groups as search_groups
from mall.user.app import groups as user_groups
from treaty_runtime.handlers import Group

NO_TILL = Till.__new__(Till)
"""Handlers are only registered here, never called."""


def own_groups() -> dict[str, Sequence[Group]]:
    """Service to its groups; that of a node's own is called after the node `*`."""
    made: dict[str, Sequence[Group]] = {
        "order": order_groups(now=lambda: datetime.now(UTC)),
        "goods": goods_groups(ImageFiles(Path("images"))),
        "chat": chat_groups(),
        "user": user_groups(),
        "payment": payment_groups(NO_TILL, fee_bps=60),
        "notification": notification_groups(hub=Hub(), ways=ways(), instance="*", readership=Readership(locale="en")),
        "cache": cache_groups(CacheStore(Redis())),
        "analytics": analytics_groups(),
        "search": search_groups(),
        "audit": audit_groups(now=lambda: datetime.now(UTC)),
    }
    assert set(made) == set(SERVICES)
    return made


def ways() -> Ways:
    """Ways out that nothing is sent on."""
    return Ways(mail=SmtpMail(host="localhost", port=9), sms=FileSms(Path("sms.jsonl")), webhook=HttpWebhook())
