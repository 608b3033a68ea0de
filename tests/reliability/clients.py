"""Kafka's clients with a point on each side of every call that speaks to a broker, and of every answer that comes back.

A call fails as librdkafka lets it fail: what only puts something into a queue of its own is refused before or not at all, and what became
of it is told by an answer, which can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

_LOST: int = KafkaError._TRANSPORT  # librdkafka's local codes are named so
_FATAL: int = KafkaError._FATAL  # likewise
Fault = Callable[[], Exception]
Answer = Callable[[KafkaError | None, Any], None]


class Cross(Protocol):
    """Whoever is told of each point that is passed, and may raise the fault there."""

    def __call__(self, call: str, side: str, fault: Fault | None = None) -> None:
        """A call begins, or has ended."""


def producer(cross: Cross) -> type[Producer]:
    """The producer of relays and publishers."""

    class Watched(Producer):
        def produce(self, topic: str, **options: Any) -> None:  # type: ignore[override]  # as the runtime calls it
            what = kind_of(topic)
            on_delivery = answered(cross, f"Kafka acknowledge{what}", options.pop("on_delivery"))
            cross(f"Kafka produce{what}", "before", BufferError)
            super().produce(topic, on_delivery=on_delivery, **options)
            cross(f"Kafka produce{what}", "after")

        def poll(self, *wanted: Any) -> int:
            if len(self):
                cross("Kafka poll", "before", fatal)
            return super().poll(*wanted)

    return Watched


def kind_of(topic: str) -> str:
    """What a record that goes there is, with a blank before it; empty: an event."""
    if topic.startswith("retry."):
        return " copy to be retried"
    if topic.endswith(".dlq"):
        return " dead letter"
    return " answer to an operator" if topic.startswith("_") else ""


def consumer(cross: Cross) -> type[Consumer]:
    """The member of a group. A commit is answered later, but the last one inside a rebalance, which is waited for."""

    class Watched(Consumer):
        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__({**config, "on_commit": answered(cross, "Kafka commit answer", config["on_commit"])})

        def consume(self, *wanted: Any) -> list[Any]:
            cross("Kafka consume", "before", lost)
            messages = super().consume(*wanted)
            if messages:
                cross("Kafka consume", "after", lost)
            return messages

        def committed(self, *wanted: Any, **options: Any) -> Any:
            return crossed(cross, "Kafka committed", super().committed)(*wanted, **options)

        def commit(self, *wanted: Any, **options: Any) -> Any:
            if not options["asynchronous"]:
                return crossed(cross, "Kafka last commit", super().commit)(*wanted, **options)
            cross("Kafka commit", "before", lost)
            answer = super().commit(*wanted, **options)
            cross("Kafka commit", "after")
            return answer

        def close(self) -> None:
            crossed(cross, "Kafka leave", super().close)()

    return Watched


def lane(cross: Cross) -> type[Producer]:
    """The transactional producer of one lane."""

    class Watched(Producer):
        def init_transactions(self, *wanted: Any) -> None:
            crossed(cross, "lane take", super().init_transactions)(*wanted)

        def begin_transaction(self, *wanted: Any) -> None:
            crossed(cross, "lane begin", super().begin_transaction)(*wanted)

        def produce(self, topic: str, **options: Any) -> None:  # type: ignore[override]  # as the runtime calls it
            on_delivery = answered(cross, "lane acknowledge", options.pop("on_delivery"))
            cross("lane produce", "before", BufferError)
            super().produce(topic, on_delivery=on_delivery, **options)
            cross("lane produce", "after")

        def send_offsets_to_transaction(self, *wanted: Any) -> None:
            crossed(cross, "lane note", super().send_offsets_to_transaction)(*wanted)

        def commit_transaction(self, *wanted: Any) -> None:
            crossed(cross, "lane commit", super().commit_transaction)(*wanted)

        def abort_transaction(self, *wanted: Any) -> None:
            crossed(cross, "lane abort", super().abort_transaction)(*wanted)

    return Watched


def marks(cross: Cross) -> type[Consumer]:
    """Reads what the owners of a lane noted."""

    class Watched(Consumer):
        def committed(self, *wanted: Any, **options: Any) -> Any:
            return crossed(cross, "lane marks", super().committed)(*wanted, **options)

    return Watched


def crossed(cross: Cross, call: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """The call with a point on each side, at each of which it can fail."""

    def watched(*wanted: Any, **options: Any) -> Any:
        cross(call, "before", lost)
        answer = work(*wanted, **options)
        cross(call, "after", lost)
        return answer

    return watched


def answered(cross: Cross, call: str, answer: Answer) -> Answer:
    """The answer with a point on each side; where it fails, it says that the broker was lost, though the broker had done the work."""

    def watched(error: KafkaError | None, told: Any) -> None:
        try:
            cross(call, "before", lost)
        except KafkaException as failure:
            error = failure.args[0]
        answer(error, told)
        cross(call, "after")

    return watched


def fatal() -> Exception:
    """The client can do nothing any more; it is raised where answers are asked for."""
    return KafkaException(KafkaError(_FATAL, "Planted.", fatal=True))


def lost() -> Exception:
    """The broker is gone."""
    return KafkaException(KafkaError(_LOST, "Planted."))
