"""What treaty says, in another language: one catalogue of sentences (``zh.toml``), keyed by what is said in English.

Names of rules, keys of JSON, exit codes and texts of schemas are never translated.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Final, Literal, TypeAlias

from treaty_codegen.finding import Finding, Proof, Text

Code: TypeAlias = Literal["en", "zh"]
CODES: Final[tuple[Code, ...]] = ("en", "zh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """``sentences``: English to this language; ``rules`` and ``errors``: what a rule says and what a class of errors means, by name."""

    code: Code = "en"
    sentences: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def say(self, words: str) -> str:
        """A fixed sentence or word; what nobody translated stays English."""
        return self.sentences.get(words, words)

    def text(self, text: Text) -> Text:
        """A sentence with its arguments, those that are words of ours translated too."""
        return Text(self.say(text.template), {name: self.say(value) for name, value in text.arguments.items()})

    def finding(self, finding: Finding) -> Finding:
        """A finding whose sentences are in this language."""
        help_, waived = finding.help, finding.waived
        return replace(
            finding,
            message=self.text(finding.message),
            help=None if help_ is None else self.text(help_),
            waived=None if waived is None else self.text(waived),
        )

    def proof(self, proof: Proof) -> str:
        """A proof on one line, as ``str`` gives it in English."""
        seen = f"{self.say('read as')} {proof.read_as}"
        result = seen if proof.error is None else f"{self.say('not readable')}: {proof.error}"
        return f"{proof.value} → {self.say('bytes')} {proof.hex or self.say('no byte')} → {result}"


ENGLISH: Final = Language(sentences={"no byte": "none"})


@cache
def language(code: Code) -> Language:
    """The language of a code; ``zh`` is read from the package's own file."""
    if code == "en":
        return ENGLISH
    tables = tomllib.loads(files("treaty_codegen").joinpath(f"{code}.toml").read_text(encoding="utf-8"))
    names = ("lint", "breaking", "doctor", "arguments", "printing")
    sentences = {english: own for name in names for english, own in tables[name].items()}
    return Language(code=code, sentences=sentences, rules=tables["rules"], errors=tables["errors"])
