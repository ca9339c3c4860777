"""What LoadGen's early stopping says of a run, as sentences."""

from __future__ import annotations


def stopping_words(said: object) -> list[str]:
    """Return the sentences of `early_stopping_result`: of the detail log a text, of the summary a list of lines.

    Anything else, as a damaged log may hold, has none.
    """
    lines = said if isinstance(said, list) else [said]
    text = " ".join(line for line in lines if isinstance(line, str))
    return [" ".join(one.split()) for one in text.split("* ") if one.strip()]
