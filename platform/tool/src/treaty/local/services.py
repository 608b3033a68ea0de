"""How the project's services are started: each by the one command of ``[local] service``, told everything by its environment."""

from __future__ import annotations

import shlex
import sys

from treaty.errors import UsageError
from treaty.local.guard import Guard
from treaty.local.keys import ADMIN_USER_ID, Keys
from treaty.local.layout import Layout
from treaty.local.machine import Machine
from treaty.local.ports import LOOPBACK
from treaty.local.program import Program

OURS = ("KAFKA_", "SCHEMA_REGISTRY_", "DATABASE_", "REDIS_", "SMTP_", "MALL_")
"""Variables with these beginnings come from us alone: those of the caller's shell may mean another cluster."""

ARENAS = "2"
"""A service has some thirty threads, most of Kafka's client, and one interpreter's lock. glibc would give them eight heaps a core;
what is free in one is of no use to the others, and that grew by megabytes in ten minutes (`docs/reliability.md`).
"""


def registry(layout: Layout, *, machine: Machine, guard: Guard) -> Program:
    """Our own registry, on a SQLite file."""
    port, database = layout.ports["registry"], layout.data / "registry.db"
    options = {"--host": LOOPBACK, "--port": str(port), "--database": f"sqlite:///{database}"}
    return Program(
        name="registry", address=f"http://localhost:{port}", health_port=port, log=layout.log("registry"), guard=guard,
        argv=[sys.executable, "-m", "treaty", "registry", "serve", *(word for pair in options.items() for word in pair)],
        env=inherited(machine), folder=layout.root,
    )  # fmt: skip


def mail_sink(layout: Layout, *, machine: Machine, guard: Guard) -> Program:
    """The mail server that delivers nothing."""
    smtp_port, http_port = layout.ports["smtp"], layout.ports["mail"]
    options = {"--smtp-port": str(smtp_port), "--http-port": str(http_port), "--folder": str(layout.mail)}
    return Program(
        name="smtp", address=f"localhost:{smtp_port}", note=f"mail: http://localhost:{http_port}/messages", health_port=http_port,
        argv=[sys.executable, "-m", "treaty.local.smtp", *(word for pair in options.items() for word in pair)],
        env=inherited(machine), folder=layout.root, log=layout.log("smtp"), guard=guard,
    )  # fmt: skip


def service(name: str, layout: Layout, *, machine: Machine, keys: Keys, guard: Guard) -> Program:
    """One service of topics.toml. Raises ``UsageError`` for a command that is not one."""
    port = layout.ports[name]
    return Program(
        name=name, address=f"http://localhost:{port}", health_port=port, log=layout.log(name), guard=guard,
        argv=command(layout.service_command, name), env=inherited(machine) | environment(name, layout, keys), folder=layout.root,
    )  # fmt: skip


def command(template: str, name: str) -> list[str]:
    """The words of ``[local] service``; ``python`` is the interpreter that runs us, so that both see the same packages."""
    try:
        words = [word.replace("{service}", name) for word in shlex.split(template)]
    except ValueError as error:
        raise UsageError(f"treaty.toml: [local] service = `{template}`: {error}") from error
    return [sys.executable, *words[1:]] if words[0] in ("python", "python3") else words


def environment(name: str, layout: Layout, keys: Keys) -> dict[str, str]:
    """What a service is told: addresses of the stack, its own port and database, the key that tokens are checked with."""
    told = {
        "KAFKA_BROKERS": layout.brokers,
        "SCHEMA_REGISTRY_URL": layout.registry_url,
        "DATABASE_URL": database_url(name, layout),
        "REDIS_URL": f"redis://{LOOPBACK}:{layout.ports['redis']}/0",
        "SMTP_HOST": LOOPBACK,
        "SMTP_PORT": str(layout.ports["smtp"]),
        "MALL_PORT": str(layout.ports[name]),
        "MALL_INSTANCE": f"{name}-local",
        "MALL_JWT_PUBLIC_KEY_FILE": str(keys.public),
        "MALL_ADMIN_USER_IDS": str(ADMIN_USER_ID),
        "MALL_IMAGE_FOLDER": str(layout.data / "images"),
        "MALL_WAREHOUSE_FOLDER": str(layout.data / "warehouse"),
        "MALL_SMS_FILE": str(layout.folder / "sms.jsonl"),
        "MALL_WEBHOOK_ALLOW_LOOPBACK": "1",
    }
    signs_tokens = name == "user"
    return told | ({"MALL_JWT_PRIVATE_KEY_FILE": str(keys.private)} if signs_tokens else {})


def database_url(name: str, layout: Layout) -> str:
    """A SQLite file of the service's own, or the one PostgreSQL, in which each service keeps to its own schema."""
    if layout.database == "postgres":
        return f"postgresql+psycopg://treaty@{LOOPBACK}:{layout.ports['postgres']}/postgres"
    return f"sqlite:///{layout.data / name}.db"


def inherited(machine: Machine) -> dict[str, str]:
    """The caller's environment without what only we may say, and with output that reaches the log at once."""
    kept = {key: value for key, value in machine.env.items() if not key.startswith(OURS)}
    return {"MALLOC_ARENA_MAX": ARENAS} | kept | {"PYTHONUNBUFFERED": "1"}
