"""What every store has to do, asked of each of them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from treaty.registry.access.audit import Entry
from treaty.registry.names import GLOBAL, TOP, Name
from treaty.registry.rows import Content, NewSchema, Reference, VersionRow
from treaty.registry.stores.protocol import Search, Store, Writer

A, B, OTHER = Name(".", "a"), Name(".", "b"), Name(".x", "a")


class Stop(Exception):
    """Ends a write in the middle."""


def new_schema(text: str, *references: Reference, schema_id: int | None = None) -> NewSchema:
    digest = hashlib.sha256(text.encode()).digest()
    return NewSchema(
        content=Content(text, references),
        content_sha256=digest,
        resolved_sha256=digest,
        guid=digest.hex()[:32],
        created_at=7,
        id=schema_id,
    )


def add(writer: Writer, name: Name, number: int, text: str, *references: Reference, deleted: bool = False) -> int:
    known = writer.by_content(name.context, hashlib.sha256(text.encode()).digest())
    schema_id = known.id if known else writer.add_schema(name.context, new_schema(text, *references))
    digest = hashlib.sha256(text.encode()).digest()
    writer.add_version(
        VersionRow(name=name, number=number, schema_id=schema_id, resolved_sha256=digest, deleted=deleted, created_at=7)
    )
    return schema_id


def test_ids_are_dense_and_of_their_context(store: Store) -> None:
    with store.write(A) as writer:
        assert [add(writer, A, number, f"a{number}") for number in (1, 2, 3)] == [1, 2, 3]
    with store.write(OTHER) as writer:
        assert add(writer, OTHER, 1, "a1") == 1
    with store.read() as reader:
        assert (reader.last_id("."), reader.last_id(".x"), reader.last_id(".none")) == (3, 1, 0)


def test_a_registration_finds_the_content_or_stores_it(store: Store) -> None:
    entry = Entry(at=7, actor="ann", source_ip="", request_id="r", action="register")
    with store.write(A) as writer:
        first = writer.register(A, 1, new_schema("one"), provenance="commit=1", entry=entry)
        assert writer.versions(A) == [first]
        second = writer.register(A, 2, new_schema("two"))
    with store.write(B, [A]) as writer:
        same = writer.register(B, 1, new_schema("one"))
        refers = writer.register(B, 2, new_schema("refers", Reference("n", "a", 2)), entry=entry)
        imported = writer.register(B, 3, new_schema("imported", schema_id=41))
    assert [row.schema_id for row in (first, second, same, refers, imported)] == [1, 2, 1, 3, 41]
    with store.read() as reader:
        assert [row.number for row in reader.versions(B)] == [1, 2, 3]
        assert reader.provenance(A, 1) == "commit=1"
        assert (reader.last_version(A), reader.last_id(".")) == (2, 41)
        assert [each.schema_id for each in reader.referrers(A, 2)] == [3]
        found = reader.schema(".", 3)
        assert found is not None
        assert found.content == Content("refers", (Reference("n", "a", 2),))
    assert [(each.schema_id, each.request_id) for _, each in store.audit()] == [(3, "r"), (1, "r")]


def test_an_id_never_comes_again_after_a_permanent_delete(store: Store) -> None:
    with store.write(A) as writer:
        add(writer, A, 1, "one")
        assert add(writer, A, 2, "two") == 2
    with store.write(A) as writer:
        writer.remove(A, [2, 1])
    with store.write(A) as writer:
        assert writer.schema(".", 2) is None
        assert add(writer, A, 1, "three") == 3


def test_an_imported_id_lifts_the_next_one(store: Store) -> None:
    with store.write(A) as writer:
        assert writer.add_schema(".", new_schema("imported", schema_id=41)) == 41
        assert writer.add_schema(".", new_schema("next")) == 42
        assert writer.add_schema(".", new_schema("low", schema_id=5)) == 5
        assert writer.last_id(".") == 42


def test_a_write_that_raises_leaves_nothing(store: Store) -> None:
    def half_a_write() -> None:
        with store.write(A) as writer:
            add(writer, A, 1, "one")
            writer.set_mode(A, "READONLY")
            raise Stop

    with pytest.raises(Stop):
        half_a_write()
    with store.read() as reader:
        assert (reader.last_id("."), reader.versions(A), reader.mode(A)) == (0, [], None)


def test_a_reader_keeps_its_snapshot(store: Store) -> None:
    with store.write(A) as writer:
        add(writer, A, 1, "one")
    with store.read() as reader:
        assert len(reader.versions(A)) == 1
        with store.write(A) as writer:
            add(writer, A, 2, "two")
        assert len(reader.versions(A)) == 1
    with store.read() as reader:
        assert len(reader.versions(A)) == 2


def test_the_latest_version_is_never_a_deleted_one(store: Store) -> None:
    with store.write(A) as writer:
        for number in (1, 2, 3):
            add(writer, A, number, f"a{number}")
        writer.mark_deleted(A, [3], at=9)
    with store.read() as reader:
        latest = reader.latest(A)
        assert latest is not None
        assert latest.number == 2
        assert [row.number for row in reader.versions(A) if row.deleted] == [3]


def test_a_schema_goes_with_its_last_version(store: Store) -> None:
    with store.write(A) as writer:
        shared = add(writer, A, 1, "same")
    with store.write(B) as writer:
        assert add(writer, B, 1, "same") == shared
    with store.write(A) as writer:
        writer.remove(A, [1])
        assert writer.schema(".", shared) is not None
    with store.write(B) as writer:
        writer.remove(B, [1])
        assert writer.schema(".", shared) is None
        assert writer.by_guid(hashlib.sha256(b"same").hexdigest()[:32]) == []


def test_referrers_are_found_by_version_and_by_subject(store: Store) -> None:
    with store.write(A) as writer:
        add(writer, A, 1, "one")
        add(writer, A, 2, "two")
    with store.write(B, [A]) as writer:
        referrer = add(writer, B, 1, "refers", Reference("n", "a", 2))
    with store.read() as reader:
        assert reader.referrers(A, 1) == []
        (found,) = reader.referrers(A, 2)
        assert (found.schema_id, found.subjects, found.live) == (referrer, frozenset({B}), frozenset({B}))
        assert reader.referrers(A) == [found]
    with store.write(B) as writer:
        writer.mark_deleted(B, [1], at=9)
        assert [(each.subjects, each.live) for each in writer.referrers(A)] == [(frozenset({B}), frozenset[Name]())]


def test_a_subject_can_go_whose_versions_refer_to_each_other(store: Store) -> None:
    with store.write(A) as writer:
        add(writer, A, 1, "one")
        add(writer, A, 2, "two", Reference("n", "a", 1))
        writer.remove(A, [2, 1])
        assert writer.versions(A) == []


def test_content_and_meaning_are_found(store: Store) -> None:
    with store.write(A) as writer:
        add(writer, A, 1, "one", deleted=True)
        add(writer, A, 2, "one")
    digest = hashlib.sha256(b"one").digest()
    with store.read() as reader:
        found = reader.by_content(".", digest)
        assert found is not None
        assert found.content.text == "one"
        assert reader.by_content(".x", digest) is None
        assert [row.number for row in reader.resolving_to(A, digest)] == [2, 1]
        assert [row.number for row in reader.users(".", found.id)] == [1, 2]
        assert reader.schemas(".", [found.id, 99]) == {found.id: found}


def test_subjects_are_sorted_filtered_and_paged(store: Store) -> None:
    for name in (Name(".x", "b"), Name(".", "ab"), Name(".", "a_"), Name(".", "b%"), Name(".", "é")):
        with store.write(name) as writer:
            add(writer, name, 1, f"{name}", deleted=name.subject == "ab")
    with store.read() as reader:
        assert [str(name) for name in reader.subjects(Search())] == [":.x:b", "a_", "b%", "é"]
        assert [str(name) for name in reader.subjects(Search(deleted=True))] == [":.x:b", "a_", "ab", "b%", "é"]
        assert reader.subjects(Search(deleted_only=True)) == [Name(".", "ab")]
        assert reader.subjects(Search(context=".", prefix="a", deleted=True)) == [Name(".", "a_"), Name(".", "ab")]
        assert reader.subjects(Search(context=".", prefix="a_")) == [Name(".", "a_")]
        assert reader.subjects(Search(offset=2, limit=1)) == [Name(".", "b%")]
        assert reader.subjects(Search(offset=3)) == [Name(".", "é")]


def test_versions_are_found_across_subjects(store: Store) -> None:
    with store.write(A) as writer:
        for number in (1, 2, 3):
            add(writer, A, number, f"a{number}", deleted=number == 3)
    with store.write(B) as writer:
        add(writer, B, 1, "b")
    with store.read() as reader:
        assert [(row.name.subject, row.number) for row in reader.find(Search())] == [("a", 1), ("a", 2), ("b", 1)]
        assert [row.number for row in reader.find(Search(prefix="a", deleted=True))] == [1, 2, 3]
        assert [row.number for row in reader.find(Search(latest_only=True))] == [2, 1]
        assert [row.number for row in reader.find(Search(latest_only=True, deleted=True))] == [3, 1]
        assert [row.number for row in reader.find(Search(offset=1, limit=1))] == [2]


def test_config_and_mode_belong_to_exactly_one_name(store: Store) -> None:
    with store.write(TOP) as writer:
        writer.set_config(TOP, {"compatibility": "FULL"})
        writer.set_mode(GLOBAL, "READONLY")
    with store.write(A) as writer:
        writer.set_config(A, {"normalize": True})
        writer.set_mode(A, "IMPORT")
    with store.read() as reader:
        assert reader.config(TOP) == {"compatibility": "FULL"}
        assert reader.config(A) == {"normalize": True}
        assert reader.config(B) is None
        assert (reader.mode(GLOBAL), reader.mode(A), reader.mode(TOP)) == ("READONLY", "IMPORT", None)
    with store.write(TOP) as writer:
        writer.clear_modes(".")
        writer.set_config(TOP, {})
        assert (writer.mode(A), writer.mode(GLOBAL), writer.config(TOP)) == (None, "READONLY", {})
        writer.set_config(TOP, None)
        assert writer.config(TOP) is None


def test_a_context_is_listed_until_it_is_dropped_and_keeps_its_ids(store: Store) -> None:
    with store.write(OTHER) as writer:
        add(writer, OTHER, 1, "one")
    with store.write(OTHER) as writer:
        writer.remove(OTHER, [1])
        assert writer.contexts() == [".", ".x"]
    with store.write(Name(".x", "")) as writer:
        writer.drop_context(".x")
    with store.read() as reader:
        assert reader.contexts() == ["."]
        assert reader.last_id(".x") == 1


def test_a_permanent_delete_moves_the_generation(store: Store) -> None:
    before = store.generation()
    with store.write(A) as writer:
        writer.raise_generation()
    assert store.generation() == before + 1


def test_a_store_says_that_it_is_ready(store: Store) -> None:
    assert store.ready().ready
    assert store.ready().details["database"] == "ok"


def test_text_of_every_script_and_escaped_nul_is_kept(store: Store) -> None:
    text = '{"doc":"日本 😀 \\u0000"}'
    with store.write(A) as writer:
        schema_id = add(writer, A, 1, text)
    with store.read() as reader:
        schema = reader.schema(".", schema_id)
        assert schema is not None
        assert schema.content.text == text
        assert reader.counts() == (1, 1)


def test_a_name_with_nul_is_asked_for_in_vain(store: Store) -> None:
    """Postgres refuses NUL even in a question; whoever asks for such a name is told that there is none."""
    name = Name(".\0", "a\0b")
    with store.read() as reader:
        assert [reader.latest(name), reader.config(name), reader.mode(name)] == [None, None, None]
        assert reader.by_guid("\0") == []
        assert reader.subjects(Search(context=".", prefix="\0")) == []


def test_names_are_in_the_order_of_how_they_print(store: Store) -> None:
    """A context's subjects come where their colon puts them: after digits, before letters."""
    names = [Name(".", "0"), Name(".x", "b"), Name(".x-y", "a"), Name(".", "a")]
    for name in names:
        with store.write(name) as writer:
            add(writer, name, 1, f"{name}")
    printed = ["0", ":.x-y:a", ":.x:b", "a"]
    with store.read() as reader:
        assert [str(name) for name in reader.subjects(Search())] == printed
        assert [str(row.name) for row in reader.find(Search())] == printed
        assert [str(row.name) for row in reader.find(Search(latest_only=True))] == printed


