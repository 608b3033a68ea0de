"""Downloads jars by HTTPS: several at once, resumed where a part is already there, checked before they get their name."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from treaty.local.jars import Jar
from treaty.local.machine import Machine

AT_ONCE = 8
TRIES = 4
CHUNK_BYTES = 1 << 18
TIMEOUT_SECONDS = 30


def repositories(machine: Machine) -> list[str]:
    """Addresses to ask, best first: ``TREATY_MAVEN_REPO`` (a comma list), else mirrors in Maven's settings, else the default."""
    named = [part.strip() for part in machine.env.get("TREATY_MAVEN_REPO", "").split(",") if part.strip()]
    found = named or mirrors((machine.named("TREATY_M2") or machine.home / ".m2") / "settings.xml") or default()
    return [base.rstrip("/") for base in found if base.startswith(("https://", "http://"))]


def mirrors(settings: Path) -> list[str]:
    """Mirrors of the central repository in a Maven ``settings.xml`` (Maven, "Using Mirrors for Repositories")."""
    if not settings.exists():
        return []
    found = []
    for element in ET.parse(settings).getroot().iter():  # noqa: S314  # the user's own settings
        if element.tag.rpartition("}")[2] == "mirror":
            value = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in element}
            of = {part.strip() for part in value.get("mirrorOf", "").split(",")}
            if "!central" not in of and of & {"*", "central", "external:*"} and "url" in value:
                found.append(value["url"])
    return found


def default() -> list[str]:
    """The repository that the package ``jgo`` takes by default, if it is installed: a host is not ours to spell."""
    try:
        from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415  # an optional package
    except ImportError:
        return []
    return [str(MAVEN_CENTRAL_URL)]


def download(jars: Sequence[Jar], *, into: Path, bases: Sequence[str], progress: Callable[[int], None]) -> list[str]:
    """Downloads what it can; returns a sentence for each jar that it could not bring."""
    if not bases:
        return ["No repository to ask."]
    lock, done, given_up = threading.Lock(), 0, threading.Event()

    def tick(count: int) -> None:
        nonlocal done
        if given_up.is_set():
            raise GivenUp
        with lock:
            done += count
            progress(done)

    biggest_first = sorted(jars, key=lambda jar: -jar.size)  # so that the tail is short
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            said = list(pool.map(lambda jar: bring(jar, into=into, bases=bases, tick=tick), biggest_first))
        except BaseException:  # Ctrl-C: what is under way ends at its next chunk, the rest is not begun
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    failed = [sentence for sentence in said if sentence]
    return failed if len(failed) < 3 else [failed[0], f"The same happened to {len(failed) - 1} others."]


class GivenUp(Exception):
    """Nobody waits for this download any more."""


def bring(jar: Jar, *, into: Path, bases: Sequence[str], tick: Callable[[int], None]) -> str | None:
    """One jar, from the first address that gives the right bytes; else what went wrong."""
    part, fault, left = into / f"{jar.name}.part", "", list(bases)
    for attempt in range(TRIES):
        for base in list(left):
            try:
                receive(f"{base}/{jar.place}", part, tick=tick)
            except urllib.error.HTTPError as error:
                fault = f"{base}: {error.code} {error.reason}"
                if error.code == 416:
                    part.unlink(missing_ok=True)  # our part is longer than the file: begin again
                elif 400 <= error.code < 500 and error.code != 429:
                    left.remove(base)  # a "no" is final
                continue
            except (OSError, http.client.HTTPException) as error:
                fault = f"{base}: {error}"
                continue
            if jar.matches(part):
                part.replace(into / jar.name)
                return None
            fault = f"{base} gave other bytes than the lock names"
            if part.stat().st_size >= jar.size:
                part.unlink()
        if not left:
            break
        time.sleep(0.2 * 2**attempt)
    return f"{jar.name}: {fault}."


def receive(url: str, part: Path, *, tick: Callable[[int], None]) -> None:
    """Appends to ``part`` what is missing of it (RFC 9110 §14, Range)."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "treaty"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # http and https only, see repositories()
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # as above
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if resumed else "wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                tick(len(chunk))
