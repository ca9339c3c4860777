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


def errors(pairs: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Return the errors of texts and the words of those that they should be, over pairs of both."""
    wrong = words = 0
    for found, right in pairs:
        expected = right.split()
        wrong += distance(found.split(), expected)
        words += len(expected)
    return wrong, words
