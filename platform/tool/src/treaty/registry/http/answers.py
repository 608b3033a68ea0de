"""From replies and errors to HTTP responses."""

from __future__ import annotations

import gzip
import json
from typing import Final, TypeAlias

from fastapi import Response

from treaty.registry.errors import IncompatibleSchema, RegistryError
from treaty.registry.http.call import Reply
from treaty.registry.rows import Json
from treaty.registry.settings import WireProfile
from treaty.registry.wire.negotiation import takes_gzip

GZIP_FROM_BYTES: Final = 1_400

Headers: TypeAlias = list[tuple[bytes, bytes]]


def response_of(reply: Reply, content_type: str, *, if_none_match: str | None = None) -> Response:
    """The response of a reply; 304 if the client has it already."""
    tag = reply.headers.get("ETag")
    if tag is not None and if_none_match is not None and tag in map(str.strip, if_none_match.split(",")):
        return Response(status_code=304, headers=dict(reply.headers))
    if reply.status == 204:
        return Response(status_code=204)
    body = _json(reply.value) if reply.text is None else reply.text.encode()
    return _response(body, reply.status, reply.content_type or content_type, dict(reply.headers))


def error_response(
    error: RegistryError, profile: WireProfile, content_type: str, *, request_id: str | None = None
) -> Response:
    """The response of an error, in Confluent's shape; old clients know incompatibility as plain 409."""
    code = 409 if profile == "7" and isinstance(error, IncompatibleSchema) else error.code
    message = str(error) if request_id is None else f"{error} (request {request_id})"
    after = error.retry_after_seconds
    headers = {} if after is None else {"Retry-After": str(after)}
    return _response(_json({"error_code": code, "message": message}), error.status, content_type, headers)


def packed(response: Response, accept_encoding: bytes) -> tuple[Headers, bytes]:
    """Headers and body as they are sent to a client that takes these encodings: from 1,400 bytes on compressed, if it wants that."""
    headers, body = list(response.raw_headers), bytes(response.body)
    if len(body) < GZIP_FROM_BYTES:
        return headers, body
    headers.append((b"vary", b"Accept-Encoding"))
    if not takes_gzip(accept_encoding.decode("latin-1")):
        return headers, body
    body = gzip.compress(body)
    kept = [header for header in headers if header[0] != b"content-length"]
    return [*kept, (b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(body))], body


def _response(body: bytes, status: int, content_type: str, headers: dict[str, str]) -> Response:
    # As a header, not as media_type: the framework would add a charset to text types.
    return Response(body, status_code=status, headers={**headers, "Content-Type": content_type})


def _json(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
