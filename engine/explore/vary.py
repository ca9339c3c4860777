"""Vary one choice: which choices of a plan are worth trying, with which values, and the selections that try them.

Pure, like resolving: what a screen may ask at every key press. The choices themselves are those of the Plan screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.errors import UsageError, nearest
from engine.plan.choices import Choice, choices, choose
from engine.plan.decide import RuleBook
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.selection import Selection
from engine.profile.catalog import Catalog
from engine.profile.component import Option

NOT_VARIED = frozenset({"notice", "round", "benchmark", "scenarios", "modes", "compliance", "model_path", "sut"})
"""What says which measurements are made, rather than of what: another value would be nothing to compare with."""
STEPS = (0.25, 0.5, 2.0, 4.0)
"""What is proposed for a number, as multiples of its present value."""
FEW = frozenset({"sessions", "intra_op_threads", "max_batch"})
"""Numbers for which powers of two are proposed while they are measured at start."""
POWERS = 6
LEAST = 2
"""Values among which one can choose."""


@dataclass(frozen=True)
class Trial:
    """A value that could be tried."""

    value: str
    help: str = ""
    now: bool = False
    """It is what the run was made with."""
    refused: str = ""
    """Why it can't be had; empty where it can."""


@dataclass(frozen=True)
class Variable:
    """A choice with the values to try."""

    choice: Choice
    trials: tuple[Trial, ...]
    free: bool = False
    """Any other number may be tried, too."""


def variables(catalog: Catalog, plan: Plan) -> tuple[Variable, ...]:
    """Return the choices of a plan that are worth varying, in the order of the Plan screen."""
    options = catalog.components[plan.nodes[plan.root].component].options
    found = []
    for choice in choices(catalog, plan):
        if choice.name in NOT_VARIED or choice.key.startswith("switch "):
            continue
        option = options.get(choice.name) if choice.is_option and not choice.dependency else None
        if option is not None and option.type in ("int", "float"):
            found.append(Variable(choice, _numbers(option, choice.value), free=True))
        elif sum(not one.refused for one in choice.alternatives) >= LEAST:
            trials = (Trial(one.value, one.help, one.value == choice.value, one.refused) for one in choice.alternatives)
            found.append(Variable(choice, tuple(trials)))
    return tuple(found)


def named(found: Sequence[Variable], name: str) -> Variable:
    """Return the one whose choice has that title or key. Raises UsageError with the nearest."""
    for one in found:
        if name in (one.choice.title, one.choice.key):
            return one
    raise UsageError(f"'{name}' is no choice to vary here", nearest(name, (one.choice.title for one in found)))


def checked(
    catalog: Catalog, selection: Selection, variable: Variable, rules: RuleBook | None = None, round_name: str = ""
) -> Variable:
    """Return it with a reason at each value that the rest of the selection contradicts: the resolver's own."""
    trials = []
    for trial in variable.trials:
        refused = trial.refused
        if not refused and not trial.now:
            try:
                resolve(catalog, choose(catalog, selection, variable.choice, trial.value), rules, round_name)
            except UsageError as error:
                refused = error.what
        trials.append(Trial(trial.value, trial.help, trial.now, refused))
    return Variable(variable.choice, tuple(trials), variable.free)


def sweep(catalog: Catalog, selection: Selection, variable: Variable, values: Iterable[str]) -> tuple[Selection, ...]:
    """Return the selections that try these values, one each. Raises UsageError for a value that can't be had."""
    known = {trial.value: trial for trial in variable.trials}
    found = []
    for value in values:
        if value not in known and not variable.free:
            raise UsageError(f"'{value}' is not allowed for {variable.choice.title}", nearest(value, known))
        if value in known and known[value].refused:
            raise UsageError(f"{variable.choice.title} can't be '{value}'", known[value].refused)
        found.append(choose(catalog, selection, variable.choice, value))
    return tuple(found)


def _numbers(option: Option, now: str) -> tuple[Trial, ...]:
    """Propose numbers around the present one; where there is none, powers of two for what is counted in few."""
    if not now or not float(now):
        powers = [str(2**power) for power in range(POWERS)] if option.name in FEW else []
        return tuple(Trial(one) for one in powers)
    value = float(now)
    steps = [round(value * step) if option.type == "int" else value * step for step in STEPS]
    allowed = {one for one in steps if option.minimum is None or one >= option.minimum} | {value}
    return tuple(Trial(f"{one:.10g}", now=one == value) for one in sorted(allowed))
