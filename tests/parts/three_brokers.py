"""Three brokers of one cluster, each of which is controller too: what is killed is replaced by the others meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.parts.waiting import wait_until
from treaty.local import kafka_wire, properties
from treaty.local.kafka import Kafka, new_id
from treaty.local.machine import Machine
from treaty.local.ports import LOOPBACK, free_port

if TYPE_CHECKING:
    from treaty.local.java import Java

BROKERS = 3
START_SECONDS = 120.0
STOP_SECONDS = 2.0
"""Raft waits for a quorum that is going away too: what is left after so long is killed, as nobody needs the data any more."""
_REPLICATED = {
    "default.replication.factor": str(BROKERS),
    "offsets.topic.replication.factor": str(BROKERS),
    "transaction.state.log.replication.factor": str(BROKERS),
    "share.coordinator.state.topic.replication.factor": str(BROKERS),
    "controller.quorum.fetch.timeout.ms": "1000",
    "controller.quorum.election.timeout.ms": "500",
    "replica.lag.time.max.ms": "5000",
    "num.replica.fetchers": "1",
}


class Node(Kafka):
    """One of the brokers; ``controllers`` are the ports of all, in order, on which they elect their leader."""

    def __init__(
        self, folder: Path, *, machine: Machine, number: int, controllers: Sequence[int], cluster_id: str
    ) -> None:
        super().__init__(folder / f"broker-{number}", machine=machine, port=free_port())
        self._number, self._controllers, self._cluster_id = number, controllers, cluster_id

    def is_ready(self) -> bool:
        """Whether it serves clients; whether groups are served is for the one of the three that coordinates them to say."""
        return kafka_wire.is_serving(self.port, cluster=self.cluster)

    def _write_settings(self) -> Path:
        file = super()._write_settings()
        own = self._controllers[self._number - 1]
        voters = ",".join(f"{number}@{LOOPBACK}:{port}" for number, port in enumerate(self._controllers, 1))
        client = f"CLIENT://{LOOPBACK}:{self.port}"
        ours = {
            "node.id": str(self._number),
            "controller.quorum.voters": voters,
            "listeners": f"{client},CONTROLLER://{LOOPBACK}:{own}",
        }
        file.write_text(properties.render(properties.parse(file.read_text()) | _REPLICATED | ours))
        return file

    def _format(self, java: Java, command: Sequence[str], settings: Path) -> None:
        super()._format(java, command, settings)
        file = self.folder / "data" / "meta.properties"
        ours = {"cluster.id": self._cluster_id, "node.id": str(self._number)}
        file.write_text(properties.render(properties.parse(file.read_text()) | ours))


@contextmanager
def three_brokers(folder: Path, *, machine: Machine) -> Iterator[tuple[Node, ...]]:
    """The running brokers; they end together."""
    controllers, cluster_id = [free_port() for _ in range(BROKERS)], new_id()
    nodes = tuple(
        Node(folder, machine=machine, number=number, controllers=controllers, cluster_id=cluster_id)
        for number in range(1, BROKERS + 1)
    )
    try:
        for node in nodes:
            node.launch()
        for node in nodes:
            wait_until(lambda node=node: is_ready(node), START_SECONDS)  # type: ignore[misc]  # the default binds the loop's value
        wait_until(lambda: any(kafka_wire.are_groups_ready(node.port) for node in nodes), START_SECONDS)
        yield nodes
    finally:
        for node in nodes:
            node.process.ask_to_stop()
        for node in nodes:
            node.stop(seconds=STOP_SECONDS)


def is_ready(node: Kafka) -> bool:
    """Whether it serves now."""
    try:
        return node.is_ready()
    except OSError:
        assert node.process.is_alive, node.process.tail()
        return False
