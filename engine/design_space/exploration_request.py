"""An exploration as it is asked for, by options of the command line or by a YAML file; its specification."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

import engine
from engine.design_space import objectives
from engine.design_space.axis_words import axes_of
from engine.design_space.exploration_spec import BASELINE_EVERY, LONGER, ExplorationSpec, Sampler
from engine.design_space.objectives import Limit
from engine.design_space.points import every_point
from engine.design_space.samplers import require
from engine.design_space.space import Space, space, with_value
from engine.design_space.trials import Axis
from engine.errors import UsageError, nearest
from engine.plan.selection import Selection
from engine.plan.selection_syntax import of_recipe
from engine.profile import document, recipe_files
from engine.profile.run_rules import resolve_rules
from engine.survey.prepare import Prepared, Resolved, Workplace, prepare, resolved
from engine.system import detect
from engine.text import size as bytes_text

T = TypeVar("T")

KEYS = (
    *recipe_files.KEYS,
    *("name", "axes", "objectives", "constraints", "budget", "trials", "sampler", "seed"),
    *("seconds", "final_seconds", "baseline_every"),
)
_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(r"(?:(\d+(?:\.\d+)?)\s*(s|min|m|h|d)\s*)")
COUNTED = 100_000
"""Points up to which a space is counted."""
UNLIMITED = 2_000
"""Points up to which an exploration needs neither a budget nor a number of trials."""
JOB_SECONDS = 4.0
"""Time of a job around its runs: processes that start, a model that is loaded and warmed up."""
RUN = "loadgen-run"


@dataclass(frozen=True, kw_only=True)
class ExplorationRequest:
    """What was asked for; None and empty stand for what was not."""

    selection: Selection
    name: str = ""
    axes: tuple[Axis, ...] = ()
    objectives: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    budget: float | None = None
    trials: int | None = None
    sampler: str = ""
    seed: int = 0
    seconds: float | None = None
    final_seconds: float | None = None
    baseline_every: int = BASELINE_EVERY
    again: bool = False
    pool: str = ""
    profiles: tuple[str, ...] = ()


def of_file(path: Path) -> ExplorationRequest:
    """Read an exploration from a YAML file. Raises ProfileError with file, line and the nearest spelling."""
    keys = document.read(path).section(KEYS, required=("tags", "axes", "objectives"))

    def get(name: str, read: Callable[[str], T], usual: T) -> T:
        return _read(keys[name], read, _text(keys[name])) if name in keys else usual

    def lines(name: str) -> tuple[str, ...]:
        if name not in keys:
            return ()
        check = objectives.objectives_of if name == "objectives" else objectives.limits_of
        values = list(keys[name]) if isinstance(keys[name].plain(), list) else [keys[name]]
        for value in values:
            _read(value, lambda text: check([text]), _text(value))
        return tuple(_text(value) for value in values)

    return ExplorationRequest(
        selection=of_recipe(recipe_files.of_keys(keys, path.stem)),
        name=get("name", str, path.stem),
        axes=tuple(_axis(name, value) for name, value in keys["axes"].items()),
        objectives=lines("objectives"),
        constraints=lines("constraints"),
        budget=get("budget", seconds_of, None),
        trials=get("trials", whole_number, None),
        sampler=get("sampler", sampler_of, ""),
        seed=get("seed", whole_number, 0),
        seconds=get("seconds", positive, None),
        final_seconds=get("final_seconds", positive, None),
        baseline_every=get("baseline_every", whole_number, BASELINE_EVERY),
    )


def _axis(name: str, value: document.Value) -> Axis:
    return _read(value, lambda text: axes_of([f"{name}={text}"])[0], _text(value))


def _text(value: document.Value) -> str:
    plain = value.plain()
    if isinstance(plain, list):
        return ",".join(map(_word, plain))
    return _word(plain)


def _word(plain: Any) -> str:
    return f"{plain:.12g}" if isinstance(plain, float) else str(plain)


def _read(value: document.Value, read: Callable[[str], T], text: str) -> T:
    """Read a text of the file. Raises ProfileError with its place where the text is wrong."""
    try:
        return read(text)
    except UsageError as error:
        raise value.wrong(error.what, error.remedy) from None


def seconds_of(text: str) -> float:
    """Return the seconds of a budget: 45m, 1h30m, 90s. Raises UsageError for anything else."""
    parts = _TIME.findall(text)
    if not parts or _TIME.sub("", text).strip():
        raise UsageError(f"'{text}' is no time", "write it with its unit: 90s, 45m, 1h30m")
    found = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not found:
        raise UsageError(f"'{text}' leaves no time", "write 45m, for example")
    return found


def whole_number(text: str) -> int:
    """Return a whole number. Raises UsageError for anything else."""
    if not text.isdecimal() or not text.isascii() or len(text) > 9:
        raise UsageError(f"'{text}' is not a whole number", "write digits only")
    return int(text)


def positive(text: str) -> float:
    """Return a positive number of seconds. Raises UsageError for anything else."""
    try:
        found = float(text.removesuffix("s"))
    except ValueError:
        found = 0.0
    if not 0 < found <= 86400:
        raise UsageError(f"'{text}' is no duration in seconds", "write 10, for example; 86400 is the most")
    return found


def sampler_of(text: str) -> str:
    """Return the name of a sampler that can be used here. Raises UsageError for an unknown or missing one."""
    if text not in get_args(Sampler):
        raise UsageError(f"there is no sampler '{text}'", nearest(text, get_args(Sampler)))
    require(text)
    return text


def specification(place: Workplace, asked: ExplorationRequest) -> tuple[ExplorationSpec, Space]:
    """Resolve what was asked for; the specification has no name yet where none was given.

    Raises UsageError for what can't be explored, and as resolving the selection does.
    """
    resolved(place, asked.selection)  # a mistyped option first: it may be the missing axis
    if not asked.axes:
        raise UsageError("nothing is varied", "write --axis=NAME=V1,V2, for example --axis=sessions=1,2")
    wanted, limits = objectives.objectives_of(asked.objectives), objectives.limits_of(asked.constraints)
    base = _measured(place, asked.selection, [*(one.key for one in wanted), *(one.key for one in limits)])
    decided = resolved(place, base)
    _refuse_more(decided)
    limits = (*[_with_reference(decided, one) for one in limits], *_demanded(decided, limits))
    spread = space(place.catalog, base, asked.axes, lambda chosen: resolved(place, chosen).plan)
    _refuse_unmeasured(decided, asked.axes, [one.key for one in wanted])
    size = sum(1 for _ in zip(every_point(spread.axes), range(COUNTED), strict=False))
    if size > UNLIMITED and asked.budget is None and asked.trials is None:
        many = f"{COUNTED:,} points or more" if size == COUNTED else f"{size:,} points"
        raise UsageError(f"the space has {many}", "give --budget=2h, or --trials=N")
    seen = prepare(place, base)
    expected = _run_seconds(seen, asked.seconds) + JOB_SECONDS
    spec = ExplorationSpec(
        name=asked.name,
        words=decided.selection.words(),
        profiles=asked.profiles,
        axes=spread.axes,
        objectives=wanted,
        limits=limits,
        sampler=_sampler(asked, size, expected),
        seed=asked.seed,
        budget=asked.budget,
        trials=asked.trials,
        seconds=asked.seconds,
        final_seconds=_final(decided, asked),
        baseline_every=max(asked.baseline_every, 1),
        again=asked.again,
        pool=asked.pool,
        created=time.time(),
        default=spread.default,
        size=size,
        expected=expected,
        machine=machine(),
        versions=versions(),
    )
    return spec, spread


def machine() -> dict[str, str]:
    """Return what a report says of this machine."""
    seen = detect()
    quota = f", quota {seen.cpu.quota:g}" if seen.cpu.quota else ""
    return {
        "processor": seen.cpu.model,
        "cores": f"{seen.cpu.allowed_cores} of {seen.cpu.logical_cores} logical{quota}",
        "memory": bytes_text(seen.memory.usable),
        "system": f"{seen.os.name}, kernel {seen.os.kernel}",
    }


def versions() -> dict[str, str]:
    """Return the versions that a report names; a backend's is in the record of each run."""
    found = {"inferdeck": engine.VERSION, "Python": platform.python_version()}
    for name, package in (("LoadGen", "mlcommons-loadgen"), ("ONNX Runtime", "onnxruntime"), ("OpenVINO", "openvino")):
        with suppress(PackageNotFoundError):
            found[name] = version(package)
    return found


