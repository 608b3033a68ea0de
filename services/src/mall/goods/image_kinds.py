"""Which picture some bytes are: by what they hold, never by what somebody calls them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageKind:
    """A kind of picture that every browser shows and none runs."""

    suffix: str
    media_type: str


PNG = ImageKind(suffix="png", media_type="image/png")
JPEG = ImageKind(suffix="jpg", media_type="image/jpeg")
WEBP = ImageKind(suffix="webp", media_type="image/webp")
KINDS = {kind.suffix: kind for kind in (PNG, JPEG, WEBP)}


def kind_of(content: bytes) -> ImageKind | None:
    """The kind of a picture by its first bytes; None for anything else.

    Sources: PNG specification, section 5.2 (signature, then IHDR); ITU T.81, annex B (SOI, then a marker); WebP container
    specification (RIFF of the announced length, WEBP, then VP8).
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    is_riff = content.startswith(b"RIFF") and content[8:15] == b"WEBPVP8"
    if is_riff and int.from_bytes(content[4:8], "little") <= len(content) - 8:
        return WEBP
    return None
