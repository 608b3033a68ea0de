"""Names, paths and what a path's segment says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty.registry.errors import ContextHasColon, InvalidSubject
from treaty.registry.names import Name, require_scope, require_subject
from treaty.registry.wire.paths import parsed_query, routed_path, segment_text, without_context


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("orders-value", Name(".", "orders-value")),
        (":.x:orders", Name(".x", "orders")),
        (":.x:a:b", Name(".x", "a:b")),
        (":.x:", Name(".x", "")),
        (":.x", Name(".x", "")),
        (":*:a", Name("*", "a")),
        (":.:a", Name(".", "a")),
        (":x:a", Name(".", ":x:a")),
        ("", Name(".", "")),
    ],
)
def test_a_name_is_read(text: str, name: Name) -> None:
    assert Name.parse(text) == name


def test_a_bare_name_lies_where_it_is_used() -> None:
    assert Name.parse("a", within=".x") == Name(".x", "a")
    assert Name.parse(":.y:a", within=".x") == Name(".y", "a")


@given(st.from_regex(r"\.[a-z]{0,3}", fullmatch=True), st.text(alphabet="ab:./% ", min_size=1, max_size=6))
def test_what_a_name_prints_reads_back(context: str, subject: str) -> None:
    name = Name(context, subject)
    if not (context == "." and subject.startswith((":.", ":*:"))):
        assert Name.parse(str(name)) == name


@pytest.mark.parametrize("text", ["", "*", "__GLOBAL", "__EMPTY", ":*:a", ":.__GLOBAL:a", "a\nb", "a\x7f", "é" * 128])
def test_these_are_no_subjects(text: str) -> None:
    with pytest.raises(InvalidSubject):
        require_subject(Name.parse(text))


@pytest.mark.parametrize("text", ["", ":.x:", ":.__GLOBAL:", "a", ":.x:a"])
def test_config_and_mode_may_be_set_for_contexts_too(text: str) -> None:
    assert require_scope(Name.parse(text)) == Name.parse(text)


@given(st.text(min_size=1, max_size=20).filter(lambda text: text not in (".", "..")))
def test_every_name_survives_its_way_through_a_path(subject: str) -> None:
    from urllib.parse import quote

    path = routed_path(b"/subjects/" + quote(subject, safe="", errors="replace").encode() + b"/versions")
    parts = path.split("/")
    assert len(parts) == 4
    assert segment_text(parts[2]) == subject.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/", "/"),
        (b"/subjects/", "/subjects"),
        (b"/subjects/a%2fb%25c%20d", "/subjects/a%2Fb%25c d"),
        (b"/subjects/%zz", "/subjects/%zz"),
        (b"/subjects/%C3%A9", "/subjects/é"),
        (b"/subjects/%FF", "/subjects/\ufffd"),
    ],
)
def test_a_slash_and_a_percent_sign_stay_encoded_until_routed(raw: bytes, path: str) -> None:
    assert routed_path(raw) == path


@pytest.mark.parametrize(
    ("path", "query", "rewritten", "rest"),
    [
        ("/contexts", b"", "/contexts", b""),
        ("/contexts/x", b"", "/contexts/x", b""),
        ("/contexts/x/subjects/s/versions/1", b"", "/subjects/:.x:s/versions/1", b""),
        ("/contexts/.x/subjects/s", b"", "/subjects/:.x:s", b""),
        ("/contexts/x/subjects/:.y:s", b"", "/subjects/:.y:s", b""),
        ("/contexts/x/compatibility/subjects/s/versions", b"", "/compatibility/subjects/:.x:s/versions", b""),
        ("/contexts/x/config", b"", "/config/:.x:", b""),
        ("/contexts/x/mode/s", b"", "/mode/:.x:s", b""),
        ("/contexts/x/subjects", b"deleted=true", "/subjects", b"deleted=true&subjectPrefix=:.x:"),
        ("/contexts/x/schemas", b"subjectPrefix=a", "/schemas", b"subjectPrefix=:.x:a"),
        ("/contexts/x/schemas/ids/1", b"subject=s", "/schemas/ids/1", b"subject=:.x:s"),
        ("/contexts/a%2Fb/subjects/s/versions", b"", "/subjects/:.a%2Fb:s/versions", b""),
        ("/contexts/a%252Fb/config", b"", "/config/:.a%252Fb:", b""),
        ("/contexts/a%2Fb/schemas/ids/1", b"", "/schemas/ids/1", b"subject=:.a/b:"),
        ("/contexts/x/schemas/types", b"", "/schemas/types", b""),
    ],
)
def test_a_context_in_the_path_is_another_spelling(path: str, query: bytes, rewritten: str, rest: bytes) -> None:
    assert without_context(path, parsed_query(query)) == (rewritten, parsed_query(rest))


def test_a_context_has_no_colon() -> None:
    with pytest.raises(ContextHasColon):
        without_context("/contexts/a:b/subjects", ())