def _measured(place: Workplace, chosen: Selection, keys: Sequence[str]) -> Selection:
    """Return the selection with the scenarios that the figures need."""
    scenarios = objectives.scenarios_of(keys)
    if not scenarios:
        return chosen
    given = resolved(place, chosen).plan
    root = given.nodes[given.root]
    if tuple(root.values().get("scenarios") or ()) == scenarios:
        return chosen
    owner = place.catalog.components[root.component]
    return with_value(place.catalog, chosen, "scenarios", (owner,), ",".join(scenarios))


def _refuse_more(decided: Resolved) -> None:
    """Raise UsageError for a selection that does more than measure."""
    nodes = decided.plan.nodes.values()
    if not any(node.component == RUN for node in nodes):
        raise UsageError("nothing of this selection measures", "select a benchmark: --tags=app,mlperf,inference,...")
    for node in nodes:
        if node.component in ("generate-submission", "compliance"):
            raise UsageError(
                f"an exploration measures only, and this selection makes a {node.component.replace('-', ' of a ')}",
                "leave _submission and _compliance out; inferdeck explore promote runs a point with them",
            )


def _refuse_unmeasured(decided: Resolved, axes: Sequence[Axis], keys: Sequence[str]) -> None:
    """Raise UsageError where an objective would be equal at every point, or this machine has no figure for it."""
    from engine.system.usage import energy  # noqa: PLC0415

    values = decided.plan.nodes[decided.plan.root].values()
    rates = {"target_qps", "server_target_qps"}
    if "Server" in keys and values.get("targets") != "searched" and not rates & {axis.name for axis in axes}:
        raise UsageError(
            "Server's result is the rate that it was asked for, which no axis varies",
            "add --axis=server_target_qps=LOW:HIGH:log2, or let each trial search it: _find-performance in --tags",
        )
    if any(key.endswith("energy_per_sample") for key in keys) and not energy():
        raise UsageError(
            "the energy counters of this machine can't be read",
            "it needs Intel RAPL (/sys/class/powercap/intel-rapl:0/energy_uj) and the right to read it",
        )


