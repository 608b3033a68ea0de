"""The quick-test page in the user's own browser, where there is one to see it."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable, Mapping


def has_screen(env: Mapping[str, str], *, platform: str = sys.platform) -> bool:
    """Whether a browser window would be seen: a desktop of this machine, not a remote shell or a bare console.

    On a console ``webbrowser`` would start a text browser, which takes the terminal away from the live view.
    """
    if env.get("SSH_CONNECTION") or env.get("CI"):
        return False
    return platform in {"darwin", "win32"} or bool(env.get("DISPLAY") or env.get("WAYLAND_DISPLAY"))


def open_page(url: str, env: Mapping[str, str], *, open_url: Callable[[str], bool] = webbrowser.open) -> bool:
    """Opens ``url`` where somebody can see it; False if it was not opened."""
    if not has_screen(env):
        return False
    try:
        return open_url(url)
    except (webbrowser.Error, OSError):
        return False  # the address is on the screen anyway
