"""Which faults are planted, and which survivors a page explains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.mutants.area import ROOT
from tests.mutants.decisions import DECISIONS
from tests.mutants.engine import ENGINE
from tests.mutants.operators import mutants

SOURCE = '''def decide(work, limit):
    """A docstring is left alone."""
    count = len(work)
    work.begun = True
    if count < limit:
        yield work
'''


def test_every_small_fault_is_planted_once_and_the_source_is_whole_again() -> None:
    small = {(each.line, each.what.partition(":")[0]) for each in mutants(SOURCE)}
    assert small == {(4, "flipped"), (5, "always"), (5, "never"), (5, "turned")}
    assert len({each.source for each in mutants(SOURCE)}) == len(small)


def test_what_does_something_by_itself_can_be_left_out_too() -> None:
    dropped = [each for each in mutants(SOURCE, drops_statements=True) if each.what.startswith("dropped")]
    assert [(each.line, each.what) for each in dropped] == [
        (4, "dropped: work.begun = True"),
        (6, "dropped: yield work"),
    ]
    assert "yield" not in dropped[1].source


def test_a_row_explains_one_mutant_of_the_module_that_its_heading_names_or_all_of_its_name(tmp_path: Path) -> None:
    page = tmp_path / "mutants.md"
    page.write_text(
        "| `a: x \\| y` | of all |\n\n## `retry`\n\n| `b` | once |\n| `b` | twice |\n\n## How it ended\n\n| `c` | of all |\n"
    )
    area = replace(DECISIONS, page=page)
    assert {name: min(count, 3) for name, count in area.explained("retry").items()} == {"a: x | y": 3, "b": 2, "c": 3}
    assert area.explained("saga").keys() == {"a: x | y", "c"}


def test_an_area_says_how_many_may_survive_to_the_very_one() -> None:
    assert DECISIONS.is_enough(planted=10, explained=1)
    assert not DECISIONS.is_enough(planted=19, explained=2)
    assert ENGINE.is_enough(planted=122, explained=122)


def test_every_module_of_an_area_and_every_test_that_judges_it_is_there() -> None:
    for module, tests in DECISIONS.modules.items():
        assert DECISIONS.source(module)
        for name in tests:
            assert Path(ROOT, DECISIONS.tests, name).is_file(), f"{module}: {name}"
