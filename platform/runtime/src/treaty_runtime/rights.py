"""Rights on a cluster as values, and as Kafka's client has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

EVERY: Final = AclBindingFilter(
    ResourceType.ANY,
    None,  # type: ignore[arg-type]  # any name; the client's annotation leaves that out
    ResourcePatternType.ANY,
    None,  # type: ignore[arg-type]  # any principal
    None,  # type: ignore[arg-type]  # any host
    AclOperation.ANY,
    AclPermissionType.ANY,
)
"""Matches the whole access control list."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Right:
    """An entry of a cluster's access control list, in Kafka's words (`User:mall-order`, `TOPIC`, `PREFIXED`, `READ`).

    ``is_allowed`` False: it refuses.
    """

    principal: str
    resource: str
    name: str
    pattern: str = "LITERAL"
    host: str = "*"
    operation: str
    is_allowed: bool = True

    @property
    def where(self) -> tuple[str, str, str, str, str]:
        """Whom and what it is about."""
        return self.principal, self.resource, self.name, self.pattern, self.host

    @property
    def told(self) -> str:
        """`read topic order-events`; a prefix has a star."""
        name = f"{self.name}*" if self.pattern == "PREFIXED" else self.name
        return f"{self.operation.lower()} {self.resource.lower().replace('_', '-')} {name}"

    def covers(self, name: str) -> bool:
        """Whether it is about a resource of this name."""
        if self.pattern == "PREFIXED":
            return name.startswith(self.name)
        return self.name in {name, "*"}


def right_of(found: AclBinding) -> Right:
    """An entry as the client reads it."""
    return Right(
        principal=found.principal,
        resource=_word(found.restype),
        name=found.name,
        pattern=_word(found.resource_pattern_type),
        host=found.host,
        operation=_word(found.operation),
        is_allowed=found.permission_type is AclPermissionType.ALLOW,
    )


def binding_of(right: Right) -> AclBinding:
    """An entry as the client writes it."""
    return AclBinding(
        ResourceType[right.resource],
        right.name,
        ResourcePatternType[right.pattern],
        right.principal,
        right.host,
        AclOperation[right.operation],
        AclPermissionType.ALLOW if right.is_allowed else AclPermissionType.DENY,
    )


def filter_of(right: Right) -> AclBindingFilter:
    """What matches this entry and no other."""
    own = binding_of(right)
    return AclBindingFilter(
        own.restype,
        own.name,
        own.resource_pattern_type,
        own.principal,
        own.host,
        own.operation,
        own.permission_type,
    )


def _word(value: object) -> str:
    return str(getattr(value, "name", value))
