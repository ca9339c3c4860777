"""Whether the LoadGen of this machine is one that the round approves, and which one to install."""

from __future__ import annotations

from engine.facts import InstalledFacts
from engine.plan.plan import Plan
from engine.profile.rounds import Round
from engine.submission.preflight import Expected
from engine.survey.survey import Survey


def unapproved(plan: Plan, seen: Survey, rules: Round) -> Expected | None:
    """Return what to say of a LoadGen that the round does not approve; None of another, or where none is installed."""
    artifact = next((seen.seen[node.id].artifact for node in plan.nodes.values() if node.component == "loadgen"), None)
    version = artifact.read(InstalledFacts).version if artifact is not None else ""
    approved = rules.loadgen.approved
    if not version or any(f"{version}.".startswith(f"{one}.") for one in approved):
        return None
    what = f"LoadGen {version} is not an approved version of round {rules.name}: {', '.join(approved)}"
    if not rules.loadgen.package:
        return Expected("note", what, "there is no wheel of one", "machine")
    return Expected("warning", what, f"pip install mlcommons-loadgen=={rules.loadgen.package}", "machine")
