"""A registry that was changed by hand: a subject without its level, and a version that nobody reviewed."""

from __future__ import annotations

import json

from treaty.local.errors import StartFailed
from treaty.local.faults.planted import Planted, Site
from treaty.ops.http import RegistryHttp

NAME = "drifted-subject"
SUBJECT = "goods-events-mall.goods.GoodsViewed"
FIELD = {
    "name": "colour",
    "type": "string",
    "doc": "A field without default: no reader of the released schema wrote it.",
}
PLAN = "registry.plan.json"


def plant(site: Site) -> Planted:
    """Switches the level off, and registers what the level would have refused."""
    with RegistryHttp(site.registry) as registry:
        versions = registry.versions(SUBJECT)
        if not versions:
            raise StartFailed(f"The registry does not know {SUBJECT}.", next_step="treaty registry plan")
        number = max(versions)
        schema = json.loads(versions[number])
        registry.set_level(SUBJECT, "NONE")
        if all(field["name"] != FIELD["name"] for field in schema["fields"]):  # planted before: it is there
            registry.register(SUBJECT, json.dumps({**schema, "fields": [*schema["fields"], FIELD]}))
            number = max(registry.versions(SUBJECT))
    return told(number, registry=site.registry)


def told(number: int, *, registry: str) -> Planted:
    """What is printed of a version that git does not know."""
    return Planted(
        name=NAME,
        story=f"{SUBJECT} has the level NONE, and a version {number} with a field that git knows nothing of: a reader of it could not "
        "read what is in the topic. A plan never deletes what it does not know; whoever put it there takes it away.",
        look=("treaty registry plan", "treaty doctor"),
        mend=(
            f"curl -s -X DELETE {registry}/subjects/{SUBJECT}/versions/{number}",
            f"treaty registry plan --out {PLAN}",
            f"treaty registry apply {PLAN} --yes --no-lock",
        ),
        proof=("treaty registry plan",),
    )
