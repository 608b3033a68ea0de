"""The mall: an example company of small services that live on treaty.

`SERVICES` is written by hand: who trades comes first, who follows comes after, and each line can be jumped to.
"""

SERVICES = {
    "order": "mall.order.app",
    "goods": "mall.goods.app",
    "chat": "mall.chat.app",
    "user": "mall.user.app",
    "payment": "mall.payment.app",
    "notification": "mall.notification.app",
    "cache": "mall.cache.app",
    "analytics": "mall.analytics.app",
    "search": "mall.search.app",
    "audit": "mall.audit.app",
}

REBUILDS = {
    "order": "mall.order.rebuild",
    "cache": "mall.cache.rebuild",
    "analytics": "mall.analytics.rebuild",
    "search": "mall.search.rebuild",
}
"""Services with a read model that is made anew from the topics: `python -m mall <name> rebuild`."""
