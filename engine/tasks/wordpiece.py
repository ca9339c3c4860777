"""WordPiece tokens of the uncased BERT models, as in the rules' preprocessing.

The rules tokenise with the `BertTokenizer` of transformers 2.4, written in Python: text is cleaned, lower-cased,
stripped of accents and split at punctuation and around CJK characters, and each word is split into the longest pieces
of the vocabulary, from the left. Unicode categories are those of the running Python, as in the original.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.errors import DataError
from engine.store.files import read_plain

PAD, UNKNOWN, CLS, SEP, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL = (PAD, UNKNOWN, CLS, SEP, MASK)
"""Words that are not split if surrounded by white space."""

LONGEST_WORD = 100
"""Characters; a longer word is unknown (Google's own tokenizer allows 200)."""

CASED = 0.01
"""Fraction of tokens with capitals above which a vocabulary is considered cased; in cased ones it is about a third."""

CONTINUES = "##"
"""Prefix of a piece that continues a word."""

_CACHED = 1 << 17
"""Words whose pieces are cached; SQuAD's dev set has fewer different ones."""

_CJK = re.compile(
    "[\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002b73f\U0002b740-\U0002b81f\U0002b820-\U0002ceaf"
    "\uf900-\ufaff\U0002f800-\U0002fa1f]"
)
"""Each is a word of its own; Hangul and the Japanese syllabaries are not included."""

_BREAKS = re.compile(r"\r\n?")
_SHOWN = 3
"""Tokens that a message gives as examples."""


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of a model and their ids."""

    ids: Mapping[str, int]

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Read a vocab.txt: one piece a line, its number from 0 is its id; of duplicates the last counts.

        Raises DataError if it can't be read, lacks a special token, has another padding id than 0, or is of a cased
        model, whose ids differ.
        """
        try:
            text = read_plain(path).decode("utf-8")
        except OSError as error:
            raise DataError(f"{path}: the vocabulary cannot be read: {error.strerror}", _ANOTHER) from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is no vocabulary: not UTF-8 at byte {error.start}", _ANOTHER) from None
        lines = _BREAKS.sub("\n", text).removesuffix("\n").split("\n")
        ids = {line: number for number, line in enumerate(lines)}
        missing = [token for token in (PAD, UNKNOWN, CLS, SEP) if token not in ids]
        if missing:
            raise DataError(f"{path} has {len(ids):,} lines and no {', '.join(missing)}: no BERT vocabulary", _ANOTHER)
        if ids[PAD]:
            raise DataError(f"{path}: {PAD} has the id {ids[PAD]}, and samples are filled up with 0", _ANOTHER)
        cased = [token for token in ids if token != token.lower() and not _is_reserved(token)]
        if len(cased) > len(ids) * CASED:
            shown = ", ".join(cased[:_SHOWN])
            raise DataError(
                f"{path} is of a cased model: {len(cased):,} of {len(ids):,} tokens have capitals ({shown})", _ANOTHER
            )
        return cls(ids)


_ANOTHER = "give the vocab.txt of the model that is measured, one token a line; for the rules' BERT it has 30,522"


def _is_reserved(token: str) -> bool:
    return token.startswith("[") and token.endswith("]")


class Tokenizer:
    """Splits text into pieces of a vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.ids = vocabulary.ids
        self._longest = max(map(len, self.ids))
        self._pieces = lru_cache(_CACHED)(self._cut)

    def tokens(self, text: str) -> list[str]:
        """Return the pieces of a text in order; empty if it contains no word."""
        return [piece for word in words(text) for piece in self._pieces(word)]

    def _cut(self, word: str) -> tuple[str, ...]:
        """Return the longest pieces of a word, from the left; one unknown token if there are none."""
        if len(word) > LONGEST_WORD:
            return (UNKNOWN,)
        found: list[str] = []
        start = 0
        while start < len(word):
            piece = next((one for one in self._candidates(word, start) if one in self.ids), None)
            if piece is None:
                return (UNKNOWN,)
            found.append(piece)
            start += len(piece) - (len(CONTINUES) if start else 0)
        return tuple(found)

    def _candidates(self, word: str, start: int) -> Iterator[str]:
        """Yield possible pieces that start at `start`, the longest first."""
        mark = CONTINUES if start else ""
        for end in range(min(len(word), start + self._longest), start, -1):
            yield mark + word[start:end]


def words(text: str) -> list[str]:
    """Return the words of a text in lower case and without accents; punctuation and CJK characters are words.

    Control characters and U+FFFD are removed. Special tokens surrounded by white space are kept.
    """
    found: list[str] = []
    for word in _CJK.sub(r" \g<0> ", _cleaned(text)).split():
        found += [word] if word in SPECIAL else _split(_plain(word))
    return found


def _cleaned(text: str) -> str:
    """Return a text without control characters, with all white space replaced by blanks."""
    return "".join([_clean(character) for character in text]) if not text.isalnum() else text


@lru_cache(1 << 16)
def _clean(character: str) -> str:
    if character in " \t\n\r":
        return " "
    kind = unicodedata.category(character)
    if character == "\ufffd" or kind.startswith("C"):
        return ""
    return " " if kind == "Zs" else character


def _plain(word: str) -> str:
    """Return a word in lower case and without accents."""
    low = word.lower()
    if low.isascii():
        return low
    return "".join(one for one in unicodedata.normalize("NFD", low) if unicodedata.category(one) != "Mn")


def _split(word: str) -> list[str]:
    """Split a word at each punctuation mark, and at spaces that lower case or NFD produced."""
    if word.isalnum():
        return [word]
    return "".join([f" {one} " if _is_punctuation(one) else one for one in word]).split()


@lru_cache(1 << 16)
def _is_punctuation(character: str) -> bool:
    """Return whether it is punctuation: by Unicode category, or ASCII that is no letter, digit or space."""
    if character.isascii():
        return "!" <= character <= "~" and not character.isalnum()
    return unicodedata.category(character).startswith("P")
