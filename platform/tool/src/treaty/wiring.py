"""The one place that knows which concrete things exist: addresses become connections, settings become servers."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from treaty.config import Settings, shown, variable_of
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops.http import RegistryHttp
from treaty_runtime.admin import Cluster, ClusterRefused, ClusterUnreachable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from treaty.ops.dead_letters.index import DeadLetters
    from treaty.ops.journal import Journal
    from treaty.registry.errors import StartRefused
    from treaty.registry.guard.administration import Administration
    from treaty_runtime.kafka.groups import Groups
    from treaty_runtime.kafka.log import Log

T = TypeVar("T")


def registry_of(settings: Settings, environment: str) -> RegistryHttp:
    """The registry of ``[environment.NAME]``; a token comes from a variable, and so must the address that it is sent to."""
    values = settings.of_environment(environment)
    if "registry" not in values:
        raise UsageError(
            f"[environment.{environment}] names no registry.", next_step='add registry = "http://…" to treaty.toml'
        )
    return RegistryHttp(str(values["registry"]), token=token_of(settings, environment))


def token_of(settings: Settings, environment: str) -> str | None:
    """The token for the registry of an environment, if the variables give one; ``UsageError`` if it could go to a stranger."""
    table = settings.environments[environment]
    given = table.get("registry_token") or table.get("registry_token_file")
    if given is None:
        return None
    variable = variable_of(environment, "registry")
    if table["registry"].source != variable:
        raise UsageError(
            f"{given.source} is set, but the registry's address comes from {table['registry'].source}: "
            "a token goes only to an address that a variable names too.",
            next_step=f"export {variable}={shown(str(table['registry'].value))}",
        )
    secret: str = given.value.reveal()
    return secret if "registry_token" in table else read_secret(Path(secret))


def registry_at(url: str, *, token_file: Path | None) -> RegistryHttp:
    """The registry at an address; its token comes from a file, never from a flag."""
    return RegistryHttp(url, token=read_secret(token_file) if token_file else None)


def migrate_registry(settings: Settings, database: str | None) -> str:
    """Brings a registry's tables to our revision, and says which that is."""
    # Imported here: the server's libraries are an extra that a schema pull request does not install.
    from treaty.registry.errors import StartRefused  # noqa: PLC0415  # an extra, as said above
    from treaty.registry.stores.migrations import newest_revision  # noqa: PLC0415  # an extra, as said above
    from treaty.registry.stores.sql.store import open_store  # noqa: PLC0415  # an extra, as said above

    try:
        open_store(database or str(settings.get("registry", "database")), migrate=True).close()
    except StartRefused as refused:
        raise fault_of(refused) from refused
    return newest_revision()


def cluster_of(settings: Settings, environment: str) -> Cluster:
    """The Kafka cluster of ``[environment.NAME]``."""
    values = settings.of_environment(environment)
    if "brokers" not in values:
        raise UsageError(
            f"[environment.{environment}] names no brokers.", next_step='add brokers = "host:port" to treaty.toml'
        )
    return Cluster(str(values["brokers"]), extra=access_to_cluster(settings, environment))


def cluster_if_known(settings: Settings, environment: str) -> AbstractContextManager[Cluster | None]:
    """The same, and None where the environment ("": none) names no brokers."""
    if environment and "brokers" in settings.of_environment(environment):
        return cluster_of(settings, environment)
    return nullcontext()


