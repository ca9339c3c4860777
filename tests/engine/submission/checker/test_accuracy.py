from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mlperf import ACCURACY_LOG, ACCURACY_TEXT
from engine.profile.benchmark_rules import AccuracyRule
from engine.profile.run_rules import resolve_rules
from engine.submission.checker.accuracy import read_scores
from engine.submission.checker.check import check
from tests.engine.submission.base_tree import ACCURACY as VALUES
from tests.engine.submission.base_tree import RULES, SYSTEMS, write_system
from tests.engine.submission.checker.faults import replace, result_of, write
from tests.engine.submission.later_tree import ROUNDS

HASH = "hash=" + "a" * 64

_words = st.sampled_from([
    *(f"{before}{value}{after}" for before, value, after in VALUES.values()), "accuracy=1.5%", "mAP=2", "AUC=3.5",
    HASH, "hash=b", "hash=c d", " accuracy=7", "Accuracy: mean", "Word Error Rate: 7%", "", "x" * 30, "hash=é",
])  # fmt: skip
_ends = st.sampled_from(["\n", "\n", "\r\n", "\r", ""])


@given(st.lists(st.tuples(_words, _ends).map("".join), max_size=12), st.sampled_from(sorted(VALUES)))
def test_scores_are_read_as_line_by_line(text: list[str], metric: str) -> None:
    whole = "".join(text)
    scores = read_scores(whole.encode(), [AccuracyRule(metric=metric, reference=1)], RULES)
    value, found = _line_by_line(whole, metric)
    assert scores.values.get(metric, [None])[-1] == value
    assert scores.hashes[:1] == ([found] if found else [])


_LATER = ROUNDS["v5.1"]
_LLAMA = resolve_rules(_LATER, "llama2-70b-99", "Offline").accuracy
_KEYS = ("rouge1", "rouge2", "rougeL", "tokens_per_sample")
_pairs = st.tuples(st.sampled_from(_KEYS), st.sampled_from([1.5, 44.5, 22.5, 290.0, 999.0]))
_printed = st.lists(_pairs, min_size=1, max_size=4).map(
    lambda found: ", ".join(f"'{key}': {one}" for key, one in found)
)


@given(st.lists(_printed.map("{{{}}}".format) | st.sampled_from([HASH, "hash=b", ""]), max_size=8))
def test_several_metrics_are_read_as_line_by_line(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    scores = read_scores(text.encode(), _LLAMA, _LATER)
    found, seen, known = dict[str, list[str]](), set[str](), False
    for line in lines:
        for rule in _LLAMA:
            if match := re.match(_LATER.accuracy_lines[rule.metric].line, line):
                found.setdefault(rule.metric, []).append(match[1])
                seen |= {rule.metric} if float(match[1]) >= rule.target else set()
        known |= re.match(_LATER.accuracy_hash, line) is not None
        if known and len(seen) == len(_LLAMA):
            break
    assert scores.values == found
    shown = "  ".join(f"{metric}: {values[-1]}" for metric, values in found.items())
    assert scores.shown(_LLAMA, _LATER) == (shown or None)


def _line_by_line(text: str, metric: str) -> tuple[str | None, str | None]:
    """Read like the official checker: until both values are known; the first hash counts for all before."""
    value = found = None
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if match := re.match(RULES.accuracy_lines[metric].line, line):
            value = match[1]
        if match := re.match(RULES.accuracy_hash, line):
            found = found or match[1]
        if value and found:
            break
    return value, found


def judged(tmp_path: Path, system: str, name: str, old: str, new: str) -> set[str]:
    """Return the rules broken after a replacement in an accuracy folder."""
    write_system(tmp_path, SYSTEMS[system])
    replace(old, new)(tmp_path / result_of(system, "Offline") / "accuracy" / name)
    return {finding.rule for finding in check(tmp_path, RULES).findings}


@pytest.mark.parametrize(
    ("system", "value", "reached"),
    [
        ("dc-resnet50", "75.6954", True),
        ("dc-resnet50", "75.695", False),
        ("dc-retinanet", "37.1745", True),
        ("dc-retinanet", "37.174", False),
        ("dc-rnnt", "91.62252", True),
        ("dc-rnnt", "91.622", False),
        ("dc-bert-99", "89.96526", True),
        ("dc-bert-99", "89.965", False),
        ("dc-bert-99.9", "90.783126", True),
        ("dc-bert-99.9", "90.783", False),
        ("dc-dlrm-99", "79.4475", True),
        ("dc-dlrm-99.9", "80.16", False),
        ("dc-3d-unet-99", "0.853083", True),
        ("dc-3d-unet-99.9", "0.8608", False),
        ("net", "75.6953", False),
    ],
)
def test_the_target_itself_is_enough(tmp_path: Path, system: str, value: str, reached: bool) -> None:
    metric = SYSTEMS[system].benchmark(SYSTEMS[system].models[0]).accuracy[0].metric
    broken = judged(tmp_path, system, ACCURACY_TEXT, VALUES[metric][1], value)
    assert broken == (set() if reached else {"accuracy.target"})


@pytest.mark.parametrize(("size", "rules"), [(10_240, {"accuracy.hash_wrong"}), (10_241, {"accuracy.log_size"})])
def test_the_largest_truncated_log(tmp_path: Path, size: int, rules: set[str]) -> None:
    write_system(tmp_path, SYSTEMS["net"])
    write(b"{" * size)(tmp_path / result_of("net", "Server") / "accuracy" / ACCURACY_LOG)
    assert {finding.rule for finding in check(tmp_path, RULES).findings} == rules


def test_a_small_log_need_not_be_cut(tmp_path: Path) -> None:
    import hashlib

    small = b'[\n{ "seq_id" : 0, "qsl_idx" : 58, "data" : "00006842" }\n]\n'
    write_system(tmp_path, SYSTEMS["open"])
    folder = tmp_path / result_of("open", "Offline") / "accuracy"
    (folder / ACCURACY_LOG).write_bytes(small)
    text = (folder / ACCURACY_TEXT).read_text().partition("hash=")[0]
    (folder / ACCURACY_TEXT).write_text(f"{text}hash={hashlib.sha256(small).hexdigest()}\n")
    assert check(tmp_path, RULES).findings == []
