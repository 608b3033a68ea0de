"""What people read in their inbox: a title and a body per kind of notice and reader's part in it, in English and Chinese.

Placeholders: `number` the order number, `total` amount and currency, `goods` the first title, `reason` a line of `REASONS`,
`status` one of `STATUSES`, `amount` amount and currency, `payment`, `score` and `rules` of a risk.
"""

from __future__ import annotations

from collections.abc import Mapping

from mall_events.order import CancelReason
from mall_events.user import UserStatus

LOCALES = ("en", "zh")

TEXTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "order_created.buyer": {
        "en": ("Order placed", "Your order {number} of {goods} is placed. Please pay {total} within 30 minutes."),
        "zh": ("下单成功", "您的订单 {number}（{goods}）已提交，请在 30 分钟内支付 {total}。"),
    },
    "order_created.seller": {
        "en": ("New order", "Somebody ordered {goods}: order {number}, {total}."),
        "zh": ("新订单", "有人购买了{goods}：订单 {number}，金额 {total}。"),
    },
    "order_paid.buyer": {
        "en": ("Payment received", "Your payment of {total} has arrived; the seller will ship."),
        "zh": ("支付成功", "您支付的 {total} 已到账，请等待卖家发货。"),
    },
    "order_paid.seller": {
        "en": ("Order paid", "An order was paid: {total}. Please ship it."),
        "zh": ("买家已付款", "订单已付款 {total}，请尽快发货。"),
    },
    "order_shipped.buyer": {
        "en": ("On its way", "Your order was shipped. Please confirm when it arrives."),
        "zh": ("已发货", "您的订单已发货，收到后请确认。"),
    },
    "order_refunded.buyer": {
        "en": ("Refunded", "Your order was refunded."),
        "zh": ("已退款", "您的订单已退款。"),
    },
    "order_refunded.seller": {
        "en": ("Refunded", "An order of yours was refunded."),
        "zh": ("已退款", "您的一笔订单已退款。"),
    },
    "order_cancelled.buyer": {
        "en": ("Order cancelled", "Your order of {goods} was cancelled: {reason}."),
        "zh": ("订单已取消", "您购买{goods}的订单已取消：{reason}。"),
    },
    "order_cancelled.seller": {
        "en": ("Order cancelled", "An order of {goods} was cancelled: {reason}."),
        "zh": ("订单已取消", "{goods}的一笔订单已取消：{reason}。"),
    },
    "payment_failed.payer": {
        "en": ("Payment failed", "Your payment of {amount} failed; no money was taken. You may pay again."),
        "zh": ("支付失败", "您的 {amount} 支付失败，未扣款，可重新支付。"),
    },
    "refund_success.payer": {
        "en": ("Refund received", "{amount} came back to you."),
        "zh": ("退款成功", "{amount} 已退回您的账户。"),
    },
    "refund_failed.payer": {
        "en": ("Refund delayed", "The refund of {amount} did not go through yet; it is tried again."),
        "zh": ("退款延迟", "{amount} 的退款暂未成功，系统将重试。"),
    },
    "settlement.merchant": {
        "en": ("Money for your sale", "{amount} of your sale was settled."),
        "zh": ("货款已结算", "您的货款 {amount} 已结算。"),
    },
    "risk_alert.high": {
        "en": ("A risky payment", "Payment {payment} has a risk score of {score}: {rules}."),
        "zh": ("高风险支付", "支付 {payment} 风险评分 {score}：{rules}。"),
    },
    "risk_alert.critical": {
        "en": ("A payment was rejected", "Payment {payment} was rejected with a risk score of {score}: {rules}."),
        "zh": ("支付已被拒绝", "支付 {payment} 因风险评分 {score} 被拒绝：{rules}。"),
    },
    "account_status.user": {
        "en": ("Your account", "Your account is {status}."),
        "zh": ("账户状态变更", "您的账户{status}。"),
    },
    "chat_message.recipient": {
        "en": ("New message", "You have a new message."),
        "zh": ("新消息", "您有一条新消息。"),
    },
}

REASONS: Mapping[CancelReason, Mapping[str, str]] = {
    CancelReason.UNKNOWN: {"en": "no reason given", "zh": "原因未知"},
    CancelReason.PAYMENT_TIMEOUT: {"en": "not paid in time", "zh": "超时未支付"},
    CancelReason.BUYER_REQUEST: {"en": "the buyer asked for it", "zh": "买家取消"},
    CancelReason.SELLER_REQUEST: {"en": "the seller asked for it", "zh": "卖家取消"},
}

STATUSES: Mapping[UserStatus, Mapping[str, str]] = {
    UserStatus.UNKNOWN: {"en": "in another state", "zh": "状态未知"},
    UserStatus.ACTIVE: {"en": "in use again", "zh": "已恢复使用"},
    UserStatus.SUSPENDED: {"en": "suspended", "zh": "已被停用"},
    UserStatus.DELETED: {"en": "deleted", "zh": "已注销"},
}


def written(name: str, *, locale: str, values: Mapping[str, str]) -> tuple[str, str]:
    """Title and body of a text with its placeholders filled in; values are never read as placeholders themselves."""
    title, body = TEXTS[name][locale]
    return title, body.format_map(values)
