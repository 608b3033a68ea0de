"""What a rebuild says, and its exit code, when something is lost in the middle: never that the old model stays if nobody knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from mall.database import open_database
from mall.rebuilding import ENVIRONMENT, rebuild
from mall.rebuilt import Change, History, RebuildBroken
from mall.retelling import Model, Swap, rebuild_tables
from mall.search.app import groups
from mall.search.tables import metadata
from mall.shadow import Shadow, opened_shadow
from tests.mall.past import Past, past
from treaty.local.ports import free_port
from treaty_runtime.clock import utcnow

LOST = OperationalError("SELECT 1", None, Exception("gone"))


def test_a_database_that_is_away_is_one_sentence_and_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "public.pem"
    public = Ed25519PrivateKey.generate().public_key()
    key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    away = f"127.0.0.1:{free_port()}"
    env = {
        "DATABASE_URL": f"postgresql+psycopg://treaty@{away}/postgres",
        "KAFKA_BROKERS": away,
        "SCHEMA_REGISTRY_URL": f"http://{away}",
        "MALL_JWT_PUBLIC_KEY_FILE": str(key),
    }
    assert rebuild("search", [], env=env) == ENVIRONMENT
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].endswith("the old read model stays; rebuild again when it is back.")


@pytest.fixture
async def market(database_url: str, tmp_path: Path) -> AsyncIterator[Past]:
    """The search service, with nothing to tell."""
    database = open_database("search", database_url)
    yield await past("search", database, metadata, groups(), url=database_url, folder=tmp_path)
    await database.engine.dispose()


async def broken(market: Past, swap: Swap) -> str:
    """What a rebuild says that does not come through."""
    model = Model(metadata=metadata, groups=["search-service"], tables=["search_goods"], swap=swap)
    with pytest.raises(RebuildBroken) as caught:
        await rebuild_tables(
            model, runtime=market.runtime, settings=market.settings, despite_failures=False, now=utcnow
        )
    return str(caught.value)


async def test_a_connection_lost_in_the_last_step_is_not_opened_again_and_the_old_model_stays(market: Past) -> None:
    tries = 0

    async def lose(shadow: Shadow, _history: History) -> list[Change]:
        nonlocal tries
        tries += 1
        await shadow.connection.invalidate()
        raise LOST

    assert "the old read model stays; rebuild again" in await broken(market, lose)
    assert tries == 1


async def test_a_swap_whose_commit_was_not_answered_is_not_called_refused(market: Past) -> None:
    async def lose_the_answer(shadow: Shadow, _history: History) -> list[Change]:
        def unanswered(_connection: Connection) -> None:
            raise LOST

        assert shadow.connection.sync_connection is not None
        event.listen(shadow.connection.sync_connection, "commit", unanswered)
        return []

    assert "which is whole or has not happened: rebuild again" in await broken(market, lose_the_answer)


async def test_a_handler_never_gets_a_connection_without_the_temporary_tables(market: Past) -> None:
    async with opened_shadow(market.database, metadata, service="search") as shadow:
        await shadow.connection.invalidate()
        with pytest.raises(RebuildBroken, match="The database was lost meanwhile"):
            async with shadow.sessions.begin() as session:
                await session.execute(text("SELECT * FROM outbox"))
