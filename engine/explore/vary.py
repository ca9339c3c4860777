"""Vary one choice: the choices of a plan worth varying, the values to try, and the resulting selections.

Pure, like resolving, so that a screen may call it at every key press. The choices are those of the Plan screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.errors import UsageError, nearest
from engine.explore.runs import Run
from engine.plan.choices import Choice, choices, choose
from engine.plan.decide import RuleBook
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.selection import Selection
from engine.plan.selection_syntax import selection_of
from engine.profile.catalog import Catalog
from engine.profile.component import Option

NOT_VARIED = frozenset(
    "notice round benchmark scenarios modes compliance model_path sut category division preprocessing".split()
)
"""Choices that determine which measurements are made and for what, rather than how: varying them gives nothing to
compare."""
FIRST = ("backend", "model", "style", "sessions", "intra_op_threads", "max_batch", "queue_wait_us", "target_qps")
"""Choices varied most often."""
STEPS = (0.25, 0.5, 2.0, 4.0)
"""Values proposed for a number, as multiples of its present value."""
FEW = frozenset({"sessions", "intra_op_threads", "max_batch"})
"""Numbers for which powers of two are proposed while they are measured at the start."""
POWERS = 6
LEAST = 2
"""Minimum number of values of a choice worth varying."""


SCENARIO_ENV = "CM_LOADGEN_SCENARIO"
"""The tutorials' name for the option that narrowing sets."""


@dataclass(frozen=True)
class TrialValue:
    """A value to try."""

    value: str
    help: str = ""
    now: bool = False
    """Whether the run was made with it."""
    refused: str = ""
    """Why it is not available; empty where it is."""


@dataclass(frozen=True)
class Variable:
    """A choice with the values to try."""

    choice: Choice
    trials: tuple[TrialValue, ...]
    free: bool = False
    """Whether any other number may be tried too."""


def narrowed(run: Run) -> Selection:
    """Return the selection of a run's job, restricted to this run's scenario. Raises UsageError where it is unknown."""
    if not run.command:
        raise UsageError(f"how {run.id} was made is not known", "its job's plan can't be read: vary another run")
    selection, _ = selection_of(run.command)
    env = {name: value for name, value in selection.env.items() if name != SCENARIO_ENV}
    variations = tuple(name for name in selection.query.variations if name != "all-scenarios")
    query = replace(selection.query, variations=variations)
    return replace(selection, query=query, env=env, options={**selection.options, "scenarios": run.scenario})


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
            found.append(Variable(choice, tuple(_trials(catalog, plan, choice))))
    last = len(FIRST)
    return tuple(sorted(found, key=lambda one: FIRST.index(one.choice.name) if one.choice.name in FIRST else last))


def _trials(catalog: Catalog, plan: Plan, choice: Choice) -> Iterable[TrialValue]:
    """Yield the alternatives; of two names for one thing (_tf, _tensorflow) the first, or the one in use."""
    root = plan.nodes[plan.root]
    known = {} if choice.dependency else catalog.components[root.component].variations
    seen: list[tuple[object, ...]] = []
    for one in sorted(choice.alternatives, key=lambda one: one.value != choice.value):
        variation = known.get(one.value)
        does = (variation.set, variation.everywhere, variation.implies) if variation is not None else ()
        if not any(does) or does not in seen:
            seen.append(does)
            yield TrialValue(one.value, one.help, one.value == choice.value, one.refused)


def checked(
    catalog: Catalog, selection: Selection, variable: Variable, rules: RuleBook | None = None, round_name: str = ""
) -> Variable:
    """Return the choice with the resolver's reason at each value that conflicts with the rest of the selection."""
    trials = []
    for trial in variable.trials:
        refused = trial.refused
        if not refused and not trial.now:
            try:
                resolve(catalog, choose(catalog, selection, variable.choice, trial.value), rules, round_name)
            except UsageError as error:
                refused = error.what
        trials.append(TrialValue(trial.value, trial.help, trial.now, refused))
    return Variable(variable.choice, tuple(trials), variable.free)


def sweep(catalog: Catalog, selection: Selection, variable: Variable, values: Iterable[str]) -> tuple[Selection, ...]:
    """Return the selections that try these values, one each. Raises UsageError for a value that is not available."""
    known = {trial.value: trial for trial in variable.trials}
    found = []
    for value in values:
        if value not in known and not variable.free:
            raise UsageError(f"'{value}' is not allowed for {variable.choice.title}", nearest(value, known))
        if value in known and known[value].refused:
            raise UsageError(f"{variable.choice.title} can't be '{value}'", known[value].refused)
        found.append(choose(catalog, selection, variable.choice, value))
    return tuple(found)


def _numbers(option: Option, now: str) -> tuple[TrialValue, ...]:
    """Propose numbers around the present one; where there is none, powers of two for small counts."""
    if not now or not float(now):
        powers = [str(2**power) for power in range(POWERS)] if option.name in FEW else []
        return tuple(TrialValue(one) for one in powers)
    value = float(now)
    steps = [round(value * step) if option.type == "int" else value * step for step in STEPS]
    allowed = {one for one in steps if option.minimum is None or one >= option.minimum} | {value}
    return tuple(TrialValue(f"{one:.10g}", now=one == value) for one in sorted(allowed))
