"""Generated SQuAD files, vocabularies and accuracy logs with edge cases; each depends on its seed alone.

The goldens of test_squad_goldens.py were made with the rules' own scripts on exactly these files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.mlperf_logs import accuracy_log as accuracy
from engine.tasks import squad
from engine.tasks.base import Array
from engine.tasks.wordpiece import SPECIAL

SYLLABLES = (
    "ba be bi co da de el en er fa go ha in ka la le ma mo na no or pa qu ra re sa so ta ti un ve wa xi yo zu".split()
)
HARD = [
    "Gda\u0144sk",
    "na\u00efvet\u00e9",
    "\u00c5ngstr\u00f6m's",
    "\u0130stanbul",
    "Stra\u00dfe",
    "\ufb01nal",
    "e\u0301clair",
    "\u4e2d\u6587word",
    "\u6771\u4eac",
    "\ud55c\uad6d",
    "\u3072\u3089\u304c\u306a",
    "one\u00a0two",
    "a\u2009b",
    "zero\u200bwidth",
    "soft\u00adhyphen",
    "tab\x0bform\x0c",
    "nul\x00l",
    "bad\ufffdchar",
    "rtl\u202eoverride",
    "\U0001f600smile",
    "\u2014dash\u2014",
    "\u201cquoted\u201d",
    "$1,234.50",
    "50%",
    "C++",
    "a^b`c~d",
    "(1895\u20131943).",
    "[SEP]",
    "[SEP].",
    "[MASK]",
    "[unk]",
    "##ba",
    "#",
    "\u0301",
    "\x07",
    "w" * 100,
    "w" * 101,
    "x" * 300,
    "The",
    "an",
    "a",
    "line\u2028sep",
    "\u0660\u0661\u0662",
    "\u216b",
    "\u1e9b\u0323",
]
"""Words that differ under other rules than the reference's."""
BLANKS = [" ", " ", " ", " ", " ", "  ", "\t", "\n", "\r\n", "\u202f"]


def vocabulary(seed: int) -> list[str]:
    """Return the lines of a vocab.txt."""
    random = np.random.default_rng([seed, 1])
    letters = [
        *"abcdefghijklmnopqrstuvwxyz0123456789",
        *"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
        "\u4e2d",
        "\u2014",
        "\u00df",
    ]
    letters = [one for one in letters if one not in "kz8"]
    pieces = [*letters, *SYLLABLES, *(a + b for a in SYLLABLES for b in SYLLABLES if random.random() < 0.3)]
    pieces += ["www", "gdansk", "naivete", "final", "the", "an"]
    found = [one for piece in pieces for one in (piece, f"##{piece}") if random.random() < 0.97]
    reserved = [f"[unused{number}]" for number in range(5)]
    return ["[PAD]", *reserved, *(one for one in SPECIAL if one != "[PAD]"), *dict.fromkeys(found)]


def articles(seed: int, *, paragraphs: int = 24) -> dict[str, Any]:
    """Return a file in SQuAD v1.1 form."""
    random = np.random.default_rng([seed, 2])
    made = [_paragraph(random, f"{seed:04x}{number:04x}", number) for number in range(paragraphs)]
    return {
        "version": "1.1",
        "data": [{"title": f"t{start}", "paragraphs": made[start : start + 5]} for start in range(0, paragraphs, 5)],
    }


