"""Installs what the tests need beyond wheels, where that is possible: a headless Chromium, a Chinese font, and valgrind.

With apt and root it installs them; otherwise it prints the line to run and ends with 0, because tests say for themselves what
is missing (they skip at home and fail under CI=true).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome", "google-chrome-stable")
FONT = "WenQuanYi"


def missing() -> list[str]:
    """Debian packages that are needed and not there."""
    packages = []
    if not os.environ.get("TREATY_CHROME") and not any(shutil.which(name) for name in BROWSERS):
        packages.append("chromium-headless-shell")
    listed = shutil.which("fc-list") and subprocess.run(["fc-list"], capture_output=True, text=True, check=False).stdout
    if not listed or FONT not in listed:
        packages += ["fonts-wqy-microhei", "fontconfig"]
    if not shutil.which("valgrind"):
        packages.append("valgrind")
    return packages


def main() -> int:
    packages = missing()
    if not packages:
        print("Everything that the tests need is there.")
        return 0
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"Missing for some tests. On Debian or Ubuntu: sudo {' '.join(command)}")
        print("Elsewhere: install Chromium and set TREATY_CHROME to its program; valgrind, if your system has it.")
        return 0
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    subprocess.run(["apt-get", "update", "-qq"], env=env, check=False)
    done = subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=False)
    print(f"apt-get install {' '.join(packages)}: {'done' if done.returncode == 0 else 'failed'}")
    return 0 if done.returncode == 0 else 3


if __name__ == "__main__":
    sys.exit(main())
