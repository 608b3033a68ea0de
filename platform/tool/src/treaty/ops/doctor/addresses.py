"""Can this machine reach what the environment names? The names, then the ports, then what the brokers tell clients to use.

A client hears of the brokers' own addresses in its first answer and uses those from then on: an address that is advertised and
cannot be reached is why clients hang after a good beginning.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from treaty.ops.doctor.check import Said, Wrong
from treaty.ops.doctor.patient import Patient
from treaty_codegen.finding import Text

CONNECT_SECONDS: Final = 2.0
TOGETHER_SECONDS: Final = 10.0
"""For all addresses that are advertised: a name may be looked up for longer than a connection may take."""
MOST_ADVERTISED: Final = 50
KAFKA_PORT: Final = 9092
"""What Kafka's clients take where an address has no port."""
TO_DO: Final = Text("set advertised.listeners to an address that clients reach")
PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}
_BROKER: Final = re.compile(r"^(?:[A-Za-z_]+://)?(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:]*))(?::(?P<port>[0-9]{1,9}))?$")


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A host and a port; ``setting``: the key of ``[environment.NAME]`` that names it."""

    host: str
    port: int
    setting: str

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def named(patient: Patient) -> list[Address]:
    """What the environment's settings name; what is no address is left to the checks that use it."""
    return list(dict.fromkeys(addresses(patient.settings.of_environment(patient.environment))))


def addresses(values: Mapping[str, object]) -> Iterator[Address]:
    """The brokers, one by one, then the registry."""
    for text in str(values.get("brokers", "")).split(","):
        broker = of_broker(text.strip())
        if broker is not None:
            yield broker
    try:
        url = urlsplit(str(values.get("registry", "")))
        if url.hostname:
            yield Address(url.hostname, url.port or PORTS.get(url.scheme, 80), "registry")
    except ValueError:
        return


def of_broker(text: str) -> Address | None:
    """``kafka:9092``, ``[::1]:9092``, ``SSL://kafka:9092`` or ``kafka`` alone; None for what Kafka's clients would not take."""
    found = _BROKER.match(text)
    host = (found["six"] or found["host"]) if found else ""
    return Address(host, int(found["port"] or KAFKA_PORT), "brokers") if found and host else None


def names(patient: Patient) -> Said:
    """Every name that the environment uses, and the addresses that it has here."""
    told = []
    for host, setting in {each.host: each.setting for each in reversed(named(patient))}.items():
        try:
            known = {str(row[4][0]) for row in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
        except (socket.gaierror, UnicodeError) as error:
            reason = error.strerror if isinstance(error, socket.gaierror) else str(error)
            raise Wrong(
                Text(
                    "{host}, of `{setting}` in [environment.{name}], is a name that is not known here: {reason}",
                    {"host": host, "setting": setting, "name": patient.environment, "reason": str(reason)},
                ),
                next_step=Text(
                    "let DNS or /etc/hosts know {host}, or set `{setting}` to a name that they know",
                    {"host": host, "setting": setting},
                ),
            ) from error
        told.append(host if known == {host} else f"{host} → {', '.join(sorted(known))}")
    return ", ".join(reversed(told))


def ports(patient: Patient) -> Said:
    """Every port that the environment names takes connections."""
    found = named(patient)
    silent = {str(each): refusal for each in found if (refusal := refused(each.host, each.port)) is not None}
    if silent:
        told = ", ".join(f"{address} ({reason})" for address, reason in silent.items())
        raise Wrong(
            Text("no connection to {told}", {"told": told}),
            next_step="treaty up"
            if patient.environment == "local"
            else Text("start it, or let firewalls pass {address} from here", {"address": next(iter(silent))}),
        )
    return ", ".join(map(str, found))


def refused(host: str, port: int) -> str | None:
    """Why a port takes no connection; None where it does."""
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except (OSError, UnicodeError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def advertised(patient: Patient) -> Said:
    """Every address that the brokers tell clients to use."""
    with patient.cluster() as cluster:
        brokers = list(dict.fromkeys(cluster.brokers()))
    looked = brokers[:MOST_ADVERTISED]
    reach_all(looked)
    told = {"told": ", ".join(looked), "count": str(len(brokers) - len(looked))}
    return Text("{told}; {count} more were not looked at", told) if brokers[MOST_ADVERTISED:] else told["told"]


def reach_all(addresses: Sequence[str]) -> None:
    """Raises ``Wrong`` for the first of the addresses that clients here cannot use; all are tried at once, by one deadline."""
    asked = {address: begun(address) for address in addresses}
    wait(asked.values(), timeout=TOGETHER_SECONDS)
    for address, answer in asked.items():
        if not answer.done():
            raise unanswered(address, f"timed out after {TOGETHER_SECONDS:.0f} s")
        answer.result()


def begun(address: str) -> Future[None]:
    """``reach`` in a thread of its own, which nobody waits for at the end: a lookup of a name cannot be cut off."""
    answer: Future[None] = Future()

    def look() -> None:
        try:
            reach(address)
        except BaseException as error:  # noqa: BLE001  # it is raised where the answer is taken
            answer.set_exception(error)
        else:
            answer.set_result(None)

    Thread(target=look, name="advertised", daemon=True).start()
    return answer


def reach(address: str) -> None:
    """Raises ``Wrong`` for an address out of a broker's answer that clients here cannot use."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except socket.gaierror as error:
        raise Wrong(
            Text(
                "Kafka advertises {address}, a name that is not known here: {reason}",
                {"address": address, "reason": str(error.strerror)},
            ),
            next_step=Text(
                "let DNS or /etc/hosts know {host}, or set advertised.listeners to a name that clients know",
                {"host": host},
            ),
        ) from error
    except OSError as error:
        raise unanswered(address, error.strerror or str(error)) from error
    except (ValueError, OverflowError) as error:  # UnicodeError too: a part of the name that is empty or too long
        raise Wrong(
            Text("Kafka advertises {address}, which is no address", {"address": address}), next_step=TO_DO
        ) from error


def unanswered(address: str, reason: str) -> Wrong:
    """What is wrong with an address that takes no connection."""
    said = {"address": address, "reason": reason}
    return Wrong(Text("Kafka advertises {address}, which does not answer from here: {reason}", said), next_step=TO_DO)
