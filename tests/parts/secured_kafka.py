"""A broker with listeners that ask who is there: SASL over TLS, and TLS with client certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.treaty.registry.certificates import Authority
from treaty.local import properties
from treaty.local.kafka import Kafka
from treaty.local.machine import Machine
from treaty.local.ports import LOOPBACK, free_port

OPERATOR, PASSWORD = "operator", "a secret of nobody's"


class SecuredKafka(Kafka):
    """One broker: SCRAM and PLAIN over TLS at ``sasl``, mutual TLS at ``tls``. Its certificate is the authority's.

    Two more doors lead nowhere: at ``unnamed`` it tells clients to use a name that nobody knows, at ``astray`` a port where nobody is.
    """

    def __init__(self, folder: Path, *, machine: Machine, **options: Any) -> None:
        super().__init__(folder, machine=machine, **options)
        folder.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(folder)
        self.sasl, self.tls, self.unnamed, self.astray, self.nowhere = (f"{LOOPBACK}:{free_port()}" for _ in range(5))

    def admit(self) -> None:
        """Gives the operator a SCRAM password, by the listener that asks nobody."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        change = UserScramCredentialUpsertion(OPERATOR, info, PASSWORD.encode())
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for answer in admin.alter_user_scram_credentials([change]).values():
            answer.result(30)

    def _write_settings(self) -> Path:
        file = super()._write_settings()
        certificate, key = self.authority.make("broker")
        store = self.folder / "broker.pem"
        store.write_bytes(key.read_bytes() + certificate.read_bytes())
        told = properties.parse(file.read_text())
        named = f"SECURED://{self.sasl},MUTUAL://{self.tls}"
        listening = f"{named},UNNAMED://{self.unnamed},ASTRAY://{self.astray}"
        advertised = f"{named},UNNAMED://kafka.invalid:9092,ASTRAY://{self.nowhere}"
        protocols = "SECURED:SASL_SSL,MUTUAL:SSL,UNNAMED:PLAINTEXT,ASTRAY:PLAINTEXT"
        tls = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.certificate),
        }
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
        told |= {
            "listeners": f"{told['listeners']},{listening}",
            "advertised.listeners": f"{told['advertised.listeners']},{advertised}",
            "listener.security.protocol.map": f"{told['listener.security.protocol.map']},{protocols}",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.secured.plain.sasl.jaas.config": f'{plain} required user_{OPERATOR}="{PASSWORD}";',
            "listener.name.secured.scram-sha-512.sasl.jaas.config": f"{scram} required;",
            "listener.name.mutual.ssl.client.auth": "required",
            **tls,
        }
        file.write_text(properties.render(told))
        return file


class GuardedKafka(SecuredKafka):
    """A broker that checks rights: its plain listener is the super user's, the others ask who is there. No user has a right at first."""

    users = ("order", "billing", "stranger")

    def _write_settings(self) -> Path:
        file = super()._write_settings()
        users = " ".join(f'user_{name}="{PASSWORD}"' for name in self.users)
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        file.write_text(
            properties.render(
                properties.parse(file.read_text())
                | {
                    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                    "super.users": "User:ANONYMOUS",
                    "allow.everyone.if.no.acl.found": "false",
                    "listener.name.secured.plain.sasl.jaas.config": f"{login} {users};",
                }
            )
        )
        return file

    def client(self, user: str) -> dict[str, Any]:
        """How a service comes."""
        return {
            "bootstrap.servers": self.sasl,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": user,
            "sasl.password": PASSWORD,
            "ssl.ca.location": str(self.authority.certificate),
            "log_level": 0,
        }
