"""What a service answers when it says no: a class per kind, a sentence for people, a next step.

The docstring is the default sentence; status and code are class data; `mall.web` renders them all.
"""

from __future__ import annotations

from typing import ClassVar


class MallError(Exception):
    """The request was refused."""

    status: ClassVar[int] = 500
    code: str = "internal"
    next: str = "Try again; if it happens again, tell the operator the time of the request."
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, message: str | None = None, **details: object) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.details = details
        super().__init__(self.message)


class Unauthorized(MallError):
    """This address needs a token."""

    status, code = 401, "unauthorized"
    next = "Send `Authorization: Bearer <token>`; locally `treaty token` prints one."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(MallError):
    """Only admins may do that."""

    status, code = 403, "forbidden"
    next = "Ask an admin, or use a token with the claim `admin`."


class WrongPassword(MallError):
    """The old password is wrong."""

    status, code = 403, "wrong_password"
    next = "Type the password that you signed in with."


class NotFound(MallError):
    """There is no such thing, or it is not yours."""

    status, code = 404, "not_found"
    next = "Check the number and whose token you sent."


class Refusal(MallError):
    """The state of things does not allow that."""

    status = 409

    def __init__(self, code: str, message: str, *, next_step: str, **details: object) -> None:
        super().__init__(message, **details)
        self.code, self.next = code, next_step


class Unprocessable(Refusal):
    """The request contradicts itself."""

    status = 422


class Invalid(MallError):
    """The request says something that cannot be."""

    status, code = 422, "invalid_request"
    next = "Correct the request; the OpenAPI document under /openapi.json lists every field."


class VersionDiffers(MallError):
    """Somebody changed it since you read it."""

    status, code = 412, "version_differs"
    next = "Read it again and send its `version` as If-Match."


class VersionMissing(MallError):
    """An edit says which version it was made from."""

    status, code = 428, "version_missing"
    next = "Send the `version` you read as the header If-Match."


class IdempotencyConflict(MallError):
    """This Idempotency-Key was used with another request."""

    status, code = 409, "idempotency_conflict"
    next = "Use a new key for a new request."


class TooManyRequests(MallError):
    """Too many requests in a short time."""

    status, code = 429, "too_many_requests"
    next = "Wait a minute, then try again."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "60"}


class TooLarge(MallError):
    """The body is too large."""

    status, code = 413, "too_large"
    next = "Send less."


class CacheUnavailable(MallError):
    """The cache cannot be reached."""

    status, code = 503, "cache_unavailable"
    next = "Try again in five seconds; orders and goods do not need the cache."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "5"}


class DatabaseUnavailable(MallError):
    """The database cannot be reached."""

    status, code = 503, "database_unavailable"
    next = "Try again in five seconds; operators: `treaty doctor`."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "5"}


class KafkaUnavailable(MallError):
    """Kafka did not acknowledge the event in time."""

    status, code = 503, "kafka_unavailable"
    next = "treaty doctor"