def test_a_number_that_was_used_is_remembered(store: Store) -> None:
    with store.write(A) as writer:
        add(writer, A, 1, "one", deleted=True)
        add(writer, A, 2, "two", deleted=True)
        writer.remove(A, [2, 1])
        assert writer.last_version(A) == 2
        assert writer.last_version(B) == 0


def test_a_soft_delete_is_taken_back(store: Store) -> None:
    with store.write(A) as writer:
        add(writer, A, 1, "one")
        writer.mark_deleted(A, [1], at=5)
        writer.restore(A, 1)
        assert [row.deleted for row in writer.versions(A)] == [False]


def test_aliases_are_listed(store: Store) -> None:
    with store.write(A) as writer:
        writer.set_config(A, {"alias": "b", "compatibility": "FULL"})
    with store.write(OTHER) as writer:
        writer.set_config(OTHER, {"compatibilityGroup": "alias"})
    with store.read() as reader:
        assert reader.aliases() == {A: "b"}


def test_provenance_belongs_to_a_version(store: Store) -> None:
    with store.write(A) as writer:
        add(writer, A, 1, "one")
        assert writer.provenance(A, 1) == ""
        row = writer.version(A, 1)
        assert row is not None
        writer.add_version(replace(row, number=2), provenance="commit=abc")
    with store.read() as reader:
        assert reader.provenance(A, 2) == "commit=abc"
        assert reader.provenance(A, 3) == ""
