"""The page is opened where somebody sees it, and never takes the terminal away."""

from __future__ import annotations

import webbrowser

import pytest

from treaty.local.page import has_screen, open_page

DESKTOP = {"DISPLAY": ":0"}


@pytest.mark.parametrize(
    ("env", "platform", "seen"),
    [
        (DESKTOP, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({**DESKTOP, "SSH_CONNECTION": "1 2 3 4"}, "linux", False),
        ({**DESKTOP, "CI": "true"}, "linux", False),
        ({}, "darwin", True),
    ],
)
def test_a_page_is_shown_on_a_desktop_only(env: dict[str, str], platform: str, seen: bool) -> None:
    assert has_screen(env, platform=platform) is seen


def test_a_browser_that_cannot_start_is_no_fault_of_the_demo() -> None:
    def broken(_url: str) -> bool:
        raise webbrowser.Error("none")

    assert open_page("http://localhost:1/", DESKTOP, open_url=broken) is False
    assert open_page("http://localhost:1/", DESKTOP, open_url=lambda _: True) is True
