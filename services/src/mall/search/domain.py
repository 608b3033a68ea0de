"""Which words find goods, and how much each counts: the same cut for what is written and for what is asked."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise

from mall_events.goods import GoodsStatus

FOR_SALE = frozenset({GoodsStatus.ON_SALE, GoodsStatus.SOLD_OUT})
TITLE_WEIGHT, CATEGORY_WEIGHT, DESCRIPTION_WEIGHT = 3, 2, 1
LONGEST_TERM = 64  # characters; what is longer is cut, here and in the question alike
MOST_TERMS_OF_GOODS = (
    5_000  # the longest description has about twice its 5,000 characters, and nobody searches for its end
)
MOST_TERMS_ASKED = 20
SESSION_LENGTH = 20
"""Goods of a session that were looked at together; older looks are forgotten."""
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA_HANGUL = "\u3040-\u30ff\uac00-\ud7af"
_WRITTEN_TOGETHER = re.compile(f"[{_HAN}{_KANA_HANGUL}]+")
_RUN = re.compile(rf"[{_HAN}{_KANA_HANGUL}]+|[^\W_{_HAN}{_KANA_HANGUL}]+")


def is_for_sale(status: GoodsStatus) -> bool:
    """Whether goods in this state are found."""
    return status in FOR_SALE


def weights(*, title: str, category: str, description: str) -> Mapping[str, int]:
    """How much each term counts for these goods: 3 from the title, 2 from the category, 1 from the description, added up."""
    found: Counter[str] = Counter()
    for text, weight in ((title, TITLE_WEIGHT), (category, CATEGORY_WEIGHT), (description, DESCRIPTION_WEIGHT)):
        for term in dict.fromkeys(_indexed(text)):
            if term in found or len(found) < MOST_TERMS_OF_GOODS:
                found[term] += weight
    return found


def asked(question: str) -> list[str]:
    """The terms that goods must all have to be an answer: words, and pairs of characters where words are written together."""
    return list(dict.fromkeys(_asked(question)))[:MOST_TERMS_ASKED]


def plain(text: str) -> str:
    """The text without differences that a reader does not see: width, compatibility forms, case."""
    return unicodedata.normalize("NFKC", text).casefold()


def _runs(text: str) -> Iterator[str]:
    yield from _RUN.findall(plain(text))


def _indexed(text: str) -> Iterator[str]:
    for run in _runs(text):
        if _WRITTEN_TOGETHER.fullmatch(run):
            yield from run
            yield from _pairs(run)
        else:
            yield run[:LONGEST_TERM]


def _asked(question: str) -> Iterator[str]:
    for run in _runs(question):
        if not _WRITTEN_TOGETHER.fullmatch(run):
            yield run[:LONGEST_TERM]
        elif len(run) == 1:
            yield run
        else:
            yield from _pairs(run)


def _pairs(run: str) -> Iterator[str]:
    return (first + second for first, second in pairwise(run))
