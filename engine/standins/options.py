"""The options that every stand-in has."""

from engine.step import Options


class SeedOptions(Options, frozen=True, kw_only=True):
    """Which random weights are made."""

    seed: int
