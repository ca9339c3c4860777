"""The user's selection, before it is resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.profile.component import Override, Query


@dataclass(frozen=True)
class Selection:
    """The root component by tags and variations, and all changes made from outside."""

    query: Query
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of the root component, as written."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Inputs by their outside name, for the components that read them: IMAGENET_PATH."""
    overrides: Mapping[str, Override] = field(default_factory=dict)
    """Changes to dependencies by name, at any depth."""

    def words(self) -> tuple[str, ...]:
        """Return the command-line arguments that make this selection."""
        found = [f"--tags={self.query}"]
        found += [f"--{name}={value}" for name, value in self.options.items()]
        found += [f"--env.{name}={value}" for name, value in self.env.items()]
        for name, override in self.overrides.items():
            if str(override.add):
                found.append(f"--adr.{name}.tags={override.add}")
            if override.version:
                found.append(f"--adr.{name}.version={override.version}")
            found += [f"--adr.{name}.{option}={value}" for option, value in override.set.items()]
        return tuple(found)
