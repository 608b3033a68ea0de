"""librdkafka's settings of a producer and a consumer, from ours. Pure.

Keys of ``KafkaSettings.extra`` go to both clients; those that begin with `producer.` or `consumer.` only to that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from treaty_runtime.settings import KafkaSettings

Config = dict[str, Any]

MAX_POLL_INTERVAL = timedelta(minutes=5)
NOT_BLOCKING = True
"""What `purge` takes for "do not wait": confluent-kafka 2.16 has it the wrong way round, and waits with the interpreter's lock held.

A thread of the client that resolves a name may take half a minute. Source: `Producer_purge`, `RD_KAFKA_PURGE_F_NON_BLOCKING`.
"""
RELAY_REQUEST_BYTES = 128 << 10
"""A relay's rows of a partition travel in requests of this size, before compression; a larger row travels alone.

Smaller ones cost pace where an acknowledgement takes milliseconds: a thousand rows of 1 KB for twelve partitions are twelve of these.
"""
_QUEUE_RECORDS = 100_000
_LOG_CRITICAL = 2  # errors reach us by callback; librdkafka's own lines on stderr would only repeat them


def relay_config(settings: KafkaSettings) -> Config:
    """The relay's: never gives a record up, as one that expired would be overtaken; hardly lingers, as rows come in batches.

    Its requests are small: one that is over a topic's `max.message.bytes` is refused as a whole, and the next may be taken, with later
    rows of the same keys. One request in flight at a time would not help: the client sends the next before anybody hears of a refusal.
    """
    return producer_config(settings, delivery_timeout=timedelta(0), linger_ms=1, request_bytes=RELAY_REQUEST_BYTES)


def producer_config(
    settings: KafkaSettings, *, delivery_timeout: timedelta, linger_ms: int = 5, request_bytes: int = 1 << 20
) -> Config:
    """Idempotent, all replicas. ``delivery_timeout`` zero: never. A record over ``request_bytes`` has a request of its own."""
    ours: Config = {
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": linger_ms,
        "batch.size": request_bytes,
        "compression.type": "lz4",
        "partitioner": "murmur2_random",
        "retry.backoff.ms": 100,
        # A topic that does not exist is told by then; the default of 30 s would keep the other rows of a relay's batch waiting.
        "topic.metadata.propagation.max.ms": 5_000,
        "queue.buffering.max.messages": _QUEUE_RECORDS,
        "queue.buffering.max.kbytes": 256 << 10,
        # A value of 1 MiB with its headers must pass the client; the broker judges the compressed batch.
        "message.max.bytes": (1 << 20) + (64 << 10),
        "delivery.timeout.ms": delivery_timeout // timedelta(milliseconds=1),
    }
    return _shared(settings) | ours | _extra(settings.extra, "producer.")


def consumer_config(settings: KafkaSettings, *, group: str) -> Config:
    """Commits only what we say, reads only what is committed by transactions, rebalances cooperatively."""
    ours: Config = {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "max.poll.interval.ms": MAX_POLL_INTERVAL // timedelta(milliseconds=1),
        "queued.max.messages.kbytes": 16_384,
        "allow.auto.create.topics": False,
        # A topic, a partition or a right that came later is found by then; the default is five minutes.
        "topic.metadata.refresh.interval.ms": 30_000,
    }
    if settings.group_protocol == "consumer":
        ours["group.protocol"] = "consumer"  # KIP-848: the broker decides about sessions and assignment
    else:
        ours |= {
            "session.timeout.ms": 10_000,
            "heartbeat.interval.ms": 3_000,
            "partition.assignment.strategy": "cooperative-sticky",
        }
    if settings.group_instance_id is not None:
        ours["group.instance.id"] = settings.group_instance_id
    return _shared(settings) | ours | _extra(settings.extra, "consumer.")


def security_config(settings: KafkaSettings) -> Config:
    """How a client of any kind shows who it is, and whom it believes."""
    config: Config = {"security.protocol": settings.security_protocol}
    if settings.security_protocol.startswith("SASL"):
        config |= {
            "sasl.mechanism": settings.sasl_mechanism,
            "sasl.username": settings.sasl_username,
            "sasl.password": settings.sasl_password,
        }
    if settings.security_protocol.endswith("SSL"):
        config["ssl.endpoint.identification.algorithm"] = "https"  # the host name is always checked
    files = {
        "ssl.ca.location": settings.ssl_ca_file,
        "ssl.certificate.location": settings.ssl_certificate_file,
        "ssl.key.location": settings.ssl_key_file,
    }
    return config | {name: str(path) for name, path in files.items() if path is not None}


def _shared(settings: KafkaSettings) -> Config:
    return {
        "bootstrap.servers": settings.brokers,
        "log_level": _LOG_CRITICAL,
        # A broker that was fenced answers for a moment that there are no brokers; the client then forgets all it knew, and would
        # ask the first addresses again only after five minutes.
        "metadata.recovery.rebootstrap.trigger.ms": 5_000,
    } | security_config(settings)


def _extra(extra: Mapping[str, Any], mine: str) -> Config:
    shared = {name: value for name, value in extra.items() if not name.startswith(("producer.", "consumer."))}
    return shared | {name.removeprefix(mine): value for name, value in extra.items() if name.startswith(mine)}
