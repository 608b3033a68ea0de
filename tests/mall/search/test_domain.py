"""Which terms find goods, by tables."""

from __future__ import annotations

import pytest

from mall.search.domain import LONGEST_TERM, MOST_TERMS_ASKED, MOST_TERMS_OF_GOODS, asked, weights


def found(**texts: str) -> dict[str, int]:
    return dict(weights(**{"title": "", "category": "", "description": "", **texts}))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("Red Lamp", ["red", "lamp"]),
        ("red-lamp, RED", ["red", "lamp"]),
        ("二手书", ["二", "手", "书", "二手", "手书"]),
        ("iPhone手机壳", ["iphone", "手", "机", "壳", "手机", "机壳"]),
        ("ＡＢＣ １２", ["abc", "12"]),
        ("Straße", ["strasse"]),
        ("ノート", ["ノ", "ー", "ト", "ノー", "ート"]),
        ("_ - ' \u200b", []),
        ("x" * (LONGEST_TERM + 9), ["x" * LONGEST_TERM]),
    ],
)
def test_texts_are_cut_into_words_and_written_together_ones_into_characters_and_pairs(
    text: str, terms: list[str]
) -> None:
    assert list(found(title=text)) == terms


def test_title_category_and_description_count_three_two_and_one() -> None:
    assert found(title="lamp lamp", category="lamp", description="lamp desk") == {"lamp": 6, "desk": 1}


def test_goods_have_no_more_terms_than_are_kept() -> None:
    terms = found(
        title="last", description=" ".join(f"w{number}" for number in range(MOST_TERMS_OF_GOODS + 5)) + " last"
    )
    assert len(terms) == MOST_TERMS_OF_GOODS
    assert terms["last"] == 4


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("Lamp", ["lamp"]),
        ("lamp LAMP", ["lamp"]),
        ("书", ["书"]),
        ("二手书", ["二手", "手书"]),
        ("二手 lamp", ["二手", "lamp"]),
        ("!?", []),
        (" ".join(f"w{number}" for number in range(99)), [f"w{number}" for number in range(MOST_TERMS_ASKED)]),
    ],
)
def test_a_question_asks_for_words_and_for_pairs_of_characters(question: str, terms: list[str]) -> None:
    assert asked(question) == terms


def test_what_is_asked_in_the_words_of_the_title_is_indexed() -> None:
    title = "二手 iPhone 15，九成新 (grün) "
    assert set(asked(title)) <= set(found(title=title))
