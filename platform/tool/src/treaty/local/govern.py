"""Makes the started Kafka and registry what git says: the same plan and apply as for any environment."""

from __future__ import annotations

from collections.abc import Callable

from treaty.config import Settings
from treaty.local.errors import LocalFault
from treaty.local.layout import Layout
from treaty.ops.http import RegistryHttp
from treaty.ops.registry import plan_registry
from treaty.ops.registry_apply import apply_registry
from treaty.ops.topics import apply_topics, plan_topics
from treaty_runtime.admin import Cluster

ENVIRONMENT = "local"


class Ungovernable(LocalFault):
    """The data of an earlier run contradict the schemas in git."""

    help = "treaty up --fresh begins with empty data"


def govern_topics(settings: Settings, layout: Layout) -> int:
    """Creates and alters topics; how many steps changed something."""
    with Cluster(layout.brokers) as cluster:
        made = plan_topics(settings, cluster, environment=ENVIRONMENT)
        return apply_topics(made, cluster, done=ignore)


def govern_schemas(settings: Settings, layout: Layout) -> int:
    """Registers every event of git; how many steps changed something.

    Raises ``Ungovernable`` when the registry kept from an earlier run holds versions that the new ones would break.
    """
    with RegistryHttp(layout.registry_url) as registry:
        made, blocked = plan_registry(settings, registry, environment=ENVIRONMENT)
        if blocked:
            rows = "; ".join(f"{row.subject} version {row.version}" for row in blocked)
            raise Ungovernable(f"The schemas in git would break what the local registry holds: {rows}.")
        return apply_registry(made, registry, done=ignore).changed


ignore: Callable[[object, str], None] = lambda _step, _outcome: None  # noqa: E731  # a value, not a function with a story
