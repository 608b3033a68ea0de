"""The quick-test page in a real browser: one click sends an event to Kafka, and the page shows the same one coming back."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser import PATIENCE_MS, Visit, visit
from tests.e2e.company import Company
from tests.e2e.topics import ends, records

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.browser,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("e2e"),
]
CONSUMED, FAILED = "#step-consumed[data-state=done]", "li[data-state=failed]"
CLICKS, BUSY = 5, "status of 503"
"""The page gives Kafka five seconds to acknowledge (else 503) and the group five to consume; a machine with too much to do takes longer."""
SCREENS = {
    "en": {"locale": "en-GB", "viewport": {"width": 1000, "height": 900}},
    "zh": {"locale": "zh-CN", "viewport": {"width": 1000, "height": 900}},
    "dark": {"locale": "en-GB", "viewport": {"width": 1000, "height": 900}, "color_scheme": "dark"},
    "narrow": {"locale": "zh-CN", "viewport": {"width": 390, "height": 1200}},
}


def address(company: Company, user: int) -> str:
    return f"{company.url('order')}/quick-test#token={company.token(user)}"


def send(seen: Visit, *, note: str) -> UUID:
    """Clicks until the page says that the event was consumed, and reads its id from the list; as people do, again if it took too long."""
    seen.page.fill("#note", note)
    for _ in range(CLICKS):
        seen.page.click("#submit")
        seen.page.wait_for_selector(f"{CONSUMED}, {FAILED}", timeout=PATIENCE_MS)
        if seen.page.locator(CONSUMED).count():
            return UUID(seen.page.locator("#events tr").first.locator("td").nth(4).inner_text())
        assert re.search("5 s|5 秒", problem := seen.page.locator("#problem").inner_text()), problem
        # The browser tells a 503 on its console; whatever else it tells is a fault of the page.
        seen.faults[:] = [fault for fault in seen.faults if BUSY not in fault]
    pytest.fail(f"not consumed in {CLICKS} tries")


@pytest.mark.parametrize("screen", SCREENS)
def test_the_event_that_was_sent_is_the_one_that_came_back(
    company: Company, chromium: Browser, screen: str, tmp_path: Path
) -> None:
    before, user = ends(company, "order-events"), company.new_user()
    with visit(chromium, address(company, user), **SCREENS[screen]) as seen:
        expect(seen.page.locator("h1")).to_have_text(
            "Kafka 快速测试" if "zh" in str(SCREENS[screen]) else "Kafka quick test"
        )
        assert "token" not in seen.page.url  # it was taken out of the address, so that no history keeps it
        event_id = send(seen, note=f"from {screen}")
        assert not seen.axe()
        width = seen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width == 0, "the page is wider than the screen"
        seen.page.screenshot(path=tmp_path / f"{screen}.png", full_page=True)
        assert not seen.faults
    written = {record.event_id: record for record in records(company, "order-events", since=before)}
    assert written[event_id].type == "TEST_EVENT"
    arrived = "SELECT event_id FROM test_event WHERE user_id = :user AND consumed_at IS NOT NULL"
    consumed = company.rows("order", arrived, user=user)
    assert event_id in [UUID(str(row.event_id)) for row in consumed]


def test_the_language_is_switched_and_kept(company: Company, chromium: Browser) -> None:
    with visit(chromium, address(company, company.new_user()), locale="en-GB") as seen:
        seen.page.click("#language")
        expect(seen.page.locator("html")).to_have_attribute("lang", "zh")
        expect(seen.page.locator("#submit")).to_have_text("发送测试事件")
        seen.page.reload()
        expect(seen.page.locator("#submit")).to_have_text("发送测试事件")
        send(seen, note="中文")
        assert not seen.faults


def test_the_policy_of_the_page_lets_no_foreign_script_run(company: Company, chromium: Browser) -> None:
    with visit(chromium, address(company, company.new_user())) as seen:
        add = "text => { const tag = document.createElement('script'); tag.textContent = text; document.body.append(tag); }"
        seen.page.evaluate(add, "window.ran = true")
        seen.page.evaluate(
            "() => { document.body.setAttribute('onclick', 'window.ran = true'); document.body.click(); }"
        )
        assert seen.page.evaluate("window.ran") is None
        assert any("Content Security Policy" in fault for fault in seen.faults)
        send(seen, note="<img src=x onerror='window.ran=true'>")
        assert seen.page.evaluate("window.ran") is None


def test_a_refusal_says_what_to_do(company: Company, chromium: Browser) -> None:
    with visit(chromium, f"{company.url('order')}/quick-test", locale="en-GB") as seen:
        seen.page.fill("#token", "wrong")
        seen.page.click("#submit")
        expect(seen.page.locator("#problem")).to_contain_text("The token is not valid here.")
        expect(seen.page.locator("#problem")).to_contain_text("treaty token")
        expect(seen.page.locator("#step-sent")).to_have_attribute("data-state", "failed")
        assert not seen.axe()
