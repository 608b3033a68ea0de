"""Shapes of what clients send: unknown fields are refused, numbers fit the database, texts are storable."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from mall.identity import LARGEST_ID


class Body(BaseModel):
    """A request body; a field it does not know is an error, not a typo that goes unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _storable(text: str) -> str:
    # Postgres refuses NUL in text; better a sentence here than a 500 there.
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    return text


Id = Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)]  # strict: `true` and `"1"` are no numbers
Text = Annotated[str, AfterValidator(_storable)]
Note = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True), AfterValidator(_storable)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_storable)]
