"""The topics are those of the design: names, keys, who writes and who reads, written down here once more by hand."""

from __future__ import annotations

from tests.cases.markdown import ROOT
from treaty.config import Settings
from treaty.ops.schemas import load_project

DESIGN = """
order-events                     order_id          order           notification cache analytics payment order
goods-events                     goods_id          goods order     cache search goods order chat analytics
chat-events                      conversation_id   chat            notification audit analytics
user.events                      user_id           user            user notification cache goods analytics
user.notifications               user_id           notification    notification
user.analytics                   user_id           user            analytics
payment.created                  payment_id        payment         analytics notification
payment.success                  payment_id        payment         payment analytics notification order
payment.refund.success           payment_id        payment         payment analytics notification order
payment.failed                   payment_id        payment         analytics notification order
payment.refund.failed            payment_id        payment         analytics notification audit
order.created                    order_id          order           analytics
order.updated                    order_id          order           analytics notification
order.cancelled                  order_id          order           payment analytics
order.completed                  order_id          order           payment analytics notification
accounting.balance.updated       account           payment         analytics notification
accounting.settlement.created    settlement_id     payment         analytics
accounting.settlement.completed  settlement_id     payment         payment notification
payment.refund.created           payment_id        payment         analytics
accounting.transaction.created   payment_id        payment         analytics
risk.check.started               payment_id        payment         analytics
risk.check.completed             payment_id        payment         analytics
risk.alert.high                  payment_id        payment         notification audit
risk.alert.critical              payment_id        payment         notification audit
notification.email               notification_key  *               notification
notification.sms                 notification_key  *               notification
notification.webhook             notification_key  *               notification
saga.payment.start               payment_id        payment         order payment
saga.payment.compensate          payment_id        order payment   payment
analytics.events                 subject           *               analytics
audit.logs                       resource_id       *               audit analytics
"""
"""Topic, key, writers (`*`: any), readers. Columns are as wide as their heads."""
COLUMNS = (33, 51, 67)


def test_the_topics_are_those_of_the_design() -> None:
    topics = load_project(Settings.load(ROOT / "treaty.toml", {}, start=ROOT)).topics
    designed = {}
    for line in DESIGN.strip().splitlines():
        first, second, third = COLUMNS
        name, key = line[:first].strip(), line[first:second].strip()
        designed[name] = key, set(line[second:third].split()), set(line[third:].split())
    declared = {name: topic for name, topic in topics.items() if not name.startswith("dlq.")}
    assert set(declared) == set(designed)
    for name, (key, writers, readers) in designed.items():
        topic = declared[name]
        assert (topic.key, {consumer.service for consumer in topic.consumers}) == (key, readers), name
        assert writers == {"*"} or set(topic.producers) == writers, name
    assert {"dlq.payment", "dlq.notification"} <= set(topics)
    assert declared["audit.logs"].partitions["*"] == 6
    assert declared["order-events"].retention["*"].days == 365
