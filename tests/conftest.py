"""What holds for every test."""

from hypothesis import settings

# How long an example takes says something about the machine, and speed is measured in tests/benchmarks.
settings.register_profile("inferdeck", deadline=None)
settings.load_profile("inferdeck")
