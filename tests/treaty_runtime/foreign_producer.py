"""A producer that lets anything through: what other languages' clients may write, and Python's would not."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import confluent_kafka

_END, _TOPIC, _PARTITION, _VALUE, _FLAGS, _HEADER = 0, 1, 3, 4, 7, 9  # rd_kafka_vtype_t
_COPY, _PRODUCER, _FLUSH_MS = 2, 0, 60_000


def produce(bootstrap: str, topic: str, values: Sequence[bytes], *, header: bytes) -> None:
    """Sends values to partition 0, each with one header of that name, by librdkafka itself."""
    (path,) = (Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs").glob("librdkafka*")
    library = ctypes.CDLL(str(path))
    library.rd_kafka_conf_new.restype = library.rd_kafka_new.restype = ctypes.c_void_p
    config, told = ctypes.c_void_p(library.rd_kafka_conf_new()), ctypes.create_string_buffer(512)
    size = ctypes.c_size_t(len(told))
    library.rd_kafka_conf_set(config, b"bootstrap.servers", bootstrap.encode(), told, size)
    client = ctypes.c_void_p(library.rd_kafka_new(_PRODUCER, config, told, size))
    try:
        for value in values:
            words = (_TOPIC, topic.encode(), _PARTITION, ctypes.c_int32(0), _FLAGS, ctypes.c_int(_COPY))
            body = (_VALUE, value, ctypes.c_size_t(len(value)), _HEADER, header, b"x", ctypes.c_ssize_t(1))
            assert library.rd_kafka_producev(client, *words, *body, _END) == 0
        assert library.rd_kafka_flush(client, _FLUSH_MS) == 0
    finally:
        library.rd_kafka_destroy(client)