def access_to_cluster(settings: Settings, environment: str) -> dict[str, Any]:
    """librdkafka's settings of security for the cluster of ``[environment.NAME]``."""
    from treaty.ops.cluster_access import cluster_access  # noqa: PLC0415  # the other commands need no Kafka client

    return cluster_access(settings, environment, read_secret=read_secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A cluster, its records, its groups, and what operators noted there."""

    cluster: Cluster
    log: Log
    groups: Groups
    journal: Journal


@contextmanager
def cluster_log(settings: Settings, environment: str) -> Iterator[Connected]:
    """The cluster of ``[environment.NAME]`` with its records; Kafka's faults as the tool's."""
    # Imported here: the other commands need no consumer.
    from treaty.ops.journal import Journal  # noqa: PLC0415  # as said above
    from treaty_runtime.kafka.groups import Groups  # noqa: PLC0415  # as said above
    from treaty_runtime.kafka.log import Log  # noqa: PLC0415  # as said above

    cluster = cluster_of(settings, environment)
    extra = access_to_cluster(settings, environment)
    with told_as_ours(), cluster, Log(cluster.bootstrap, extra=extra) as log:
        journal = Journal(log, cluster, by=getpass.getuser())
        yield Connected(cluster=cluster, log=log, groups=Groups(cluster.bootstrap, extra=extra), journal=journal)


@contextmanager
def dead_letters_of(settings: Settings, environment: str, *, topics: Iterable[str] = ()) -> Iterator[DeadLetters]:
    """The dead letters of ``[environment.NAME]``, in the given topics or in all."""
    from treaty.ops.dead_letters.index import DeadLetters  # noqa: PLC0415  # the other commands need no consumer

    with cluster_log(settings, environment) as connected:
        yield DeadLetters(connected.log, connected.groups, connected.journal, topics=topics)


@contextmanager
def told_as_ours() -> Iterator[None]:
    """Kafka's faults as the tool's, with a next step."""
    try:
        yield
    except ClusterUnreachable as error:
        raise EnvironmentFault(str(error), next_step="is it up? try: treaty up") from error
    except ClusterRefused as error:
        raise EnvironmentFault(str(error)) from error


def on_database(url: str, schema: str | None, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """What ``work`` answers about a service's database; on PostgreSQL its tables are looked for in ``schema``.

    Raises ``UsageError`` for an address that is none, ``EnvironmentFault`` for a database that is away or has no tables of ours.
    """
    # Imported here: the database's libraries are an extra that a schema pull request does not install.
    try:
        from treaty.ops.service_database import ask  # noqa: PLC0415  # an extra, as said above
    except ImportError as missing:
        raise EnvironmentFault(f"{missing.name} is not installed.", next_step="pip install 'treaty[sql]'") from missing
    return ask(url, schema, work)


def now() -> datetime:
    """The host's clock."""
    return datetime.now(UTC)


def read_secret(file: Path) -> str:
    """A secret's text without its final newline; an empty or missing file is an error that does not show it."""
    try:
        text = file.read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise EnvironmentFault(f"The secret file {file} cannot be read: {error.strerror}") from error
    if not text:
        raise EnvironmentFault(f"The secret file {file} is empty.")
    return text


@contextmanager
def registry_administration(settings: Settings, database: str | None) -> Iterator[Administration]:
    """The directory of a registry's database, for whoever may open the database; its tables must be at our revision."""
    # Imported here: the server's libraries are an extra that a schema pull request does not install.
    from treaty.registry.errors import StartRefused, StoreUnavailable  # noqa: PLC0415  # an extra, as said above
    from treaty.registry.guard.administration import Administration  # noqa: PLC0415  # an extra, as said above
    from treaty.registry.stores.sql.store import open_store  # noqa: PLC0415  # an extra, as said above

    url = database or str(settings.get("registry", "database"))
    try:
        with closing(open_store(url, migrate=False)) as store:
            yield Administration(store, getpass.getuser(), lambda: datetime.now(UTC), secrets.token_bytes)
    except StartRefused as refused:
        raise fault_of(refused) from refused
    except StoreUnavailable as error:
        raise EnvironmentFault("The registry's database does not answer.") from error


def fault_of(refused: StartRefused) -> UsageError | EnvironmentFault:
    """The tool's error for a registry that does not start like this."""
    kind = UsageError if refused.exit_code == UsageError.exit_code else EnvironmentFault
    return kind(str(refused))


def registry_settings(settings: Settings) -> dict[str, Any]:
    """``[registry]`` as the server takes it: lists as tuples, files counted from the folder of treaty.toml."""
    told: dict[str, Any] = {key: settings.get("registry", key) for key in settings.values["registry"]}
    for key in ("tls_cert", "tls_key", "tls_ca", "jwks"):
        if told[key] and "://" not in told[key]:
            told[key] = str(settings.root / told[key])
    return {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}


def serve_registry(settings: Settings, flags: Mapping[str, Any]) -> int:
    """Runs the registry server until it is told to stop; a flag that was given wins over ``[registry]`` of treaty.toml."""
    # Imported here: the server's libraries are an extra that a schema pull request does not install.
    from treaty.registry import serve  # noqa: PLC0415  # an extra, as said above
    from treaty.registry.errors import StartRefused  # noqa: PLC0415  # an extra, as said above
    from treaty.registry.settings import RegistrySettings  # noqa: PLC0415  # an extra, as said above

    given = {key: value for key, value in flags.items() if value is not None}
    try:
        return serve(RegistrySettings.told(registry_settings(settings) | given))
    except StartRefused as refused:
        raise fault_of(refused) from refused
