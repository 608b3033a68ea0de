"""What people read by mail: a subject and a text per template, in English and Chinese.

Templates about orders are the notices of `texts`, named with `_` for the dot: `order_paid_seller`. The others are mailed only.
Placeholders are the parameters of the request; values are never read as placeholders themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from mall.notification.texts import LOCALES, TEXTS

OWN: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "welcome": {
        "en": ("Welcome to the mall", "Hello {username}, your account is open. Have fun buying and selling."),
        "zh": ("欢迎加入校园商城", "{username}，您好！您的账户已开通，祝您买卖愉快。"),
    },
    "unusual_login": {
        "en": (
            "A sign-in that is new to us",
            "Somebody signed in to your account on {time} from {ip} with {client}. If it was not you, change your password now.",
        ),
        "zh": (
            "异常登录提醒",
            "您的账户于 {time} 从 {ip} 通过 {client} 登录。如非本人操作，请立即修改密码。",
        ),
    },
    "password_changed": {
        "en": (
            "Your password was changed",
            "The password of your account was changed on {time}; all other devices are signed out. If it was not you, write to us.",
        ),
        "zh": ("密码已修改", "您的账户密码已于 {time} 修改，其他设备均已退出登录。如非本人操作，请联系我们。"),
    },
    "status_changed": {
        "en": ("Your account", "Your account is {status}. {reason}"),
        "zh": ("账户状态变更", "您的账户{status}。{reason}"),
    },
    "chat_unread": {
        "en": ("A message waits for you", "Somebody wrote to you and waits for an answer."),
        "zh": ("您有未读消息", "有人给您发了消息，正在等待回复。"),
    },
    "account_deleted": {
        "en": (
            "Your account is deleted",
            "Your account and everything about you were deleted. This is our last mail to you.",
        ),
        "zh": ("账户已注销", "您的账户及个人信息已删除，这是我们发给您的最后一封邮件。"),
    },
}
MAILED = frozenset(
    {
        "order_created.buyer",
        "order_created.seller",
        "order_paid.seller",
        "order_shipped.buyer",
        "order_cancelled.buyer",
        "order_cancelled.seller",
        "payment_failed.payer",
        "refund_success.payer",
        "settlement.merchant",
        "risk_alert.critical",
    }
)
"""Notices that are also mailed."""
MAILS = {**OWN, **{name.replace(".", "_"): TEXTS[name] for name in sorted(MAILED)}}


def mail_text(template: str, *, locale: str, parameters: Mapping[str, str]) -> tuple[str, str]:
    """Subject and text; a language that there is none of is read in English, a missing parameter is empty.

    Raises KeyError for a template that there is none of.
    """
    subject, body = MAILS[template][locale if locale in LOCALES else "en"]
    return subject, body.format_map(defaultdict(str, parameters)).strip()
