"""A schema registry over HTTP, as commands need it: blocking, bounded, and with errors that name the address."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from treaty.config import shown
from treaty.errors import EnvironmentFault, TreatyError, UsageError

CONTENT = "application/vnd.schemaregistry.v1+json"
ATTEMPTS = 5
TIMEOUT_SECONDS = 10.0
LONGEST_ANSWER_SECONDS = 90.0
"""A service runs a handler before it answers, and handlers have a minute."""
LARGEST_ANSWER_BYTES = 33_554_432
WHAT_TO_DO = {
    401: "give a token in TREATY_ENVIRONMENT_<NAME>__REGISTRY_TOKEN and the address in …__REGISTRY",
    403: "ask whoever runs the registry for the role that it names",
}
"""What helps when a registry refuses with that status."""


class RegistryUnreachable(EnvironmentFault):
    """The schema registry does not answer."""


class ServiceUnreachable(EnvironmentFault):
    """A service does not answer."""


class RegistryRefused(EnvironmentFault):
    """The schema registry refused the request."""

    def __init__(self, message: str, *, status: int, code: int) -> None:
        super().__init__(message, next_step=WHAT_TO_DO.get(status))
        self.status = status
        self.code = code


class RegistryHttp:
    """One registry. ``token`` is sent as a bearer token and never printed. Use as a context manager."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sleep = sleep
        base = address(url)
        self.host = base.netloc.decode()
        headers = {"Accept": CONTENT, **({"Authorization": f"Bearer {token}"} if token else {})}
        # Plain HTTP asks for no certificate, and to read those of all authorities takes longer than most commands' requests.
        usual = httpx.HTTPTransport(retries=2, verify=base.scheme == "https")
        # No redirects: credentials go to the registry that was named and to no other host.
        self._client = httpx.Client(
            base_url=base,
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
            transport=transport or usual,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def subjects(self) -> list[str]:
        """Names of all subjects with a live version, in the default context."""
        return list(map(str, self.call("GET", "/subjects", params={"subjectPrefix": ""}, kind=list)))

    def deleted_subjects(self) -> list[str]:
        """Names of the subjects whose versions are all soft-deleted, in the default context."""
        params = {"subjectPrefix": "", "deleted": "true"}
        every = map(str, self.call("GET", "/subjects", params=params, kind=list))
        return sorted(set(every) - set(self.subjects()))

    def delete(self, subject: str, *, permanent: bool = False) -> None:
        """Soft-deletes a subject, or removes for good what was soft-deleted; nothing happens where it is gone already."""
        params = {"permanent": "true"} if permanent else None
        self.call("DELETE", f"/subjects/{part(subject)}", params=params, absent=(40401, 40404), kind=list)

    def versions(self, subject: str) -> dict[int, str]:
        """Live versions of a subject: number to text; empty for an unknown subject."""
        path = f"/subjects/{part(subject)}/versions"
        found = {n: self.call("GET", f"{path}/{n}", absent=(40401, 40402)) for n in self._numbers(subject)}
        return {number: str(self._member(body, "schema")) for number, body in found.items() if body is not None}

    def mode(self) -> str:
        """The registry's mode: READWRITE, READONLY, READONLY_OVERRIDE or IMPORT."""
        return str(self._member(self.call("GET", "/mode"), "mode"))

    def clock(self) -> datetime:
        """The registry's time, by the header ``Date`` of an answer, to the second; without a zone it is UTC, as all of HTTP is."""
        told = self._send(self._client.build_request("GET", "/mode")).headers.get("Date", "")
        try:
            found = parsedate_to_datetime(told)
        except (ValueError, OverflowError) as error:
            raise self._foreign("no time in its header Date") from error
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    def level(self, subject: str) -> str | None:
        """The subject's own compatibility level; None if it inherits."""
        body = self.call("GET", f"/config/{part(subject)}", absent=(40401, 40408))
        return None if body is None else str(self._member(body, "compatibilityLevel"))

    def set_level(self, subject: str, level: str | None) -> None:
        """Sets the subject's level, or removes it (None)."""
        if level is None:
            self.call("DELETE", f"/config/{part(subject)}", absent=(40401, 40408))
        else:
            self.call("PUT", f"/config/{part(subject)}", json={"compatibility": level})

    def objections(self, subject: str, text: str) -> tuple[str, ...]:
        """Why the registry would not take a text as the subject's next version, in its words; empty: it would. Only asks.

        Karapace judges beside one version at a time: there each is asked about that the subject's level looks at.
        """
        path = f"/compatibility/subjects/{part(subject)}/versions"
        told = self._objections(path, text, absent=(404, 405, 40401, 40402))
        if told is not None:
            return told
        numbers = self._numbers(subject)
        if not numbers:
            return ()
        config = self.call("GET", f"/config/{part(subject)}", params={"defaultToGlobal": "true"})
        is_transitive = str(self._member(config, "compatibilityLevel")).endswith("_TRANSITIVE")
        asked = sorted(numbers, reverse=True) if is_transitive else ["latest"]
        return next(filter(None, (self._objections_beside(subject, at, text) for at in asked)), ())

    def _objections_beside(self, subject: str, at: int | str, text: str) -> tuple[str, ...]:
        """Those beside one listed version; none where it was deleted meanwhile. Raises ``RegistryRefused`` else: no answer is no yes."""
        try:
            return self._objections(f"/compatibility/subjects/{part(subject)}/versions/{at}", text) or ()
        except RegistryRefused as error:
            now = self._numbers(subject) if error.code in {40401, 40402} else [at]
            if at in now or (at == "latest" and now):
                raise
            return ()

    def _objections(self, path: str, text: str, *, absent: tuple[int, ...] = ()) -> tuple[str, ...] | None:
        """What one question of compatibility is answered; None where the answer is one of the ``absent`` error codes."""
        body = self.call("POST", path, json={"schema": text}, params={"verbose": "true"}, absent=absent)
        if body is None:
            return None
        if self._member(body, "is_compatible", kind=bool):
            return ()
        return tuple(map(str, body.get("messages") or ())) or ("it is not compatible",)

    def _numbers(self, subject: str) -> list[int]:
        """The numbers of a subject's live versions; none for an unknown subject."""
        told = self.call("GET", f"/subjects/{part(subject)}/versions", absent=(40401,), kind=list) or []
        if not all(type(each) is int for each in told):
            raise EnvironmentFault(f"{self.host} lists no versions: is it a schema registry?")
        return list(told)

    def register(
        self, subject: str, text: str, *, references: Sequence[Mapping[str, Any]] = (), provenance: str | None = None
    ) -> int:
        """Registers a text and returns its id; the same text twice gives the same id."""
        headers = {"Treaty-Provenance": provenance} if provenance else None
        sent = schema_body(text, references)
        body = self.call("POST", f"/subjects/{part(subject)}/versions", json=sent, headers=headers)
        return int(self._member(body, "id", kind=int))

    def number_of(self, subject: str, text: str, *, references: Sequence[Mapping[str, Any]] = ()) -> int:
        """The number of the version that a registered text is; ``RegistryRefused`` where it is none."""
        body = self.call("POST", f"/subjects/{part(subject)}", json=schema_body(text, references))
        return int(self._member(body, "version", kind=int))

    def call(
        self,
        method: str,
        path: str,
        *,
        absent: tuple[int, ...] = (),
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        kind: type = dict,
    ) -> Any:
        """One request; the body, a JSON value of ``kind``, or None for one of the ``absent`` error codes.

        Raises ``RegistryUnreachable`` (connection, time-out, answers that no registry gives, 5xx after retries) or
        ``RegistryRefused`` with Confluent's error code.
        """
        request = self._client.build_request(method, path, json=json, params=params, headers=headers)
        body = self._read(self._send(request), absent)
        if body is not None and not isinstance(body, kind):
            raise self._foreign(f"a {type(body).__name__}")
        return body

    def _member(self, body: Mapping[str, Any], key: str, *, kind: type = str) -> Any:
        if type(body.get(key)) is not kind:
            raise self._foreign(f"no `{key}`")
        return body[key]

    def _foreign(self, what: str) -> RegistryUnreachable:
        return RegistryUnreachable(f"{self.host} answered {what}: is it a schema registry?")

    def _send(self, request: httpx.Request) -> httpx.Response:
        """Sends until the server takes it; 429 and 503 are asked again, at most five times in thirty seconds."""
        attempt = 0
        while True:
            try:
                answer = self._received(request)
            except httpx.HTTPError as error:
                raise RegistryUnreachable(
                    f"The registry at {self.host} does not answer: {error}", next_step="is it up? try: treaty up"
                ) from error
            attempt += 1
            if answer.status_code not in {429, 503} or attempt == ATTEMPTS:
                return answer
            self._sleep(pause(answer.headers.get("Retry-After"), attempt))

    def _received(self, request: httpx.Request) -> httpx.Response:
        """The answer with its body, at most 32 MiB of it however it is packed."""
        body, answer = bytearray(), self._client.send(request, stream=True)
        with contextlib.closing(answer):
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise self._foreign(f"more than {LARGEST_ANSWER_BYTES} bytes")
        kept = {key: value for key, value in answer.headers.items() if key.lower() in {"date", "retry-after"}}
        return httpx.Response(answer.status_code, headers=kept, content=bytes(body), request=request)

    def _read(self, answer: httpx.Response, absent: tuple[int, ...]) -> Any:
        try:
            body = answer.json()
        except (ValueError, RecursionError) as error:
            raise RegistryUnreachable(
                f"{self.host} answered {answer.status_code} without JSON: is it a schema registry?"
            ) from error
        if answer.is_success:
            if body is None:
                raise self._foreign("null")
            return body
        code = body.get("error_code", answer.status_code) if isinstance(body, dict) else answer.status_code
        if code in absent:
            return None
        message = body.get("message", "") if isinstance(body, dict) else ""
        if answer.status_code >= 500:
            raise RegistryUnreachable(f"The registry at {self.host} has a fault ({code}): {message}")
        raise RegistryRefused(
            f"The registry at {self.host} refused {answer.request.method} {answer.request.url.path} ({code}): {message}",
            status=answer.status_code,
            code=code,
        )


class RegistryMoved(TreatyError):
    """The registry moved since the plan was made."""

    exit_code = 1


def address(url: str) -> httpx.URL:
    """The registry's URL; ``UsageError`` for a text that is none, which is not shown: it may hold a password."""
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UsageError("The registry's address is not a URL.", next_step="write http://host:port") from error


def pause(retry_after: str | None, attempt: int) -> float:
    """Seconds until the next try: what the server asks for, at most 6 (5 tries end within 30); else 0.2, 0.4, 0.8 …"""
    if retry_after and retry_after.isdecimal():
        return min(6.0, float(retry_after))
    return 0.1 * float(2**attempt)


def readiness(url: str) -> dict[str, Any]:
    """What a service says of itself at ``/readyz``; raises ``ServiceUnreachable``."""
    try:
        body = httpx.get(url, timeout=TIMEOUT_SECONDS).json()
    except (httpx.HTTPError, ValueError, RecursionError) as error:
        raise ServiceUnreachable(f"{url} does not answer: {error}", next_step="treaty up") from error
    return body if isinstance(body, dict) else {}


def ask_service(url: str, body: Mapping[str, Any], *, token: str | None) -> tuple[int, dict[str, Any]]:
    """POSTs JSON to a service, answers status and body; raises ``ServiceUnreachable``. A token goes there and nowhere else."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.post(url, json=body, headers=headers, timeout=LONGEST_ANSWER_SECONDS, follow_redirects=False)
        told = answer.json() if answer.content else {}
    except httpx.InvalidURL as error:
        raise UsageError("The service's address is not a URL.", next_step="write http://host:port") from error
    except (httpx.HTTPError, ValueError, RecursionError) as error:
        raise ServiceUnreachable(
            f"{shown(url)} does not answer: {type(error).__name__}", next_step="is it up?"
        ) from error
    return answer.status_code, told if isinstance(told, dict) else {}


def schema_body(text: str, references: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A schema as registries take it."""
    return {"schema": text, "references": [*references]} if references else {"schema": text}


def part(subject: str) -> str:
    """A subject as one path segment."""
    return quote(subject, safe="")
