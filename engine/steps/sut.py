"""Look up the run configuration of the system under test."""

from __future__ import annotations

import msgspec

from engine.profile.systems import configuration
from engine.steps.base import Artifact, Look, Sight
from engine.store.files import digest


def survey(look: Look) -> Sight:
    """Find the configuration. Options: `sut`, `benchmark`, `backend`; facts: those of `Configuration`."""
    options = look.options
    found = configuration(look.profiles, options["sut"], options["benchmark"], options["backend"])
    facts = msgspec.to_builtins(found)
    figures = ", ".join(f"{scenario} {figure:g}" for scenario, figure in found.figures.items())
    return Sight(
        "found", Artifact("", facts), identity=digest(str(facts)), text=figures or "targets are measured at start"
    )
