"""The last look at generated source: whatever the emitter would never write is refused."""

from __future__ import annotations

import pytest

from treaty_codegen import GuardError
from treaty_codegen.guard import (
    RULES,
    Allowed,
    Rule,
    bases,
    builtins,
    calls,
    check,
    decorators,
    documentation,
    kinds,
    libraries,
    members,
    modules,
    names,
    texts,
)

ALLOWED = Allowed(
    texts=frozenset({"text", "two\nlines", b"bytes"}),
    classes=frozenset({"Channel", "Seal"}),
    modules=frozenset({"events.order"}),
    text_module="_thing_avsc",
)

GOOD = '''\
"""text"""

from __future__ import annotations

import dataclasses as _dc
import enum as _enum

from events.order import _thing_avsc as _avsc


class Channel(_enum.Enum):
    """two
    lines"""

    A = "text"


@_dc.dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    x: Channel = Channel.A
    y: bytes | None = _dc.field(default_factory=lambda: [Seal(b"bytes"), -1])

    def __key__(self) -> str:
        return str(self.x) + self.x.value


_t_Channel = Channel
'''


def test_what_the_emitter_writes_passes() -> None:
    check("good.py", source=GOOD, allowed=ALLOWED)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = 1", "lines do not end in a single line feed"),
        ("x = 1\n\n", "lines do not end in a single line feed"),
        ("x = 1\r\n", "lines do not end in a single line feed"),
        ("x = 1\n\fy = 2\n", "lines do not end in a single line feed"),
        ("x = = 1\n", "is not Python"),
        ("x = '\0'\n", "is not Python"),
        ("while x: y\n", "holds a While"),
        ("x = [y for y in z]\n", "holds a ListComp"),
        ("x = y ** z\n", "holds a Pow"),
        ("x = (y := z)\n", "holds a NamedExpr"),
        ("del x\n", "holds a Delete"),
        ("def x(): yield\n", "holds a Yield"),
        ("x = eval(y)\n", "calls eval"),
        ("x = y.system(z)\n", "calls y.system"),
        ("x = _dc.make_dataclass(y)\n", "calls _dc.make_dataclass"),
        ("x = str(y)(z)\n", "calls str(y)"),
        ("@Seal(x)\nclass X: x = 1\n", "has a decorator that is not ours"),
        ("@_dc.dataclass\nclass X: x = 1\n", "has a decorator that is not ours"),
        ("class X(Seal(x)): x = 1\n", "has a base or a keyword of a class that is not ours"),
        ("x = _t_eval(y)\n", "calls _t_eval"),
        ("class X(Y): x = 1\n", "has a base or a keyword of a class that is not ours"),
        ("class X(bytes, metaclass=Y): x = 1\n", "has a base or a keyword of a class that is not ours"),
        ("@exit\nclass X: x = 1\n", "has a decorator that is not ours"),
        ("@exit\ndef x(): return y\n", "has a decorator that is not ours"),
        ("import os\n", "imports os"),
        ("import os as _dc\n", "imports os"),
        ("import dataclasses\n", "imports dataclasses"),
        ("from os import path\n", "imports from os"),
        ("from __future__ import division\n", "imports from __future__"),
        ("from . import x\n", "imports from None"),
        ("from .events.order import x\n", "imports from events.order"),
        ("_x = 1\n", "uses the name _x"),
        ("_t_x = 1\n", "uses the name _t_x"),
        ("x = y.__class__\n", "uses the name __class__"),
        ("def __reduce__(): return x\n", "uses the name __reduce__"),
        ("class _X: x = 1\n", "uses the name _X"),
        ("x = lambda _y: z\n", "uses the name _y"),
        ("x = str(_y=z)\n", "uses the name _y"),
        ("from events.order import x as _x\n", "uses the name _x"),
        ("from events.order import _x as x\n", "uses the name _x"),
        ("from events.order import _x\n", "uses the name _x"),
        ("x = _builtins.eval\n", "uses the builtin eval"),
        ('x = "other"\n', "holds a text that no schema has: 'other'"),
        ('x = b"other"\n', "holds a text that no schema has: b'other'"),
        ('"""other"""\n', "holds a text that no schema has: 'other'"),
        ('b"other"\n', "holds a text that no schema has: b'other'"),
        ("x\n", "holds a Name as a statement"),
        ("str(x)\n", "holds a Call as a statement"),
        ("x = {**y, _x: z}\n", "uses the name _x"),
        ('x = "two\\n    lines"\n', "holds a text that no schema has"),
        ('raise ValueError(f"other {x}")\n', "holds a text that no schema has: 'other '"),
    ],
)
def test_what_the_emitter_never_writes_is_refused(source: str, says: str) -> None:
    with pytest.raises(GuardError) as caught:
        check("bad.py", source=source, allowed=ALLOWED)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (kinds, "while x: y\n"),
        (calls, "x = eval(y)\n"),
        (bases, "class X(Y): x = 1\n"),
        (decorators, "@exit\nclass X: x = 1\n"),
        (libraries, "import os as _dc\n"),
        (modules, "from os import path\n"),
        (names, "_x = 1\n"),
        (members, "x = y.__class__\n"),
        (members, "from events.order import _x\n"),
        (builtins, "x = _builtins.eval\n"),
        (texts, 'x = "other"\n'),
        (documentation, '"""other"""\n'),
    ],
)
def test_no_other_rule_does_the_work_of_one(rule: Rule, source: str) -> None:
    """Each rule is the only one that refuses its example, so the list above notices when one is lost."""
    without = {each: nodes for each, nodes in RULES.items() if each is not rule}
    assert len(without) == len(RULES) - 1
    check("bad.py", source=source, allowed=ALLOWED, rules=without)
