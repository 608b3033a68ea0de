"""What the registry answers when it does not do what was asked: a class a case, with Confluent's text, status and code.

A class's docstring is its message; ``%s`` places are filled from the arguments. One handler (``app``) renders them all.
Source: confluentinc/schema-registry, ``rest/exceptions/Errors.java`` and the resources that use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class RegistryError(Exception):
    """Error in the backend data store"""

    status: ClassVar[int] = 500
    code: ClassVar[int] = 50001
    retry_after_seconds: ClassVar[int | None] = None

    def __init__(self, *values: object) -> None:
        text = (type(self).__doc__ or "").strip()
        super().__init__(text % values if values else text)


class MalformedJson(RegistryError):
    """Malformed JSON: line %s column %s"""

    status, code = 400, 400


class ContextHasColon(RegistryError):
    """Context name '%s' cannot contain a colon"""

    status, code = 400, 400


class Unauthorized(RegistryError):
    """Unauthorized"""

    status, code = 401, 401


class Forbidden(RegistryError):
    """%s on subject '%s' needs role %s."""

    status, code = 403, 40301


class TooManyRequests(RegistryError):
    """Too many requests."""

    status, code = 429, 42901
    retry_after_seconds = 1


class BodyTooSlow(RegistryError):
    """The request's body took longer than %s seconds."""

    status, code = 408, 408


class NotFound(RegistryError):
    """HTTP 404 Not Found"""

    status, code = 404, 404


class MethodNotAllowed(RegistryError):
    """HTTP 405 Method Not Allowed"""

    status, code = 405, 405

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """``allowed``: the methods that there are in this place."""
        super().__init__()
        self.allowed = tuple(allowed)


class NotAcceptable(RegistryError):
    """HTTP 406 Not Acceptable"""

    status, code = 406, 406


class BodyTooLarge(RegistryError):
    """Request body is larger than %s bytes."""

    status, code = 413, 413


class AddressTooLong(RegistryError):
    """The request's path and query are longer than %s bytes together: send less in them."""

    status, code = 414, 414


class HeadersTooLarge(RegistryError):
    """The request's headers are larger than %s bytes together: send fewer or shorter ones."""

    status, code = 431, 431


class UnsupportedMediaType(RegistryError):
    """HTTP 415 Unsupported Media Type"""

    status, code = 415, 415


class EmptyBody(RegistryError):
    """The request has no body: send a JSON object"""

    status, code = 422, 422


class SubjectNotFound(RegistryError):
    """Subject '%s' not found."""

    status, code = 404, 40401


class VersionNotFound(RegistryError):
    """Version %s not found."""

    status, code = 404, 40402


class SchemaNotFound(RegistryError):
    """Schema not found"""

    status, code = 404, 40403


class SchemaIdNotFound(SchemaNotFound):
    """Schema %s not found"""


class SubjectSoftDeleted(RegistryError):
    """Subject '%s' was soft deleted.Set permanent=true to delete permanently"""

    status, code = 404, 40404


class SubjectNotSoftDeleted(RegistryError):
    """Subject '%s' was not deleted first before being permanently deleted"""

    status, code = 404, 40405


class VersionSoftDeleted(RegistryError):
    """Subject '%s' Version %s was soft deleted.Set permanent=true to delete permanently"""

    status, code = 404, 40406


class VersionNotSoftDeleted(RegistryError):
    """Subject '%s' Version %s was not deleted first before being permanently deleted"""

    status, code = 404, 40407


class SubjectConfigNotFound(RegistryError):
    """Subject '%s' does not have subject-level compatibility configured"""

    status, code = 404, 40408


class SubjectModeNotFound(RegistryError):
    """Subject '%s' does not have subject-level mode configured"""

    status, code = 404, 40409


class IncompatibleSchema(RegistryError):
    """Schema being registered is incompatible with an earlier schema for subject "%s", details: [%s]"""

    status, code = 409, 40901


class InvalidSchema(RegistryError):
    """Invalid schema of type AVRO, details: %s"""

    status, code = 422, 42201


class InvalidSchemaType(RegistryError):
    """Invalid schema type %s"""

    status, code = 422, 42201


class EmptySchema(RegistryError):
    """Empty schema"""

    status, code = 422, 42201


class VersionNotNext(RegistryError):
    """Version is not one more than previous version"""

    status, code = 422, 42201


class InvalidBody(RegistryError):
    """Invalid request body: %s"""

    status, code = 422, 42201


class InvalidVersion(RegistryError):
    """The specified version '%s' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest\""""

    status, code = 422, 42202


class InvalidCompatibilityLevel(RegistryError):
    """Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, \
forward_transitive, and full_transitive"""

    status, code = 422, 42203


class InvalidMode(RegistryError):
    """Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD."""

    status, code = 422, 42204


class ReadOnly(RegistryError):
    """Subject %s in context %s is in read-only mode"""

    status, code = 422, 42205


class NotInImportMode(RegistryError):
    """Subject %s in context %s is not in import mode"""

    status, code = 422, 42205


class NotInReadWriteMode(RegistryError):
    """Subject %s in context %s is not in read-write mode"""

    status, code = 422, 42205


class OverwriteRefused(RegistryError):
    """Overwrite new schema with id %s in context %s is not permitted."""

    status, code = 422, 42205


class ImportIntoExistingSubjects(RegistryError):
    """Cannot import since found existing subjects"""

    status, code = 422, 42205


class TooManyVersions(RegistryError):
    """Subject %s has the most versions allowed (%s)."""

    status, code = 422, 42205


class ReferenceExists(RegistryError):
    """One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=%s,version=%s}."""

    status, code = 422, 42206


class InvalidSubject(RegistryError):
    """The specified subject '%s' is not a valid."""

    status, code = 422, 42208


class SchemaTooLarge(RegistryError):
    """Register operation failed because schema is too large"""

    status, code = 422, 42209


class InvalidRuleSet(RegistryError):
    """%s"""

    status, code = 422, 42210


class ContextNotEmpty(RegistryError):
    """The specified context '%s' is not empty."""

    status, code = 422, 42211


class StoreUnavailable(RegistryError):
    """Error in the backend data store"""

    status, code = 503, 50001
    retry_after_seconds = 1


class AnswersUnread(RegistryError):
    """Too many large answers wait for clients that read them slowly: try again, or ask for less with offset and limit."""

    status, code = 503, 503
    retry_after_seconds = 1


def store_fault(error: StoreUnavailable) -> str:
    """Why a store is away, in one line: the driver's own first one, without the address of somebody's manual."""
    cause = getattr(error.__cause__, "orig", None) or error.__cause__
    return next(iter(str(cause).splitlines()), "") if cause is not None else "it gives no reason"


class StoreConflict(Exception):
    """Another writer came first: the whole decision is made again on what it left."""


class StartRefused(Exception):
    """The registry does not start like this; the message says why and what to do. ``exit_code``: 2 usage, 3 environment."""

    def __init__(self, message: str, *, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
