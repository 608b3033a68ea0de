"""SQLite's file has to lie on a disk of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from treaty.registry.errors import StartRefused
from treaty.registry.stores.sql import network_files
from treaty.registry.stores.sql.network_files import kind_of
from treaty.registry.stores.sql.store import open_store

TABLE = """/dev/vda1 / ext4 rw 0 0
nas:/data /data nfs4 rw 0 0
/dev/vdb /data/fast ext4 rw 0 0
//nas/x /mnt/two\\040words cifs rw 0 0
overlay /twice overlay rw 0 0
nas:/twice /twice nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/var/registry.db", "ext4"),
        ("/data/registry.db", "nfs4"),
        ("/data/fast/registry.db", "ext4"),
        ("/database/registry.db", "ext4"),
        ("/mnt/two words/registry.db", "cifs"),
        ("/twice/registry.db", "nfs"),
    ],
)
def test_the_innermost_and_last_mount_counts(file: str, kind: str) -> None:
    assert kind_of(Path(file), TABLE) == kind


def test_a_registry_does_not_keep_sqlites_file_on_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mounts"
    table.write_text(f"nas:/ {tmp_path.resolve()} nfs4 rw 0 0\n", encoding="utf-8")
    monkeypatch.setattr(network_files, "MOUNTS", table)
    with pytest.raises(StartRefused, match=r"network file system \(nfs4\)") as refused:
        open_store(f"sqlite:///{tmp_path}/registry.db", migrate=True)
    assert refused.value.exit_code == 2
    assert not (tmp_path / "registry.db").exists()


def test_a_machine_that_has_no_such_table_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_files, "MOUNTS", tmp_path / "none")
    open_store(f"sqlite:///{tmp_path}/registry.db", migrate=True).close()