def _with_reference(decided: Resolved, limit: Limit) -> Limit:
    """Return a constraint on the accuracy in per cent with the reference of the rules, where the model is that."""
    root = decided.plan.nodes[decided.plan.root]
    is_reference = any(one.group == "model" and one.name == "reference" for one in root.variations)
    rule = _accuracy(decided)
    if limit.percent and limit.key == "accuracy" and is_reference and rule:
        return msgspec.structs.replace(limit, reference=rule[0])
    return limit


def _demanded(decided: Resolved, limits: Sequence[Limit]) -> tuple[Limit, ...]:
    """Return the accuracy that the division demands, where no constraint on it was given."""
    values = decided.plan.nodes[decided.plan.root].values()
    rule = _accuracy(decided)
    if values.get("division") != "closed" or not rule or any(one.key == "accuracy" for one in limits):
        return ()
    return (Limit(key="accuracy", at_least=True, bound=rule[1], why="the closed division demands it"),)


def _accuracy(decided: Resolved) -> tuple[float, float] | None:
    """Return the reference accuracy of the benchmark in per cent, and the target; None where there is none."""
    values = decided.plan.nodes[decided.plan.root].values()
    try:
        ruled = resolve_rules(decided.workplace.round(decided.round), str(values["benchmark"]), "Offline")
    except (KeyError, UsageError):
        return None
    rule = next((one for one in ruled.accuracy if one.has_target), None)
    return (rule.reference or rule.target, rule.target) if rule is not None else None


def _run_seconds(seen: Prepared, asked: float | None) -> float:
    """Return how long the runs of a trial take, as the survey estimates them."""
    nodes = [node for node in seen.plan.nodes.values() if node.component == RUN]
    own = [seen.seen.seen[node.id].seconds or 0.0 for node in nodes if node.options["mode"].value == "performance"]
    return sum(max(one, asked or 0.0) for one in own) or 10.0


def _final(decided: Resolved, asked: ExplorationRequest) -> float | None:
    """Return the duration of the finalists' runs; None in the style valid, whose runs are as long as the rules want."""
    if asked.final_seconds is not None:
        return asked.final_seconds
    values = decided.plan.nodes[decided.plan.root].values()
    if values.get("style") == "valid":
        return None
    usual = decided.workplace.round(decided.round).styles[str(values.get("style", "test"))].min_duration_ms or 0  # type: ignore[index]
    short = asked.seconds or (values.get("min_duration_ms") or usual) / 1000
    return LONGER * short if short else None


def _sampler(asked: ExplorationRequest, size: int, expected: float) -> Sampler:
    """Return the sampler: what was asked for; else all points where they fit, and Optuna's or a random choice else."""
    if asked.sampler:
        return sampler_of(asked.sampler)  # type: ignore[return-value]
    room = asked.budget / expected if asked.budget is not None else float("inf")
    if size <= min(room, asked.trials or float("inf")):
        return "grid"
    return "tpe" if find_spec("optuna") is not None else "random"
