"""Run styles that only try things out: what is said of them, and what of them breaks the rules by design.

Apart from the preflight because every plan says it, and a plan must be instant.
"""

from __future__ import annotations

from engine.profile.rounds import Round

SHORT_RUN = ("performance.min_duration", "performance.samples_per_query", "performance.min_query_count")
"""The checker's rules that a try-out style breaks, because it is shorter than the rules want."""


def try_out(style: str, rules: Round) -> str:
    """Say what runs of a style are not, where it is no style of the rules; empty where it is."""
    titles = {str(name): rule.title for name, rule in rules.styles.items()}
    if style == "valid" or style not in titles:
        return ""
    broken = " and ".join(SHORT_RUN[:2])
    return f"run style {style}: {titles[style]}; only _valid can be handed in. The checker says {broken}, as expected"
