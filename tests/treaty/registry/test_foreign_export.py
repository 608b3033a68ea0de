"""What another registry holds comes here as it is: ids, versions, deletes, references, levels."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from tests.cases.markdown import ROOT
from tests.treaty.registry.asking import asking
from treaty.cli import treaty
from treaty.ops import backup
from treaty.ops.http import part
from treaty.registry.stores.protocol import Store
from treaty.registry.testing import registry

FOLDER = ROOT / "compat-tests" / "karapace-export"


def test_an_export_of_karapaces_shows_no_difference_and_again_writes_nothing(store: Store) -> None:
    taken = backup.read(FOLDER)
    assert any(row.get("references") for row in taken.schemas)
    assert any(row.get("deleted") for row in taken.schemas)
    assert taken.modes == {backup.TOP: "READWRITE"}
    with registry(store) as url, asking(url) as client:
        words = ["registry", "import", "--from", str(FOLDER), "--url", url]
        first = CliRunner().invoke(treaty, words)
        assert (first.exit_code, first.stdout) == (0, ""), first.output
        assert f"{len(taken.schemas)} versions written, 0 there already" in first.stderr
        again = CliRunner().invoke(treaty, words)
        assert again.exit_code == 0
        assert again.stderr.startswith(f"0 versions written, {len(taken.schemas)} there already, 0 deleted, 0 configs")
        for row in taken.schemas:
            answer = client.get(f"/schemas/ids/{row['id']}", params={"subject": row["subject"]}).json()
            assert json.loads(answer["schema"]) == json.loads(row["schema"])
        new = client.post("/subjects/new/versions", json={"schema": '"bytes"'}).json()
        assert new["id"] == max(int(row["id"]) for row in taken.schemas) + 1


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_karapace_client_finds_its_schemas_by_the_texts_that_it_sent(
    kind: str, new_store: Callable[[str], Store]
) -> None:
    """Karapace keeps texts as they were sent; ours keeps Java's spelling. Both spellings are found."""
    taken = backup.read(FOLDER)
    with registry(new_store(kind)) as url, asking(url) as client:
        CliRunner().invoke(treaty, ["registry", "import", "--from", str(FOLDER), "--url", url])
        for row in taken.schemas:
            if row.get("deleted"):
                continue
            body = {"schema": row["schema"], "references": row.get("references", [])}
            path = f"/subjects/{part(row['subject'])}"
            assert client.post(path, json=body).json()["id"] == row["id"], row
            spelt = {**body, "schema": json.dumps(json.loads(row["schema"]), indent=4)}
            assert client.post(path, json=spelt).json()["id"] == row["id"], row
