"""Non-submittable run styles and the rules that they break by design.

Separate from the preflight because every plan shows it, and a plan must be instant.
"""

from __future__ import annotations

from engine.profile.rounds import Round

SHORT_RUN = ("performance.min_duration", "performance.samples_per_query", "performance.min_query_count")
"""Rules that a non-submittable style breaks because its runs are shorter than the rules require."""
BY_DESIGN = (*SHORT_RUN, "accuracy.data_set")
"""Rules that a demonstration breaks: short runs, and a small data set. Some rounds refuse that in any division."""


def try_out(style: str, rules: Round) -> str:
    """Return the notice of a non-submittable style; empty for a style of the rules."""
    titles = {str(name): rule.title for name, rule in rules.styles.items()}
    if style == "valid" or style not in titles:
        return ""
    broken = " and ".join(SHORT_RUN[:2])
    return (
        f"run style {style}: {titles[style]}; only _valid can be submitted. "
        f"The checker will report {broken}; that is expected"
    )