def _paragraph(random: np.random.Generator, name: str, number: int) -> dict[str, Any]:
    length = int(random.choice([3, 30, 90, 200, 420]))
    parts = [_word(random) for _ in range(length)]
    if number % 6 == 0:  # ties: the same words over and over
        parts = parts[:3] * (length // 3)
    blanks = [str(random.choice(BLANKS)) for _ in parts]
    context = "".join(word + blank for word, blank in zip(parts, blanks, strict=True))
    context = context.strip() if number % 2 else f" \n{context}"
    return {
        "context": context,
        "qas": [_question(random, f"{name}{index:04x}", context) for index in range(1 + number % 3)],
    }


def _word(random: np.random.Generator) -> str:
    if random.random() < 0.12:
        return str(HARD[int(random.integers(len(HARD)))])
    word = "".join(random.choice(SYLLABLES, size=int(random.integers(1, 5))))
    word = word.capitalize() if random.random() < 0.2 else word
    return word + str(random.choice(["", "", "", ",", ".", "'s", ")"]))


def _question(random: np.random.Generator, name: str, context: str) -> dict[str, Any]:
    words = [_word(random) for _ in range(int(random.choice([1, 8, 12, 60])))]
    answers = []
    for _ in range(int(random.integers(1, 4))):
        word = str(random.choice(context.split()))
        start = context.index(word)
        text = context[start : start + len(word) + int(random.choice([0, 0, 12]))]
        answers.append({"answer_start": start, "text": text})
    if random.random() < 0.3:
        answers.append({"answer_start": max(len(context) - 9, 0), "text": context[-9:]})
    return {"id": name, "question": " ".join(words) + "?", "answers": answers}


def write(folder: Path, seed: int) -> tuple[Path, Path]:
    """Write dev-v1.1.json and vocab.txt; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    questions, vocab = folder / "dev-v1.1.json", folder / "vocab.txt"
    questions.write_text(json.dumps(articles(seed)), encoding="utf-8")
    vocab.write_bytes("".join(f"{line}\n" for line in vocabulary(seed)).encode())
    return questions, vocab


Logits = Callable[[np.random.Generator, int], Array]
"""Random numbers and the tokens of a feature → float32 [n,2]."""


def _normal(random: np.random.Generator, length: int) -> Array:
    return random.normal(size=(length, 2)).astype(np.float32)


def _padded(random: np.random.Generator, length: int) -> Array:
    return random.normal(size=(squad.LONGEST, 2)).astype(np.float32)


def _ties(random: np.random.Generator, length: int) -> Array:
    return random.integers(-2, 3, size=(length, 2)).astype(np.float32)


def _low(random: np.random.Generator, length: int) -> Array:
    """Partly below the rules' padding value, so that padding outranks tokens."""
    return (random.normal(size=(length, 2)) * 40 - 10_040).astype(np.float32)


def _flat(random: np.random.Generator, length: int) -> Array:
    return np.zeros((length, 2), np.float32)


def _peaked(random: np.random.Generator, length: int) -> Array:
    """One short answer stands out."""
    logits = _normal(random, length)
    start = int(random.integers(length))
    logits[start, 0] = logits[min(start + int(random.integers(3)), length - 1), 1] = 9
    return logits


LOGS: dict[str, Logits] = {
    "normal": _normal,
    "padded": _padded,
    "ties": _ties,
    "low": _low,
    "flat": _flat,
    "peaked": _peaked,
}
"""Kinds of logs. Besides: `subset` and `duplicates` of the normal one, and `transposed`."""


def records(kind: str, seed: int, lengths: Sequence[int]) -> list[accuracy.Record]:
    """Return the log of a kind, given the tokens of each feature."""
    random = np.random.default_rng([seed, 3])
    make = LOGS.get(kind, _normal)
    arrays = [make(random, length) for length in lengths]
    if kind == "transposed":
        arrays = [array.T.copy() for array in arrays]
    found = [accuracy.Record(number, number, array.tobytes()) for number, array in enumerate(arrays)]
    if kind == "subset":
        found = found[::3]
    if kind == "duplicates":
        again = [_normal(random, length) for length in lengths[::2]]
        found += [accuracy.Record(len(found) + n, 2 * n, array.tobytes()) for n, array in enumerate(again)]
    return [found[place] for place in random.permutation(len(found))] if kind != "duplicates" else found


KINDS = (*LOGS, "subset", "duplicates", "transposed")


def digest(rows: Sequence[Sequence[int]]) -> str:
    """Return a digest of rows of whole numbers."""
    return hashlib.sha256("\n".join(" ".join(map(str, row)) for row in rows).encode()).hexdigest()
