"""The comment as a browser shows it: rendered as hosting services do, with raw HTML let through."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser

from treaty_codegen.render.review import comment
from treaty_codegen.review import EventRow, Problem, Review

pytestmark = pytest.mark.browser
HOSTILE = (
    "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"> @all "
    "[a](javascript:document.title='ran') | </td></table></details> --> `x` **b**"
)


def test_hostile_text_appears_as_text_in_a_table_that_stands(chromium: Browser, tmp_path: Path) -> None:
    review = Review(
        rows=tuple(
            EventRow(event=f"mall.E{n}", before="1.0.0", after="2.0.0", changes=(HOSTILE,), readers=(HOSTILE,))
            for n in range(3)
        ),
        problems=(
            Problem(rule="field-removed", place=HOSTILE, message=HOSTILE, fingerprint="0", proof=HOSTILE, help=HOSTILE),
        ),
        remarks=(HOSTILE,),
        owners=(HOSTILE,),
        plan=HOSTILE,
    )
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(comment(review))
    page_file = tmp_path / "comment.html"
    page_file.write_text(f"<!doctype html><meta charset=utf-8><title>still</title><body>{html}", encoding="utf-8")
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    assert page.title() == "still", "nothing ran"
    assert asked == [page_file.as_uri()], "and nothing was asked for"
    assert page.locator("script, img, a").count() == 0
    assert page.locator("table tbody tr").count() == 3
    assert page.locator("table tbody tr td").count() == 3 * 7
    cell = page.locator("table tbody tr").first.locator("td").nth(2).inner_text()
    assert cell.replace("\n", " ").startswith("<script>document.title='ran'</script><img src=x onerror=")
    assert page.locator("details").count() == 1
    assert page.locator("details li").count() == 1
