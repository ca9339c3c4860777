"""One LoadGen run, in a process of its own."""

import time

STARTED = time.monotonic()
"""Process start time: this package is the first import of a run's process."""
