"""Kafka for services, by confluent-kafka; what operators ask of a cluster is in ``treaty_runtime.admin``.

The source has one thread that owns it: towards the event loop there is one ``call_soon_threadsafe`` per batch, towards the thread
a deque of commands. The producer lives on the loop.
"""

from treaty_runtime.kafka.faults import fault_of
from treaty_runtime.kafka.fence import KafkaFence
from treaty_runtime.kafka.producer import KafkaProducer
from treaty_runtime.kafka.source import KafkaSource

__all__ = ["KafkaFence", "KafkaProducer", "KafkaSource", "fault_of"]
