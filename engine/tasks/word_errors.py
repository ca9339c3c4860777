"""Word error rate: the words that must be put in, left out or changed to make a text of another, by those of the other.

The distance is Levenshtein's, and texts are split at white space, as in the rules' pytorch/metrics.py (v2.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def distance(found: Sequence[str], right: Sequence[str]) -> int:
    """Return how many insertions, deletions and substitutions make `right` of `found`."""
    costs = list(range(len(right) + 1))
    for row, word in enumerate(found, start=1):
        before, costs[0] = costs[0], row
        for column, other in enumerate(right, start=1):
            changed = before + (word != other)
            before = costs[column]
            costs[column] = min(changed, before + 1, costs[column - 1] + 1)
    return costs[-1]


MOST_JOINED = 3
"""Words that may be written as one."""


def joined(found: Sequence[str], right: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return both texts with words written as one where the other has them so, as the rules' Whisper is scored.

    From the left, word against word: up to three words of one that together are the word of the other count as it.
    """
    made: tuple[list[str], list[str]] = ([], [])
    at, other = 0, 0
    while at < len(found) and other < len(right):
        left, wanted = _matched(found[at:], right[other:])
        made[0].append("".join(found[at : at + left]))
        made[1].append("".join(right[other : other + wanted]))
        at, other = at + left, other + wanted
    return [*made[0], *found[at:]], [*made[1], *right[other:]]


def _matched(found: Sequence[str], right: Sequence[str]) -> tuple[int, int]:
    """Return how many words of each stand for the same; 1 and 1 where none do."""
    for count in range(1, MOST_JOINED + 1):
        if "".join(right[:count]) == found[0]:
            return 1, min(count, len(right))
        if "".join(found[:count]) == right[0]:
            return min(count, len(found)), 1
    return 1, 1


def errors(pairs: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Return the errors of texts and the words of those that they should be, over pairs of both."""
    wrong = words = 0
    for found, right in pairs:
        expected = right.split()
        wrong += distance(found.split(), expected)
        words += len(expected)
    return wrong, words
