"""English as the rules' Whisper compares it: words without case, marks, contractions and fillers, numbers as digits.

The rules' accuracy_eval.py normalises both texts with Whisper's own EnglishTextNormalizer. This one does the same for
case, marks, fillers, contractions, titles and whole numbers. It leaves British and American spelling as they are, and
ordinals and amounts of money as they were said; where a text has these, both rates may differ by a few words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

_SHORT = {
    r"\bwon't\b": "will not", r"\bcan't\b": "can not", r"\blet's\b": "let us", r"\bain't\b": "aint",
    r"\bwanna\b": "want to", r"\bgonna\b": "going to", r"\bgotta\b": "got to",
    r"\bmr\b": "mister ", r"\bmrs\b": "missus ", r"\bdr\b": "doctor ", r"\bst\b": "saint ", r"\bprof\b": "professor ",
    r"\bcapt\b": "captain ", r"\bgov\b": "governor ", r"\bgen\b": "general ", r"\bjr\b": "junior ",
    r"\besq\b": "esquire ",
    r"n't\b": " not", r"'re\b": " are", r"'ll\b": " will", r"'ve\b": " have", r"'m\b": " am", r"'d\b": " would",
    r"'s\b": " is",
}  # fmt: skip
"""Pattern → what it is written as, in this order."""
_FILLERS = re.compile(r"\b(hmm|mm|mhm|mmm|uh|um)\b")
_ASIDE = re.compile(r"[<\[][^>\]]*[>\]]|\([^)]*\)")
_KEPT = ".%$¢€£"

_ONES = {
    word: value
    for value, word in enumerate(
        ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen").split()
    )
}  # fmt: skip
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_TIMES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}


def normalised(text: str) -> str:
    """Return a text in the form in which it is compared."""
    text = re.sub(r"\s+'", "'", _FILLERS.sub("", _ASIDE.sub("", text.lower())))
    for pattern, words in _SHORT.items():
        text = re.sub(pattern, words, text)
    text = re.sub(r"(\d),(\d)", r"\1\2", text)
    text = re.sub(r"\.([^\d]|$)", r" \1", text)
    text = "".join(_sign(one) for one in unicodedata.normalize("NFKD", text))
    found = re.sub(r"[.$¢€£](?!\d)|(?<!\d)%", " ", text).split()
    return re.sub(r"\b1(s?)\b", r"one\1", " ".join(_numbers(found)))


def _sign(one: str) -> str:
    kind = unicodedata.category(one)
    if one in _KEPT or kind[0] not in "MSP":
        return one
    return "" if kind == "Mn" or one == "'" else " "


def _numbers(words: Sequence[str]) -> Iterator[str]:
    """Yield the words with numbers as digits: `twenty one` becomes 21, and `four seven` 47, as in Whisper's own."""
    said, value, total, last = "", None, 0, ""
    for number, word in enumerate([*words, ""]):
        part = _value(word)
        if word in _TIMES:
            scaled = (1 if value is None else value) * _TIMES[word]
            total, value = (total, scaled) if word == "hundred" else (total + scaled, 0)
        elif word == "and" and last in _TIMES and number + 1 < len(words) and _value(words[number + 1]) is not None:
            continue
        elif part is not None and value is not None and _goes_on(value, part, last):
            value += part
        else:
            if value is not None:
                said, value, total = said + str(total + value), part, 0
            if said and (part is None or word.isdigit()):
                yield said
                said = ""
            if part is None and word:
                yield word
            value = part
        last = word


def _value(word: str) -> int | None:
    return _ONES.get(word, _TENS.get(word, int(word) if word.isascii() and word.isdigit() else None))


def _goes_on(value: int, part: int, last: str) -> bool:
    """Return whether a number goes on: `twenty one`, `hundred five`."""
    return (last in _TENS and 0 < part < 10) or (last in _TIMES and part < 100 and value % 100 == 0)
