"""The relay: every committed row arrives, in order per key, under outages, refusals, missing ids and lost leases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.treaty_runtime.order_events import CATALOG, FakeRegistry, OrderCreated, OrderSeen
from tests.treaty_runtime.relaying import Service, lasting, running, until
from tests.treaty_runtime.statements import counted
from treaty_runtime.event import Event
from treaty_runtime.hooks import Fenced, OutageBegan, OutboxHeld, Published, PublishRefused, Recovered, Relayed
from treaty_runtime.publish.backlog import Backlog
from treaty_runtime.publish.late_ids import AGAIN_SECONDS, LateIds
from treaty_runtime.publish.lease import Lease
from treaty_runtime.sql.tables import FailedRow, LaneRow, OutboxRow, RelayRow
from treaty_runtime.transport import Fault, FaultKind
from treaty_runtime.transport.memory import MemoryProducer
from treaty_runtime.wire.headers import first_values
from treaty_runtime.wire.serde import Serde, schema_id_of


class Killed(BaseException):
    """Stands for the end of the process at this very statement."""


@pytest.fixture
def service(database: AsyncEngine) -> Service:
    return Service(database)


async def test_committed_rows_reach_the_topic_in_order_and_leave_the_table(service: Service) -> None:
    await service.stage(*((f"o-{number % 5}", number) for number in range(200)))
    staged = await service.staged()
    async with running(service.relay()):
        await until(lambda: len(service.sent()) == 200)
    assert service.sent() == staged
    assert await service.waiting() == 0
    assert len(service.heard(Published)) == 200
    assert sum(hook.rows for hook in service.heard(Relayed) if isinstance(hook, Relayed)) == 200


async def test_a_rolled_back_transaction_publishes_nothing(service: Service) -> None:
    async with service.sessions() as session:
        service.outbox.stage(session, OrderCreated(order_id="phantom", number=1))
        await session.flush()
        await session.rollback()
    async with running(service.relay()):
        await service.stage(("o-1", 1))
        await until(service.sent)
    assert [key for key, _ in service.sent()] == ["o-1"]


async def test_a_record_carries_its_key_headers_and_schema(service: Service) -> None:
    await service.stage(("o-1", 1))
    async with running(service.relay()):
        await until(service.sent)
    (record,) = service.broker.records("order-events")
    headers = first_values(record.headers)
    assert record.key == b"o-1"
    assert record.value is not None
    assert schema_id_of(record.value) == 1
    assert headers["ce_dataschema"] == b"http://registry:8081/schemas/ids/1"
    assert headers["ce_type"] == b"order.created"
    assert "treaty-writer" not in headers


async def test_the_commit_wakes_the_relay(service: Service) -> None:
    relay = service.relay()
    service.outbox.on_commit(relay.wake)
    async with running(relay):
        await service.stage(("o-1", 1))
        await until(service.sent)


async def test_while_the_broker_is_away_rows_wait_and_nothing_is_set_aside(service: Service) -> None:
    service.broker.is_down = True
    await service.stage(("o-1", 1), ("o-1", 2))
    staged = await service.staged()
    async with running(service.relay()):
        await until(lambda: service.heard(OutageBegan))
        assert await service.waiting() == 2
        service.broker.is_down = False
        await until(lambda: len(service.sent()) == 2)
        await until(lambda: service.heard(Recovered))
    assert service.sent() == staged
    assert await _failed(service) == []


async def test_a_stop_during_an_outage_does_not_hang_and_loses_nothing(service: Service) -> None:
    service.broker.is_down = True
    await service.stage(("o-1", 1))
    async with running(service.relay()):
        await until(lambda: service.heard(OutageBegan))
    assert await service.waiting() == 1


async def test_a_row_between_acknowledgement_and_delete_is_sent_again_with_the_same_id(service: Service) -> None:
    await service.stage(("o-1", 1))
    (row,) = await service.staged()

    def die(*arguments: object) -> None:
        if str(arguments[2]).startswith("DELETE FROM outbox "):
            raise Killed

    sql_event.listen(service.engine.sync_engine, "before_cursor_execute", die)
    relay = service.relay(lease=lasting(service))
    await relay._renew()
    with pytest.raises(Killed):
        await relay._round()
    sql_event.remove(service.engine.sync_engine, "before_cursor_execute", die)
    await relay._lease.leave()
    async with running(service.relay()):
        await until(lambda: len(service.sent()) == 2)
    assert service.sent() == [row, row]


async def test_a_missing_topic_holds_its_keys_and_the_others_go_on(service: Service) -> None:
    service.broker.refusals["order-views"] = Fault("UNKNOWN_TOPIC_OR_PART", "no such topic", FaultKind.HELD)
    async with service.sessions.begin() as session:
        service.outbox.stage(session, OrderSeen(number=1), key="held")
        service.outbox.stage(session, OrderCreated(order_id="free", number=1))
    async with running(service.relay()):
        await until(service.sent)
        await until(lambda: service.heard(OutboxHeld))
        assert await service.waiting() == 1
        del service.broker.refusals["order-views"]
        await until(lambda: service.sent("order-views"))
    assert service.heard(OutboxHeld)[0] == OutboxHeld(keys={"UNKNOWN_TOPIC_OR_PART": 1})
    assert await _failed(service) == []


async def test_a_refused_row_is_set_aside_and_the_later_rows_of_its_key_wait(service: Service) -> None:
    service.broker.refusals["order-views"] = Fault("INVALID_RECORD", "bad", FaultKind.REFUSED)
    async with service.sessions.begin() as session:
        service.outbox.stage(session, OrderSeen(number=1), key="o-1")
    async with running(service.relay()):
        await until(lambda: service.heard(PublishRefused))
        await until(lambda: _failed(service))
        await service.stage(("o-1", 2), ("o-2", 1))
        await until(service.sent)
    assert [key for key, _ in service.sent()] == ["o-2"]
    (failed,) = await _failed(service)
    assert (failed.aggregateid, failed.code, failed.attempts, failed.overtaken) == ("o-1", "INVALID_RECORD", 1, False)
    assert await service.waiting() == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"payload": b"{}"},
        {"payload": b""},
        {"headers": '{"a": "b"} garbage'},
        {"headers": "[" * 100_000},
        {"headers": '{"\\ud800": "b"}'},
        {"headers": '{"a": "\\ud800"}'},
        {"headers": '["a"]'},
        {"headers": '{"a": 1}'},
        {"headers": '{"a": {"base64": "YWE"}}'},
        {"headers": "a"},
    ],
)
async def test_a_row_that_no_record_can_be_made_of_is_set_aside_and_its_neighbours_arrive_once(
    service: Service, broken: dict[str, object]
) -> None:
    await service.stage(("o-1", 1), ("o-2", 1), ("o-2", 2), ("o-3", 1))
    (first, _), (bad, bad_id), _, (last, _) = await service.staged()
    async with service.sessions.begin() as session:
        await session.execute(update(OutboxRow).where(OutboxRow.id == UUID(bad_id)).values(**broken))
    async with running(service.relay()):
        await until(lambda: _failed(service))
        await until(lambda: len(service.sent()) >= 2)
    assert [key for key, _ in service.sent()] == [first, last]
    (failed,) = await _failed(service)
    assert (failed.aggregateid, failed.code, failed.attempts, failed.overtaken) == (bad, "INVALID_RECORD", 1, False)
    assert await service.waiting() == 2
    assert [type(each) for each in service.heard(PublishRefused)] == [PublishRefused]


async def test_rows_staged_while_the_registry_was_away_get_their_id_from_the_relay(service: Service) -> None:
    service.registry.is_away = True
    await service.stage(("o-1", 1))
    async with running(service.relay()):
        await until(lambda: service.heard(OutageBegan))
        assert service.sent() == []
        service.registry.is_away = False
        await until(service.sent)
    (record,) = service.broker.records("order-events")
    assert record.value is not None
    assert schema_id_of(record.value) == 1


async def test_while_the_registry_is_away_rows_that_have_their_id_go_on(service: Service) -> None:
    assert await service.serde.schema_id(OrderCreated) == 1
    await service.stage(("o-1", 1), ("o-2", 1))
    service.registry.is_away = True
    async with service.sessions.begin() as session:
        service.outbox.stage(session, OrderSeen(number=1), key="o-1")
    await service.stage(("o-1", 2), ("o-2", 2))
    late, *known = [each for each in await service.staged() if each[0] == "o-1"][-2:]
    async with running(service.relay()):
        await until(lambda: len(service.sent()) >= 3 and service.heard(OutageBegan))
        assert not {late, *known} & {*service.sent(), *service.sent("order-views")}, "what stands behind it waits"
        assert service.heard(Recovered) == []
        service.registry.is_away = False
        await until(lambda: known[0] in service.sent())
        await until(lambda: service.heard(Recovered))
    assert [hook.dependency for hook in service.heard(OutageBegan) if isinstance(hook, OutageBegan)] == ["registry"]
    assert service.sent("order-views") == [late]


async def test_a_registry_that_does_not_answer_is_asked_again_later_and_keeps_nobody_waiting(service: Service) -> None:
    class Silent(FakeRegistry):
        async def id_of(self, event: type[Event]) -> int:
            self.asked.append(event)
            return await asyncio.Future()

    service.registry.is_away = True
    await service.stage(*((f"o-{number}", 1) for number in range(20)))
    rows = await Backlog(service.engine).read(range(16), held=(), limit=20)
    silent, now = Silent(), [100.0]
    late_ids = LateIds(Serde(silent), CATALOG, clock=lambda: now[0])
    for asked in (1, 1, 2):
        ready, held = await late_ids.fill(rows)
        assert (ready, len(held), len(silent.asked)) == ([], 20, asked)
        assert {fault.text for fault in held.values()} == {"The registry did not answer in 0.5 s."}
        now[0] += AGAIN_SECONDS / 2


async def test_a_schema_that_nobody_registered_holds_its_key(service: Service) -> None:
    service.registry.registered.remove(OrderSeen)
    async with service.sessions.begin() as session:
        service.outbox.stage(session, OrderSeen(number=1), key="held")
        service.outbox.stage(session, OrderCreated(order_id="free", number=1))
    async with running(service.relay()):
        await until(lambda: service.heard(OutboxHeld) and service.sent())
    assert service.heard(OutboxHeld)[0] == OutboxHeld(keys={"SCHEMA_NOT_REGISTERED": 1})
    assert service.sent("order-views") == []


async def test_of_a_schema_that_nobody_registered_the_registry_is_asked_once_for_all_keys(service: Service) -> None:
    service.registry.registered.remove(OrderSeen)
    async with service.sessions.begin() as session:
        for number in range(20):
            service.outbox.stage(session, OrderSeen(number=number), key=f"held-{number}")
    backlog = Backlog(service.engine)
    rows = await backlog.read(range(16), held=(), limit=20)
    service.registry.asked.clear()
    ready, held = await LateIds(Serde(service.registry), CATALOG).fill(rows)
    assert (ready, len(held), len(service.registry.asked)) == ([], 20, 1)


async def test_a_payload_of_another_schema_text_never_gets_this_programs_id(service: Service) -> None:
    """The program that staged the row was updated before the registry came back."""
    await service.stage(("o-1", 1))
    async with service.sessions.begin() as session:
        (row,) = await session.scalars(select(OutboxRow))
        row.headers = row.headers.replace('"treaty-writer": "', '"treaty-writer": "0')
    async with running(service.relay()):
        await until(lambda: service.heard(OutboxHeld))
    assert service.heard(OutboxHeld)[0] == OutboxHeld(keys={"SCHEMA_UNKNOWN": 1})
    assert service.sent() == []


async def test_a_zombie_past_its_lease_deletes_nothing_and_is_told(service: Service) -> None:
    await service.stage(("o-1", 1))
    zombie, heir = service.lease(), service.lease()
    await zombie.renew()
    backlog = Backlog(service.engine)
    epochs = dict(zombie.held)
    rows = await backlog.read(epochs, held=(), limit=10)
    await _take_all(service, heir)
    assert heir.held.keys() == epochs.keys()
    assert await backlog.delete(rows, owner=zombie.owner, epochs=epochs, places={}) == 0
    assert await zombie.renew() == frozenset(epochs)
    assert zombie.held == {}
    assert await backlog.delete(rows, owner=heir.owner, epochs=heir.held, places={}) == 1


async def test_a_relay_that_lost_its_lanes_purges_what_it_queued_and_the_heir_sends_it(service: Service) -> None:
    service.broker.is_down = True
    await service.stage(("o-1", 1), ("o-1", 2))
    staged = await service.staged()
    producer = MemoryProducer(service.broker)
    relay = service.relay(producer=producer)
    async with running(relay):
        await until(lambda: service.heard(OutageBegan))
        heir = service.lease()
        await _take_all(service, heir)
        await relay._renew()
        await until(lambda: len({hook.lane for hook in service.seen if isinstance(hook, Fenced)}) == 16)
        await until(lambda: not producer._queue)
        service.broker.is_down = False
        async with running(service.relay(lease=heir)):
            await until(lambda: len(service.sent()) >= 2)
    assert service.sent() == staged


async def test_a_late_lower_position_is_not_skipped(service: Service) -> None:
    """A slower transaction commits a lower position after higher ones were sent."""
    relay = service.relay(lease=lasting(service))
    await relay._renew()
    await service.stage(("o-2", 1))
    assert await relay._round()
    async with service.sessions.begin() as session:
        service.outbox.stage(session, OrderCreated(order_id="o-1", number=1))
        await session.flush()
        (row,) = await session.scalars(select(OutboxRow).where(OutboxRow.aggregateid == "o-1"))
        row.position = -1
    await relay._round()
    assert [key for key, _ in service.sent()] == ["o-2", "o-1"]


@pytest.mark.parametrize(("rows", "statements"), [(9, 2), (30, 7)])
async def test_a_batch_costs_two_statements_and_looking_ahead_in_vain_one(
    service: Service, rows: int, statements: int
) -> None:
    relay = service.relay(lease=lasting(service), batch=10)
    await relay._renew()
    await service.outbox._serde.warm([OrderCreated])
    await service.stage(*((f"o-{number}", number) for number in range(rows)))
    with counted(service.engine) as said:
        for _ in range(0, rows, 10):
            assert await relay._round()
        await relay._ahead.ended()
    assert len(said) == statements
    assert await service.waiting() == 0


async def test_idling_costs_one_statement_a_round_and_three_a_renewal(service: Service) -> None:
    """Five rounds a second and a renewal every three seconds: six statements a second."""
    relay = service.relay(lease=lasting(service))
    await relay._renew()
    with counted(service.engine) as statements:
        assert not await relay._round()
        assert len(statements) == 1
        await relay._renew()
        assert len(statements) == 4


async def _expire(service: Service) -> None:
    async with service.engine.begin() as connection:
        await connection.execute(update(LaneRow).values(until=datetime(2000, 1, 1, tzinfo=UTC)))
        await connection.execute(update(RelayRow).values(seen=datetime(2000, 1, 1, tzinfo=UTC)))


async def _take_all(service: Service, heir: Lease) -> None:
    """The former owner may renew its lease between the two statements."""
    while len(heir.held) < 16:
        await _expire(service)
        await heir.renew()


async def _failed(service: Service) -> list[FailedRow]:
    async with service.sessions() as session:
        return list(await session.scalars(select(FailedRow)))
