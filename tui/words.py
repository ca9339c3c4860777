"""The parsed command line for the commands of the screen; engine.cli parses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Given(Protocol):
    """The options that were given."""

    @property
    def flags(self) -> frozenset[str]:
        """Those without a value."""

    @property
    def values(self) -> Mapping[str, str]:
        """Those with a value, by name."""
