"""A record that fits its schema and that no handler can do anything with: it becomes a dead letter at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from treaty.local.errors import StartFailed
from treaty.local.faults.planted import Planted, Site
from treaty.ops.dead_letters.body import frame
from treaty.ops.dead_letters.letter import letter_of
from treaty.ops.http import RegistryHttp
from treaty.ops.registered import Registered, Version
from treaty_avro import compile_generic, from_json
from treaty_runtime.event import Partition, Record
from treaty_runtime.kafka.log import Log
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire.headers import dataschema_of, event_headers

NAME = "poison-message"
TOPIC, EVENT, DEAD_LETTERS = "notification.email", "mall.notification.EmailRequested", "dlq.notification"
USER = 21
MISSPELT, MEANT = "wellcome", "welcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """The record, and the mail's key, by which the mail is known once it is sent."""

    record: Outgoing
    key: str


def plant(site: Site) -> Planted:
    """Publishes the record and waits until it is a dead letter."""
    with RegistryHttp(site.registry) as registry, Log(site.brokers) as log:
        newest = Registered(registry).newest(f"{TOPIC}-{EVENT}")
        if newest is None:
            raise StartFailed(f"The registry does not know {EVENT}.", next_step="treaty registry plan")
        poison = _poison(site, newest)
        before = log.spans([DEAD_LETTERS])
        log.append(poison.record)
        found = site.until(lambda: _letter(log, before, key=poison.key), what="The record did not become a dead letter")
    return told(letter_of(found).place, fingerprint=letter_of(found).fingerprint, key=poison.key)


def told(place: object, *, fingerprint: str, key: str) -> Planted:
    """What is printed of a letter at a place."""
    return Planted(
        name=NAME,
        story=f"A mail was asked for with the template `{MISSPELT}`. There is none, so no attempt could ever send it: it was put "
        f"aside as a dead letter at {place}, and the mails after it went out.",
        look=("treaty dlq list", f"treaty dlq show {place}"),
        mend=(
            f"""treaty dlq edit {place} --set template='"{MEANT}"' --reason "the template was misspelt" --yes""",
            f'treaty dlq replay --fingerprint {fingerprint} --wait 60 --reason "mended" --yes',
        ),
        proof=("treaty dlq list", f"grep -rl {key.replace(':', '.')} .treaty/mail"),
    )


def _poison(site: Site, newest: Version) -> Poison:
    identity, now = UUID(bytes=site.entropy(16), version=4), site.now()
    key = f"{identity}:{MEANT}:{USER}"
    event = {
        "notification_key": key,
        "user_id": str(USER),
        "to_address": "newcomer@example.com",
        "template": MISSPELT,
        "locale": "en",
        "parameters": {"username": "newcomer"},
        "event_time": now.isoformat().replace("+00:00", "Z"),
    }
    encode, _ = compile_generic(newest.schema)
    value = frame(newest.schema_id, encode(from_json(newest.schema, json.dumps(event), style="plain")))
    headers = event_headers(
        event_id=identity,
        source="/demo",
        type=TOPIC,
        time=now,
        subject=key,
        dataschema=dataschema_of(site.registry, newest.schema_id),
        correlation_id=identity,
    )
    return Poison(record=Outgoing(topic=TOPIC, key=key.encode(), value=value, headers=headers), key=key)


def _letter(log: Log, before: dict[Partition, tuple[int, int]], *, key: str) -> Record | None:
    """The dead letter of our key among those that came since."""
    spans = {
        partition: (before.get(partition, (0, 0))[1], end) for partition, (_, end) in log.spans([DEAD_LETTERS]).items()
    }
    return next((record for record in log.read(spans) if record.key == key.encode()), None)
