"""Where the keys of a TOML text stand."""

from __future__ import annotations

import tomllib

import pytest

from treaty_codegen.toml_lines import key_lines, line_of

TEXT = '''\
a = 1 # [b]
"quoted.key" = """
c = 3
"""

[t.'x y'] # = no key
d.e = [
  "]", # ]
  { f = 1 },
]
g = { h = 1, i = "=" }
[[r]]
j = 1
[[r]]
j = '[='
[r.k]
l = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("quoted.key",), 2),
        (("t",), 6),
        (("t", "x y"), 6),
        (("t", "x y", "d"), 7),
        (("t", "x y", "d", "e"), 7),
        (("t", "x y", "g"), 11),
        (("r", 0, "j"), 13),
        (("r", 1, "j"), 15),
        (("r", 1, "k", "l"), 17),
    ],
)
def test_each_key_has_the_line_of_its_statement(path: tuple[str | int, ...], line: int) -> None:
    tomllib.loads(TEXT)
    assert key_lines(TEXT)[path] == line


def test_windows_line_ends_count_once() -> None:
    assert key_lines(TEXT.replace("\n", "\r\n")) == key_lines(TEXT)


def test_a_key_inside_an_inline_table_has_the_line_around_it() -> None:
    assert line_of(("t", "x y", "g", "h"), lines=key_lines(TEXT)) == 11
    assert line_of(("nowhere",), lines=key_lines(TEXT)) == 0
