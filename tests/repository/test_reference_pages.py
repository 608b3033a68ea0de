"""Every route, metric and setting stands on its page; ``make snapshots`` writes the tables."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, APIWebSocketRoute
from prometheus_client import CollectorRegistry

from mall import SERVICES
from mall.settings import PORTS
from tests.cases.markdown import ROOT, WRITE
from treaty import variables
from treaty.registry.metrics import Metrics as RegistryMetrics
from treaty_runtime.metrics import Metrics

SETTINGS = {
    "DATABASE_URL": (
        "`sqlite+aiosqlite:///<service>.db`",
        "The service's database: SQLite file or PostgreSQL (schema `mall_<service>`)",
    ),
    "REDIS_URL": ("`redis://localhost:6379/0`", "Redis, for limits, the delay queue and the cache"),
    "KAFKA_BROKERS": ("`localhost:40093`", "Comma list of brokers"),
    "KAFKA_CONSUMER_GROUP": ("the code's", "Another name for the service's first group"),
    "KAFKA_TOPICS": ("the code's", "A subset of the topics that the code handles"),
    "KAFKA_SECURITY_PROTOCOL": (
        "`PLAINTEXT`",
        "`PLAINTEXT`, `SSL`, `SASL_SSL`; `SASL_PLAINTEXT` only with the next one",
    ),
    "KAFKA_ALLOW_PLAINTEXT_PASSWORDS": ("none", "`1` lets passwords travel unencrypted"),
    "KAFKA_SASL_MECHANISM": ("`SCRAM-SHA-512`", "How the service logs in to Kafka"),
    "KAFKA_SASL_USERNAME": ("none", "Its name there"),
    "KAFKA_SASL_PASSWORD_FILE": ("none", "The file that holds its password"),
    "KAFKA_SSL_CA_FILE": ("the system's", "Whom to trust"),
    "KAFKA_SSL_CERTIFICATE_FILE": ("none", "The client certificate"),
    "KAFKA_SSL_KEY_FILE": ("none", "Its key"),
    "KAFKA_GROUP_PROTOCOL": ("`classic`", "`classic` or `consumer` (KIP-848)"),
    "KAFKA_GROUP_INSTANCE_ID": ("none", "Static membership"),
    "SCHEMA_REGISTRY_URL": ("`http://localhost:8081`", "Comma list of registries; the next is asked when one is away"),
    "SCHEMA_REGISTRY_USER_FILE": ("none", "The file that holds `user:password`"),
    "MALL_HOST": ("`127.0.0.1`", "Address to listen on"),
    "MALL_PORT": ("the service's", "Port to listen on"),
    "MALL_INSTANCE": ("host and port", "Name of this process, for groups that each process has of its own"),
    "MALL_JWT_PUBLIC_KEY_FILE": ("required", "PEM file that tokens are checked with"),
    "MALL_JWT_PRIVATE_KEY_FILE": ("required by user", "PEM file that tokens are signed with"),
    "MALL_ADMIN_USER_IDS": ("none", "Comma list of the users who are administrators; they are told of alerts too"),
    "MALL_TRUSTED_PROXIES": ("none", "Comma list of addresses whose `X-Forwarded-For` says who asks"),
    "SMTP_HOST": ("`localhost`", "Mail server"),
    "SMTP_PORT": ("`40125`", "Its port"),
    "MALL_SMS_FILE": ("`sms.jsonl`", "File that text messages are appended to"),
    "MALL_IMAGE_FOLDER": (
        "`images`",
        "Folder of the goods' pictures, of one mall alone: an hour after it came, a picture that no goods have is deleted",
    ),
    "MALL_WAREHOUSE_FOLDER": ("`warehouse`", "Folder of the analytics service's files"),
    "MALL_WEBHOOK_ALLOW_LOOPBACK": ("none", "`1` lets webhooks call this machine, over plain HTTP too"),
    "MALL_ALLOWED_ORIGINS": ("none", "Comma list of origins whose pages may open a WebSocket"),
    "MALL_FEE_BPS": ("`60`", "What the platform keeps of a settled payment, in hundredths of a percent"),
    "MALL_LOCALE": ("`zh`", "Language of notifications: `zh` or `en`"),
}
VARIABLE = re.compile(r'"((?:KAFKA|MALL|SCHEMA_REGISTRY|REDIS|DATABASE|SMTP)_[A-Z_]+)"')


def routers(service: str) -> Iterator[APIRouter]:
    for path in sorted((ROOT / "services/src/mall" / service).glob("*.py")):
        module = importlib.import_module(f"mall.{service}.{path.stem}")
        yield from {id(value): value for value in vars(module).values() if isinstance(value, APIRouter)}.values()


def routes_table() -> str:
    lines = ["| service | call | what it does |", "|---|---|---|"]
    for service in SERVICES:
        seen = set()
        for router in routers(service):
            for route in router.routes:
                if isinstance(route, APIRoute):
                    call = f"{min(route.methods or {'GET'})} {route.path}"
                elif isinstance(route, APIWebSocketRoute):
                    call = f"WebSocket {route.path}"
                else:
                    continue
                if call not in seen:
                    seen.add(call)
                    text = (route.endpoint.__doc__ or "").splitlines()[0]
                    lines.append(f"| {service} :{PORTS[service]} | `{call}` | {text} |")
    return "\n".join(lines)


def metrics_table() -> str:
    lines = ["| metric | type | labels | what it says |", "|---|---|---|---|"]
    for owner in (Metrics("service"), RegistryMetrics()):
        registry: CollectorRegistry = owner._registry
        for collector in registry._collector_to_names:
            (family,) = getattr(collector, "describe")()  # noqa: B009  # every metric of the library has it, its base type does not
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = ", ".join(getattr(collector, "_labelnames", ()))
            lines.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(lines)


def settings_table() -> str:
    lines = ["| variable | default | what it is |", "|---|---|---|"]
    lines += [f"| `{name}` | {default} | {text} |" for name, (default, text) in SETTINGS.items()]
    return "\n".join(lines)


def variables_table() -> str:
    return "\n".join(
        ["| variable | what it is |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in variables.READ.items())]
    )


def readers_table() -> str:
    topics = tomllib.loads((ROOT / "schemas/topics.toml").read_text(encoding="utf-8"))
    reads: dict[tuple[str, str], list[str]] = {}
    for topic, table in topics["topic"].items():
        for group, consumer in table.get("consumer", {}).items():
            names = ", ".join(event.rpartition(".")[2] for event in consumer.get("events") or table["events"])
            reads.setdefault((consumer["service"], group), []).append(f"{topic} ({names or 'whole records'})")
    lines = ["| service | group | reads |", "|---|---|---|"]
    for service in topics["service"]:
        state = service if service in SERVICES else f"{service}, **not built yet**"
        for (owner, group), places in reads.items():
            if owner == service:
                lines.append(f"| {state} | `{group}` | {' · '.join(places)} |")
    unread = [f"`{topic}`" for topic, table in topics["topic"].items() if not table.get("consumer")]
    return "\n".join([*lines, "", f"Nobody reads these yet: {', '.join(unread)}."])


PAGES = {
    "routes": ("services", routes_table),
    "readers": ("services", readers_table),
    "metrics": ("metrics", metrics_table),
    "settings": ("settings", settings_table),
    "variables": ("settings", variables_table),
}
"""Mark to page and table."""


@pytest.mark.snapshot
@pytest.mark.parametrize("mark", PAGES)
def test_the_page_lists_what_there_is(mark: str) -> None:
    page, table = PAGES[mark]
    path = ROOT / "docs" / f"{page}.md"
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition(f"<!-- {mark} -->\n")
    now, _, tail = rest.partition(f"<!-- /{mark} -->")
    wanted = f"\n{table()}\n\n"
    if WRITE:
        path.write_text(f"{head}<!-- {mark} -->\n{wanted}<!-- /{mark} -->{tail}", encoding="utf-8")
    else:
        assert now == wanted, f"docs/{page}.md is not what the code says; run `make snapshots` and read the diff"


def test_every_variable_that_a_service_reads_is_documented() -> None:
    read: set[str] = set()
    for folder in ("services/src/mall", "platform/runtime/src/treaty_runtime"):
        for path in (ROOT / folder).rglob("settings.py"):
            read |= set(VARIABLE.findall(path.read_text(encoding="utf-8")))
    assert read == set(SETTINGS)
