"""Who writes to a topic."""

from __future__ import annotations

from pathlib import PurePosixPath

from treaty.ops.catalogue.html import Child, joined
from treaty.ops.catalogue.places import Places
from treaty_codegen import Topic
from treaty_codegen.catalog import ANYBODY


def producers(topic: Topic, places: Places, at: PurePosixPath) -> list[Child]:
    """Links to the services that write to a topic, or a word."""
    if ANYBODY in topic.producers:
        return [places.words("anybody")]
    return joined(places.link("services", name, at=at) for name in topic.producers) or [places.words("nobody")]
