"""Released files as tags and the merge base have them, beside what lies in the working tree: releases are append-only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from treaty.config import Settings
from treaty.errors import EnvironmentFault, UsageError
from treaty.ops import git
from treaty.ops.baseline import RELEASES
from treaty.ops.tagging import TAG
from treaty_codegen.breaking.released_set_changed import ReleasedFile


def released_files(settings: Settings, *, base: str) -> Iterator[ReleasedFile]:
    """Every released file that git remembers: by its tag first, then by the merge base with ``base``.

    Without git, or where the clone lacks the commit, there is no witness and nothing to tell.
    """
    folder = settings.folder("schemas") / RELEASES
    for tag in git.tags(settings.root, TAG):
        version = tag.removeprefix(TAG)
        if "/" not in version:
            yield from remembered(settings, f"refs/tags/{tag}", folder / version, witness=f"tag {tag}")
    try:
        branch, commit = git.merge_base(settings.root, base)
    except (UsageError, EnvironmentFault):
        return
    yield from remembered(settings, commit, folder, witness=f"the merge base with {branch}")


def remembered(settings: Settings, ref: str, folder: Path, *, witness: str) -> Iterator[ReleasedFile]:
    """Each file below ``folder`` at ``ref``."""
    for name, data in git.files_at(settings.root, ref, folder).items():
        file = folder / name
        now = file.read_bytes() if file.is_file() and not file.is_symlink() else None
        yield ReleasedFile(path=file.relative_to(settings.root).as_posix(), witness=witness, before=data, now=now)
