"""The actions of the screen of one exploration, and why one is not possible for a trial."""

from __future__ import annotations

from engine.design_space.trial_table import TrialRow
from tui.actions import Action

ACTIONS = (
    Action("g", "graph", "chart", "the front as a chart: which objectives on its axes, or one by trial"),
    Action("w", "why", "why", "why the point under the cursor is better or worse: against default and neighbour"),
    Action("e", "effects", "effects", "what each value of an axis does to the objectives, on average"),
    Action("n", "notes", "notes", "noise, drift, disturbed trials, refused combinations, conditions"),
    Action("m", "promote", "promote", "open the plan of the valid run and submission of this trial's point"),
    Action("s", "stop", "stop", "stop the exploration after its present trial"),
    Action("r", "resume", "resume", "go on with the exploration"),
    Action("slash", "find", "filter", "show only trials that match: words, -word, standing:front, sessions>2"),
    Action("o", "order", "sort", "sort the trials by a column"),
    Action("t", "columns", "columns", "choose the columns of the trials; the choice is kept"),
    Action("x", "report", "report", "write the report as HTML, CSV, JSON, Markdown or text"),
    Action("v", "job", "open run", "show the run of this trial on the Run screen"),
    Action("a", "axis", "add axis", "add an axis or values, and go on with the exploration"),
    Action("z", "zoom", "zoom", "show the lower pane alone, or with the trials again"),
    Action("y", "copy", "copy command", "copy the command that measures this trial's point, or the exploration's"),
)


def why_not_trial(name: str, row: TrialRow | None) -> str | None:
    """Return why something can't be done with a trial."""
    if row is None:
        return "no trial is under the cursor"
    trial = row.trial
    if name == "promote" and trial.state == "refused":
        return f"trial {trial.number} was refused: {trial.reason}"
    if name == "job" and not trial.job:
        return f"trial {trial.number} never ran: {trial.reason}"
    if name == "job" and trial.sut:
        return f"its job is on another machine: {trial.job}"
    return None
