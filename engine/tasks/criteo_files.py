"""Files of the Criteo Terabyte data set, as they are published and as the rules' reference writes them.

Plans import this module, so it imports nothing heavy.
"""

from __future__ import annotations

TEST = "terabyte_processed_test.bin"
"""The test rows, as the converter of the reference writes them: little-endian int32 [rows, COLUMNS]. A row is the label
(0 or 1), the dense features (missing and negative ones 0; no logarithm yet) and the categorical ones as indices
of the embedding tables."""
TRACE = "dlrm_trace_of_aggregated_samples.txt"
"""The samples: one line `first row, end row, rows` each, the end exclusive."""
COUNTS = "day_fea_count.npz"
"""Sizes of the embedding tables: int32 [CATEGORICAL], named `counts`."""

DENSE = 13
CATEGORICAL = 26
BINARY_COLUMNS = 1 + DENSE + CATEGORICAL
ROW_BYTES = 4 * BINARY_COLUMNS

DAYS = 24
"""Files day_0 to day_23. The last one's first half, rounded up, is the test set."""
HASH_RANGE = 40_000_000
"""The rules' model takes categorical values modulo this number."""
