"""WordPiece tokens; test_squad_goldens.py compares them with the reference's own tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DataError
from engine.tasks.wordpiece import CONTINUES, LONGEST_WORD, SPECIAL, UNKNOWN, Tokenizer, Vocabulary, words
from tests.engine.tasks.squad_cases import HARD, vocabulary

PIECES = ["un", "##aff", "##able", "##a", "able", "a", "gdansk", "\u4e2d", "'", "s", "##s", "."]
TOKENIZER = Tokenizer(Vocabulary({token: number for number, token in enumerate([*SPECIAL, *PIECES])}))
REAL = Tokenizer(Vocabulary({token: number for number, token in enumerate(vocabulary(1))}))
TEXT = st.text() | st.lists(st.sampled_from(HARD) | st.text(max_size=5)).map(" ".join)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Unaffable", ["un", "##aff", "##able"]),
        ("Gda\u0144sk's", ["gdansk", "'", "s"]),
        ("un\u4e2dable", ["un", "\u4e2d", "able"]),
        ("un\u00a0able", ["un", "able"]),
        ("un\u200bable", ["un", "##able"]),
        ("unable xyz", ["un", "##able", UNKNOWN]),
        ("a" * LONGEST_WORD, ["a", *["##a"] * (LONGEST_WORD - 1)]),
        ("a" * (LONGEST_WORD + 1), [UNKNOWN]),
        ("w" * 300, [UNKNOWN]),
        ("[SEP] a", ["[SEP]", "a"]),
        ("\x07\u200d\ufffd", []),
        ("", []),
    ],
)
def test_a_text_is_cut_into_the_longest_pieces(text: str, tokens: list[str]) -> None:
    assert TOKENIZER.tokens(text) == tokens


@given(TEXT)
@settings(deadline=None)
def test_every_token_is_of_the_vocabulary_and_together_they_are_the_words(text: str) -> None:
    tokens = REAL.tokens(text)
    assert all(token in REAL.ids for token in tokens)
    for word in words(text):
        pieces = REAL.tokens(word)
        assert pieces == [UNKNOWN] or pieces[0] + "".join(one.removeprefix(CONTINUES) for one in pieces[1:]) == word
    assert tokens == [piece for word in words(text) for piece in REAL.tokens(word)]


@given(TEXT)
@settings(deadline=None)
def test_words_have_no_space_and_are_their_own_words(text: str) -> None:
    found = words(text)
    assert all(word and not any(character.isspace() for character in word) for word in found)
    assert words(" ".join(found)) == found


def write(folder: Path, lines: list[str]) -> Path:
    path = folder / "vocab.txt"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return path


def test_a_line_s_number_is_its_id(tmp_path: Path) -> None:
    lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "", "\u2028", "a"]
    assert Vocabulary.read(write(tmp_path, lines)).ids == {**{line: n for n, line in enumerate(lines)}, "a": 7}
    (tmp_path / "vocab.txt").write_bytes("\r\n".join(lines).encode())
    assert Vocabulary.read(tmp_path / "vocab.txt").ids["[SEP]"] == 3


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["<pad>", "<s>", "a"], r"vocab\.txt has 3 lines and no \[PAD\], \[UNK\], \[CLS\], \[SEP\]"),
        (["a", "[PAD]", "[UNK]", "[CLS]", "[SEP]"], r"vocab\.txt: \[PAD\] has the id 1"),
        (
            [*SPECIAL, "The", "Paris", "a"],
            r"vocab\.txt is of a cased model: 2 of 8 tokens have capitals \(The, Paris\)",
        ),
    ],
)
def test_a_vocabulary_of_another_model_is_named(tmp_path: Path, lines: list[str], says: str) -> None:
    with pytest.raises(DataError, match=says) as found:
        Vocabulary.read(write(tmp_path, lines))
    assert "30,522" in found.value.remedy


def test_what_is_no_vocabulary_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    with pytest.raises(DataError, match=r"vocab\.txt: the vocabulary cannot be read: No such file"):
        Vocabulary.read(path)
    path.write_bytes(b"[PAD]\n\xff\n")
    with pytest.raises(DataError, match=r"vocab\.txt is no vocabulary: not UTF-8 at byte 6"):
        Vocabulary.read(path)
