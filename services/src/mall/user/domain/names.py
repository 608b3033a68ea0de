"""Which names people may take, and which two of them a reader would mix up.

A name is shown to other users as who somebody is, so letters of other scripts that look like Latin ones are refused, and
names that differ only by case or by l, I, 1, o, 0 are one name.
"""

from __future__ import annotations

import re

SHORTEST, LONGEST = 2, 30
LONGEST_EMAIL = 254
"""Characters of an address. Source: RFC 5321, section 4.5.3.1.3, less the angle brackets."""

NAME = re.compile(r"[A-Za-z0-9\u4e00-\u9fff](?:[A-Za-z0-9._\u4e00-\u9fff-]*[A-Za-z0-9\u4e00-\u9fff])?")
RESERVED = frozenset({"admin", "administrator", "anonymous", "mall", "nobody", "root", "security", "support", "system"})
ERASED = "deleted-"
# The dot-atom of RFC 5322, section 3.2.3: no quoted texts, comments or lists, which mail programs read in several ways.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")
_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l"})


def fault_of_name(name: str) -> str | None:
    """What is wrong with a user name, as a sentence's end; None if it may be taken."""
    if not SHORTEST <= len(name) <= LONGEST:
        return f"has {SHORTEST} to {LONGEST} characters"
    if not NAME.fullmatch(name):
        return "holds Latin letters, digits and Chinese characters, with `.`, `_` and `-` between them"
    reserved = {likeness(word) for word in RESERVED}
    if likeness(name) in reserved or likeness(name).startswith(likeness(ERASED)):
        return "is reserved; choose another"
    return None


def likeness(name: str) -> str:
    """What a reader sees of a name: two names with one likeness cannot both be taken."""
    return name.lower().translate(_LOOK_ALIKE)


def is_same_name(one: str, other: str) -> bool:
    """Whether two spellings are one name; a look-alike is not."""
    return one.lower() == other.lower()


def fault_of_email(address: str) -> str | None:
    """What is wrong with an e-mail address, as a sentence's end; None if mail can be sent there."""
    local = address.partition("@")[0]
    if len(address) > LONGEST_EMAIL or len(local) > 64 or not EMAIL.fullmatch(address):
        return "is one address like name@example.com, without a display name"
    return None


def erased_name(user_id: int) -> str:
    """How a deleted account is shown."""
    return f"{ERASED}{user_id}"
