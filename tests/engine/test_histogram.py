"""The histogram against sorted lists of the values that went in."""

import subprocess
import sys
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import histogram
from tests.histograms import bucket_of, merged

NANOSECONDS = st.one_of(
    st.integers(0, 2000), st.integers(0, 10**12), st.integers(histogram.MAX_NS - 10**15, histogram.MAX_NS)
)


@given(NANOSECONDS)
def test_a_value_lies_in_its_bucket_and_the_middle_is_close(ns: int) -> None:
    bucket = bucket_of(ns)
    low, high = histogram.bounds(bucket)
    assert low <= ns <= high
    assert abs(histogram.value_of(bucket) - ns) <= ns / 512


@given(st.integers(0, 30_000))
def test_buckets_follow_one_another_without_gap(bucket: int) -> None:
    assert histogram.bounds(bucket)[1] + 1 == histogram.bounds(bucket + 1)[0]


@given(st.lists(st.integers(-5, 2**60), max_size=200))
def test_numpy_bins_as_plain_python_does(values: list[int]) -> None:
    expected = merged({bucket_of(value): 1} for value in values)
    assert histogram.bin_array(np.array(values, np.int64)) == expected


@given(st.lists(NANOSECONDS, max_size=100), st.lists(NANOSECONDS, max_size=100))
def test_merging_is_binning_everything_at_once(first: list[int], second: list[int]) -> None:
    parts = [histogram.bin_array(np.array(values, np.int64)) for values in (first, second)]
    assert merged(parts) == histogram.bin_array(np.array(first + second, np.int64))


@given(st.lists(NANOSECONDS, min_size=1, max_size=300), st.sampled_from([0.0, 0.5, 0.9, 0.97, 0.99, 0.999, 1.0]))
def test_a_percentile_is_the_element_that_loadgen_takes(values: list[int], fraction: float) -> None:
    exact = sorted(values)[min(floor(len(values) * fraction), len(values) - 1)]
    counts = histogram.bin_array(np.array(values, np.int64))
    assert histogram.percentile(counts, fraction) == histogram.value_of(bucket_of(exact))


def test_the_mean_is_within_the_error_of_a_bucket() -> None:
    values = np.array([100, 1000, 12_345, 10**9], np.int64)
    assert histogram.mean(histogram.bin_array(values)) == pytest.approx(values.mean(), rel=1 / 512)


def test_an_empty_histogram_has_neither_percentile_nor_mean() -> None:
    assert histogram.bin_array(np.array([], np.int64)) == {}
    assert histogram.percentile({}, 0.99) is None
    assert histogram.mean({}) is None


def test_adding_up_needs_no_numpy() -> None:
    program = "import sys, engine.histogram as h; h.percentile({5: 2}, 0.5); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
