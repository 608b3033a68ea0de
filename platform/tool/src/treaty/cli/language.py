"""``--lang``: the language of what a command says to people; data stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from treaty_codegen.language import Code, Language

F = TypeVar("F", bound=Callable[..., Any])
KEY = "treaty.lang"
"""Where the choice stands in a command's context."""


def lang_option(command: F) -> F:
    """Adds ``--lang``; ``chosen`` gives the answer."""
    return click.option(
        "--lang",
        type=click.Choice(["en", "zh"]),
        expose_value=False,
        callback=lambda context, _, value: context.meta.__setitem__(KEY, value or "en"),
        help="Language of findings and faults (default: en).",
    )(command)


def chosen() -> Language:
    """The language that the running command was asked for."""
    from treaty_codegen.language import language

    code: Code = click.get_current_context().meta.get(KEY, "en")
    return language(code)


def asked_for(words: Sequence[str]) -> Code:
    """The language in the words of a command line, for faults that end a command before or after it runs."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--lang=zh" or (word, following) == ("--lang", "zh"):
            return "zh"
    return "en"
