"""One LoadGen run, in a process of its own."""

import time

STARTED = time.monotonic()
"""When the process began to load: importing this package is the first thing that a run's process does."""
