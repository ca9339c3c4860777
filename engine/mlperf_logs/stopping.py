"""Sentences of LoadGen's early stopping result."""

from __future__ import annotations


def stopping_words(said: object) -> list[str]:
    """Return the sentences of `early_stopping_result`: a text in the detail log, a list of lines in the summary.

    Any other value, as in a damaged log, has none.
    """
    lines = said if isinstance(said, list) else [said]
    text = " ".join(line for line in lines if isinstance(line, str))
    return [" ".join(one.split()) for one in text.split("* ") if one.strip()]
