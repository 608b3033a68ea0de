"""A Kafka cluster that misbehaves on demand: the mock brokers inside librdkafka, ready in a tenth of a second.

Reachable from other processes on loopback. What it cannot do: no admin calls, no transactions worth the
name, `offsets_for_times` always -1, 5 MiB a partition. Its functions are experimental in librdkafka; a missing one is named.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import confluent_kafka

API_KEYS = {
    "Produce": 0, "Fetch": 1, "ListOffsets": 2, "Metadata": 3, "OffsetCommit": 8, "OffsetFetch": 9, "FindCoordinator": 10,
    "JoinGroup": 11, "Heartbeat": 12, "LeaveGroup": 13, "SyncGroup": 14, "InitProducerId": 22, "ConsumerGroupHeartbeat": 68,
}  # fmt: skip
_API_NAMES = {key: name for name, key in API_KEYS.items()}
_ALL_BROKERS = -1
_P, _S, _I16, _I32, _I64, _INT, _SIZE = (
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_int16,
    ctypes.c_int32,
    ctypes.c_int64,
    ctypes.c_int,
    ctypes.c_size_t,
)
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "rd_kafka_conf_new": (_P, []),
    "rd_kafka_conf_set": (_INT, [_P, _S, _S, _S, _SIZE]),
    "rd_kafka_new": (_P, [_INT, _P, _S, _SIZE]),
    "rd_kafka_destroy": (None, [_P]),
    "rd_kafka_mock_cluster_new": (_P, [_P, _INT]),
    "rd_kafka_mock_cluster_destroy": (None, [_P]),
    "rd_kafka_mock_cluster_bootstraps": (_S, [_P]),
    "rd_kafka_mock_topic_create": (_INT, [_P, _S, _INT, _INT]),
    "rd_kafka_mock_topic_set_error": (None, [_P, _S, _INT]),
    "rd_kafka_mock_partition_delete_records": (_INT, [_P, _S, _I32, _I64]),
    "rd_kafka_mock_partition_set_leader": (_INT, [_P, _S, _I32, _I32]),
    "rd_kafka_mock_broker_set_down": (_INT, [_P, _I32]),
    "rd_kafka_mock_broker_set_up": (_INT, [_P, _I32]),
    "rd_kafka_mock_broker_set_rtt": (_INT, [_P, _I32, _INT]),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [_P, _I32]),
    "rd_kafka_mock_push_request_errors_array": (None, [_P, _I16, _SIZE, ctypes.POINTER(_INT)]),
    "rd_kafka_mock_clear_request_errors": (None, [_P, _I16]),
    "rd_kafka_mock_start_request_tracking": (None, [_P]),
    "rd_kafka_mock_clear_requests": (None, [_P]),
    "rd_kafka_mock_get_requests": (ctypes.POINTER(_P), [_P, ctypes.POINTER(_SIZE)]),
    "rd_kafka_mock_request_destroy_array": (None, [ctypes.POINTER(_P), _SIZE]),
    "rd_kafka_mock_request_id": (_I32, [_P]),
    "rd_kafka_mock_request_api_key": (_I16, [_P]),
    "rd_kafka_mock_request_timestamp": (_I64, [_P]),
}


class ChaosUnavailable(RuntimeError):
    """The bundled librdkafka has no mock brokers: use a wheel of confluent-kafka for this platform."""


class ChaosRefused(RuntimeError):
    """The mock cluster did not do what it was asked to; a test that goes on would prove nothing."""


class Request(NamedTuple):
    """A request that a broker received: broker id, API name (`Produce`), microseconds since the epoch."""

    broker: int
    api: str
    microseconds: int


def _library() -> Any:
    """The librdkafka that confluent_kafka itself runs on, with the signatures of what is used here."""
    package = Path(confluent_kafka.__file__).parent
    found = sorted(
        path
        for folder in (package.parent / "confluent_kafka.libs", package / ".dylibs")
        if folder.is_dir()
        for path in folder.glob("librdkafka*")
    )
    if not found:
        raise ChaosUnavailable(
            f"No librdkafka beside {package.name}: use a wheel of confluent-kafka for this platform."
        )
    library = ctypes.CDLL(str(found[0]))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name, None)
        if function is None:
            raise ChaosUnavailable(f"{found[0].name} has no {name}: use the locked version of confluent-kafka.")
        function.restype, function.argtypes = result, arguments
    return library


def _key_of(api: str) -> int:
    if api not in API_KEYS:
        raise ValueError(f"{api} is no request that can be made to fail; these are: {', '.join(API_KEYS)}.")
    return API_KEYS[api]


class Chaos:
    """A cluster of mock brokers, numbered from 1. Close it, or use it as a context manager."""

    def __init__(self, *, brokers: int = 1) -> None:
        self._lib = _library()
        text = ctypes.create_string_buffer(512)
        config = self._lib.rd_kafka_conf_new()
        self._lib.rd_kafka_conf_set(config, b"log_level", b"0", text, len(text))  # it only hosts the brokers
        self._client = self._lib.rd_kafka_new(0, config, text, len(text))
        if not self._client:
            raise ChaosUnavailable(text.value.decode())
        self._cluster = self._lib.rd_kafka_mock_cluster_new(self._client, brokers)
        self.brokers = brokers
        self.bootstrap: str = self._lib.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        self.rebalance_delay(0)

    def topic(self, name: str, *, partitions: int = 1, replication: int = 1) -> None:
        """Creates a topic. Unknown topics are created with defaults when somebody asks for them."""
        answer = self._lib.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, replication)
        self._done(answer, f"make the topic {name}")

    def topic_error(self, name: str, code: int) -> None:
        """Answers this error for the topic in metadata; 0 ends it."""
        self._lib.rd_kafka_mock_topic_set_error(self._cluster, name.encode(), code)

    def delete_records(self, topic: str, partition: int, *, before: int) -> None:
        """Moves the first offset of a partition."""
        answer = self._lib.rd_kafka_mock_partition_delete_records(self._cluster, topic.encode(), partition, before)
        self._done(answer, f"delete records of {topic}/{partition} before {before}")

    def leader(self, topic: str, partition: int, *, broker: int) -> None:
        """Makes a broker lead a partition."""
        answer = self._lib.rd_kafka_mock_partition_set_leader(self._cluster, topic.encode(), partition, broker)
        self._done(answer, f"let broker {broker} lead {topic}/{partition}")

    @contextmanager
    def down(self, *, broker: int = _ALL_BROKERS) -> Iterator[None]:
        """A broker, or all, refuse connections inside the block."""
        self._done(self._lib.rd_kafka_mock_broker_set_down(self._cluster, broker), f"take broker {broker} down")
        try:
            yield
        finally:
            self._lib.rd_kafka_mock_broker_set_up(self._cluster, broker)

    def rtt(self, milliseconds: int, *, broker: int = _ALL_BROKERS) -> None:
        """Delays every answer."""
        self._done(self._lib.rd_kafka_mock_broker_set_rtt(self._cluster, broker, milliseconds), f"slow broker {broker}")

    def rebalance_delay(self, milliseconds: int) -> None:
        """How long a new group waits for further members."""
        self._lib.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, milliseconds)

    def fail(self, api: str, *codes: int, times: int = 1) -> None:
        """The next requests of that API (`OffsetCommit`) get these errors, the whole list ``times`` times."""
        errors = codes * times
        array = (ctypes.c_int * len(errors))(*errors)
        self._lib.rd_kafka_mock_push_request_errors_array(self._cluster, _key_of(api), len(errors), array)

    def heal(self, api: str) -> None:
        """Forgets the errors still waiting for that API."""
        self._lib.rd_kafka_mock_clear_request_errors(self._cluster, _key_of(api))

    def watch(self) -> None:
        """Starts to remember requests, from none."""
        self._lib.rd_kafka_mock_start_request_tracking(self._cluster)
        self._lib.rd_kafka_mock_clear_requests(self._cluster)

    def requests(self) -> list[Request]:
        """Requests received since ``watch``, oldest first."""
        count = ctypes.c_size_t()
        array = self._lib.rd_kafka_mock_get_requests(self._cluster, ctypes.byref(count))
        seen = [
            Request(
                self._lib.rd_kafka_mock_request_id(array[index]),
                _API_NAMES.get(key := self._lib.rd_kafka_mock_request_api_key(array[index]), str(key)),
                self._lib.rd_kafka_mock_request_timestamp(array[index]),
            )
            for index in range(count.value)
        ]
        self._lib.rd_kafka_mock_request_destroy_array(array, count)
        return seen

    def _done(self, answer: int, what: str) -> None:
        if answer != 0:
            error = confluent_kafka.KafkaError(answer)
            raise ChaosRefused(f"The cluster of {self.brokers} would not {what}: {error.str()}.")

    def close(self) -> None:
        """Ends the brokers; once."""
        if self._cluster is not None:
            self._lib.rd_kafka_mock_cluster_destroy(self._cluster)
            self._lib.rd_kafka_destroy(self._client)
            self._cluster = self._client = None

    def __enter__(self) -> Self:
        """The running cluster."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()
