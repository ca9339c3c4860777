"""After each run, every relevant finding of the checker is reported once."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import events
from engine.step import Step
from engine.steps.measuring.run_findings import warn_of
from engine.submission.checker.findings import Finding


def said(rules: dict[str, str], **how: object) -> list[str]:
    """Return the rules that the user is warned of."""
    told: list[events.AnyEvent] = []
    step = Step("run", "Measure", {}, {}, Path(), told.append)
    warn_of(step, [Finding(rule, severity, "x", "2", "3") for rule, severity in rules.items()], **how)  # type: ignore[arg-type]
    for event in told:
        assert isinstance(event, events.Warned)
        assert event.text.endswith(f" {event.rule}: 2 (expected: 3)")
        assert event.text.split()[0] in ("error", "warning")
        assert event.remedy
    return [event.rule for event in told if isinstance(event, events.Warned)]


SHORT = {"performance.min_duration": "warning", "performance.samples_per_query": "warning"}


@pytest.mark.parametrize(
    ("found", "how", "told"),
    [
        (SHORT, {}, list(SHORT)),
        (SHORT, {"style": "test"}, []),
        ({**SHORT, "performance.seed": "warning"}, {"style": "fast"}, ["performance.seed"]),
        ({"performance.warning": "note"}, {}, []),
        ({"performance.validity": "error", "performance.early_stopping": "warning"}, {}, ["performance.validity"]),
        ({"performance.early_stopping": "warning"}, {}, ["performance.early_stopping"]),
        ({"performance.sample_count": "error"}, {"reported": {"performance.sample_count"}}, []),
    ],
)
def test_what_is_said(found: dict[str, str], how: dict[str, object], told: list[str]) -> None:
    assert said(found, **how) == told
