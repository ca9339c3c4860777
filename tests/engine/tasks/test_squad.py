"""SQuAD's file format and features; test_squad_goldens.py compares them with the rules' own preprocessing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DataError
from engine.tasks import squad
from engine.tasks.wordpiece import SPECIAL, UNKNOWN, Tokenizer, Vocabulary
from tests.engine.tasks import squad_cases as cases

TOKENIZER = Tokenizer(Vocabulary({token: number for number, token in enumerate([*SPECIAL, "a", "b", "##a", "?"])}))


def qa(name: str = "q1", text: str = "a?", *, answers: tuple[str, ...] = ("b",), **more: Any) -> dict[str, Any]:
    return {"id": name, "question": text, "answers": [{"text": one, "answer_start": 0} for one in answers], **more}


def file(folder: Path, *qas: dict[str, Any], context: str = "a b", version: str = "1.1") -> Path:
    path = folder / "dev-v1.1.json"
    paragraphs = [{"context": context, "qas": list(qas)}]
    path.write_text(json.dumps({"version": version, "data": [{"title": "t", "paragraphs": paragraphs}]}))
    return path


def features(context: str, text: str = "a?") -> list[squad.Feature]:
    words = tuple(context.split())
    return list(squad.features([squad.SquadQuestion("q", text, words, ("b",))], TOKENIZER))


def test_words_are_cut_at_five_kinds_of_white_space_only(tmp_path: Path) -> None:
    (found,) = squad.read(file(tmp_path, qa(), context=" a\tb\r\nc\u202fd\u00a0e  f\x0bg "))
    assert found.words == ("a", "b", "c", "d\u00a0e", "f\x0bg")


@pytest.mark.parametrize(
    ("qas", "changes", "says"),
    [
        ([qa("q1"), qa("q2", answers=())], {}, "question q2 has no answer: this is SQuAD v2.0"),
        ([qa("q3", is_impossible=True)], {}, "question q3 has no answer: this is SQuAD v2.0"),
        ([qa()], {"version": "v2.0"}, "is SQuAD of version v2.0, and the rules use v1.1"),
        ([qa("q4")], {"context": ""}, "the context of question q4 is empty"),
        ([qa("q5")], {"context": " \n\u202f"}, "the context of question q5 is empty"),
        ([qa("q6"), qa("q6")], {}, "question q6 is there twice"),
        ([], {}, "has no questions"),
    ],
)
def test_what_v1_1_cannot_have_is_named_by_file_and_question(
    tmp_path: Path, qas: list[dict[str, Any]], changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(DataError, match=says) as found:
        squad.read(file(tmp_path, *qas, **changes))
    assert "dev-v1.1.json" in found.value.what
    assert "as it was published" in found.value.remedy


@given(share=st.floats(0, 1, exclude_max=True))
@settings(max_examples=40, deadline=None)
def test_a_truncated_file_is_told_from_another(tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    path = file(tmp_path_factory.mktemp("cut"), qa())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match="is truncated, or not JSON"):
        squad.read(path)


def test_json_of_something_else_is_no_squad_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"images": []}')
    with pytest.raises(DataError, match=r"x\.json is no SQuAD file: .*missing required field `data`"):
        squad.read(path)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        squad.read(tmp_path / "none.json")


def test_a_long_question_is_cut_to_64_tokens() -> None:
    (found,) = features("a b", "a " * 70)
    assert found.start == 66
    assert list(found.tokens) == ["[CLS]", *["a"] * 64, "[SEP]", "a", "b", "[SEP]"]


def test_a_word_of_300_characters_is_one_unknown_token() -> None:
    (found,) = features("a " + "a" * 300 + " b")
    assert list(found.tokens[found.start : found.end]) == ["a", UNKNOWN, "b"]
    assert found.word.tolist() == [0, 1, 2]


@given(st.integers(1, 1500), st.integers(0, 80))
@settings(max_examples=60, deadline=None)
def test_each_token_counts_in_one_feature_and_where_its_context_is_most(length: int, query: int) -> None:
    found = features("b " * length, "a " * query)
    room = squad.LONGEST - min(query, squad.LONGEST_QUERY) - 3
    counted = np.zeros(length, int)
    for one in found:
        assert len(one.tokens) <= squad.LONGEST
        assert (one.tokens[0], one.tokens[one.start - 1], one.tokens[-1]) == ("[CLS]", "[SEP]", "[SEP]")
        assert one.end == len(one.tokens) - 1
        counted[one.word[one.counts]] += 1
    assert (counted == 1).all()
    assert [int(one.word[0]) for one in found] == [squad.STRIDE * number for number in range(len(found))]
    assert all(len(one.word) == room for one in found[:-1])
    assert int(found[-1].word[-1]) == length - 1
    spans = [(int(one.word[0]), int(one.word[-1])) for one in found]
    for number, one in enumerate(found):
        for place in one.word[one.counts]:
            scores = [
                min(place - begin, end - place) + 0.01 * (end - begin + 1) if begin <= place <= end else -1.0
                for begin, end in spans
            ]
            assert scores.index(max(scores)) == number


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_a_file_of_the_first_questions_has_their_features(tmp_path: Path, count: int) -> None:
    path, vocabulary = cases.write(tmp_path, 5)
    tokenizer = Tokenizer(Vocabulary.read(vocabulary))
    whole = squad.read(path)
    (tmp_path / "first.json").write_bytes(squad.first(path, count))
    part = squad.read(tmp_path / "first.json")
    assert part == whole[:count]
    pairs = zip(squad.features(part, tokenizer), squad.features(whole, tokenizer), strict=False)
    assert all(mine.tokens == other.tokens for mine, other in pairs)
