"""Kafka's clients as operators' commands have them, with a point on each side of every call that asks a broker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.reliability.clients import Cross, answered, crossed, lost


def admin(cross: Cross) -> type[AdminClient]:
    """Topics, their ends, and groups. What is answered later is waited for, so that the far side of it is a point too."""

    class Watched(AdminClient):
        def list_topics(self, *wanted: Any, **options: Any) -> Any:
            return crossed(cross, "Kafka topics", super().list_topics)(*wanted, **options)

        def list_offsets(self, *wanted: Any, **options: Any) -> Any:
            return _asked(cross, "Kafka ends", super().list_offsets)(*wanted, **options)

        def create_topics(self, *wanted: Any, **options: Any) -> Any:
            return _asked(cross, "Kafka create", super().create_topics)(*wanted, **options)

        def describe_consumer_groups(self, *wanted: Any, **options: Any) -> Any:
            return _asked(cross, "Kafka describe", super().describe_consumer_groups)(*wanted, **options)

    return Watched


def consumer(cross: Cross) -> type[Consumer]:
    """Reads records, and what a group committed."""

    class Watched(Consumer):
        def poll(self, *wanted: Any, **options: Any) -> Any:
            cross("Kafka read", "before", lost)
            message = super().poll(*wanted, **options)
            if message is not None:
                cross("Kafka read", "after", lost)
            return message

        def committed(self, *wanted: Any, **options: Any) -> Any:
            return crossed(cross, "Kafka committed", super().committed)(*wanted, **options)

    return Watched


def producer(cross: Cross) -> type[Producer]:
    """Appends one record and waits: a command to a group, a letter that goes back, a note."""

    class Watched(Producer):
        def produce(self, topic: str, **options: Any) -> None:  # type: ignore[override]  # as the log calls it
            what = f"append to {topic}" if topic.startswith("_") else "append"
            on_delivery = answered(cross, f"Kafka acknowledge {what}", options.pop("on_delivery"))
            cross(f"Kafka {what}", "before", BufferError)
            super().produce(topic, on_delivery=on_delivery, **options)
            cross(f"Kafka {what}", "after")

    return Watched


def _asked(cross: Cross, call: str, ask: Callable[..., Any]) -> Callable[..., Any]:
    """What is asked is answered by futures, and these fail: with the question sent, or not."""

    def asked(wanted: Any, **options: Any) -> Any:
        try:
            cross(call, "before", lost)
            futures = ask(wanted, **options)
            wait(futures.values())
            cross(call, "after", lost)
        except KafkaException as fault:
            return _failed([each.topic if isinstance(each, NewTopic) else each for each in wanted], fault)
        return futures

    return asked


def _failed(names: Iterable[Any], fault: KafkaException) -> dict[Any, Future[Any]]:
    failed: dict[Any, Future[Any]] = {name: Future() for name in names}
    for future in failed.values():
        future.set_exception(fault)
    return failed
