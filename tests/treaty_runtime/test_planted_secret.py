"""S8, S17: a secret that was planted in every setting shows up in no text that leaves the runtime."""

from __future__ import annotations

import traceback
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from tests.treaty_runtime.order_events import CATALOG, OrderCreated
from treaty_runtime.errors import PublishFailed, TreatyError
from treaty_runtime.event import Context
from treaty_runtime.fastapi import routes
from treaty_runtime.handlers import Group, Handlers
from treaty_runtime.logs import Logs
from treaty_runtime.metrics import Metrics
from treaty_runtime.runtime import Runtime
from treaty_runtime.settings import KafkaSettings

CANARY = "canary-7f3a9"


async def test_a_planted_secret_appears_nowhere(tmp_path: Path) -> None:
    password, user = tmp_path / "password", tmp_path / "user"
    password.write_text(f"{CANARY}-password")
    user.write_text(f"ann:{CANARY}-registry")
    settings = KafkaSettings.from_env(
        {
            "KAFKA_BROKERS": "127.0.0.1:9",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_USERNAME": "ann",
            "KAFKA_SASL_PASSWORD_FILE": str(password),
            "SCHEMA_REGISTRY_URL": f"http://bob:{CANARY}-url@127.0.0.1:9",
            "SCHEMA_REGISTRY_USER_FILE": str(user),
        }
    )
    handlers, told, metrics = Handlers(), list[object](), Metrics("order")

    @handlers.on(OrderCreated)
    async def handle(event: OrderCreated, context: Context) -> None:
        """Never called."""

    texts = [repr(settings), str(settings)]
    with capture_logs() as logs:
        runtime = Runtime(
            service="order",
            settings=settings,
            events=CATALOG,
            groups=[Group("g", handlers, dead_letter="dlq")],
            observers=[metrics, Logs("order"), told.append],
        )
        app = FastAPI()
        app.include_router(routes(runtime, metrics=metrics))
        async with runtime, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://order") as client:
            with pytest.raises(TreatyError) as refused:
                await runtime.publisher.publish(OrderCreated(order_id="o-1", number=1), timeout=timedelta(seconds=1))
            texts += ["".join(traceback.format_exception(refused.value)), repr(refused.value)]
            runtime.serde.learn(OrderCreated, 1)
            with pytest.raises(PublishFailed) as lost:
                await runtime.publisher.publish(OrderCreated(order_id="o-1", number=1), timeout=timedelta(seconds=1))
            texts += ["".join(traceback.format_exception(lost.value)), lost.value.reason]
            for path in ("/readyz", "/healthz", "/metrics"):
                answer = await client.get(path)
                texts += [answer.text, repr(answer.headers)]
    texts += [repr(logs), repr(told), repr(runtime), repr(runtime.publisher)]
    assert not [text for text in texts if CANARY in text]
