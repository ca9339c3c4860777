from itertools import islice

import numpy as np

from engine.datasets.clicks import BLOCK, DAY_ROWS, LAST_DAY, VOCABULARY, ClickSet, hashes, other_days


def test_the_labels_are_drawn_from_probabilities_that_tell_them_apart() -> None:
    blocks = list(ClickSet(1).rows(LAST_DAY, 40_000))
    labels = np.concatenate([one.labels for one in blocks])
    chance = np.concatenate([one.chance for one in blocks]).astype(np.float32)
    assert abs(labels.mean() - chance.mean()) < 0.01
    places = np.argsort(np.argsort(chance))[labels == 1]
    clicked = len(places)
    above = places.sum() - clicked * (clicked - 1) / 2
    assert 0.87 < above / (clicked * (len(labels) - clicked)) < 0.89


def test_a_larger_set_begins_with_the_smaller_one() -> None:
    (small,), (large, rest) = ClickSet(1).rows(LAST_DAY, 10), ClickSet(1).rows(LAST_DAY, BLOCK + 7)
    for name in ("dense", "absent", "values"):
        np.testing.assert_array_equal(getattr(small, name), getattr(large, name)[:, :10])
    np.testing.assert_array_equal(small.labels, large.labels[:10])
    assert rest.values.shape == (26, 7)


def test_other_seeds_and_purposes_are_other_rows_of_the_last_day_only() -> None:
    sets = ClickSet(1), ClickSet(2), ClickSet(1, "training")
    for day, different in ((LAST_DAY, 3), (0, 1)):
        found = {next(one.rows(day, 50)).values.tobytes() for one in sets}
        assert len(found) == different


def test_values_are_those_of_the_vocabulary_and_few_are_frequent() -> None:
    days = list(islice(other_days(), 8))
    assert sum(len(one.labels) for one in days) == 8 * DAY_ROWS
    values = np.concatenate([one.values for one in days], 1)
    assert (values.min(1) == 0).all()
    assert (values.max(1) < np.array(VOCABULARY)).all()
    counts = np.bincount(values[0])
    assert counts[:10].sum() > len(values[0]) / 5
    assert (counts[1000:] <= counts[:10].min()).all()


def test_counts_are_small_or_large_some_are_negative_and_some_missing() -> None:
    (block,) = ClickSet(3).rows(LAST_DAY, BLOCK)
    assert block.dense.min() == -1
    assert not block.dense[block.absent].any()
    assert len(set(block.absent.mean(1).round(1))) == 3
    assert block.dense.max(1).min() < 100 < 100_000 < block.dense.max()


def test_hashes_are_different_and_0_where_a_value_is_missing() -> None:
    for column, found in enumerate(hashes()):
        assert len(np.unique(found)) == VOCABULARY[column]
        assert (found == 0).sum() == (column % 3 == 0)
