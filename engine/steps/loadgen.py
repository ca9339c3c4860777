"""One LoadGen run as a step: put the spec together, start the harness in its own process, read its logs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

import msgspec

import engine
from engine import codec, events
from engine.crashes import crash
from engine.errors import RunError
from engine.facts import BackendFacts, ModelFacts, SamplesFacts
from engine.harness.conf import audit_config, mlperf_conf, user_conf
from engine.harness.goal import measuring
from engine.harness.settings import NS_PER_MS, Overrides, settings
from engine.harness.spec import REPORT, LoadGenSettings, RunReport, RunSpec, Workers
from engine.harness.tuned import Tuned
from engine.mlperf import DETAIL_LOG, FACTS, Mode, target_option
from engine.mlperf_logs import detail
from engine.mlperf_logs.metric import metric
from engine.models import onnx_files
from engine.profile.catalog import profile_file
from engine.profile.rounds import Round, load_round
from engine.step import Artifact, Look, Sight, Step
from engine.steps.foresight import refuse_crowded, refuse_hopeless, seconds
from engine.steps.listening import heard
from engine.steps.target import NO_RATE_HELPS, beyond_the_bound, foreseen_target, late_though_idle, target
from engine.submission import provenance
from engine.system import isolation

SPEC = "spec.json"
TEST_FOLDER = "performance"
"""Where in the output of a compliance test LoadGen's files are: beside them come those of its verification."""
MOST_SAID = 1 << 20
"""Bytes of the end of the harness's errors that are kept; a backend may repeat a warning for hours."""
MENDABLE = 3
"""Exit status of the harness for something that a person can mend."""

OVERRIDES = (
    "min_duration_ms",
    "min_query_count",
    "max_query_count",
    "performance_sample_count",
    "target_qps",
    "target_latency_ms",
)

USED_UP = "Ran out of generated queries"
"""LoadGen's words where a target was so far off that a run had no query left before its time was over."""

CUT_SHORT = "Max test duration reached"
"""LoadGen's words where a run hit the limit of a try-out style: the figures are real, the run is not valid."""

TOO_FEW = "performance.sample_count"
"""The checker's rule that a small data set breaks: said before the run."""


def survey(look: Look) -> Sight:
    """Estimate how long the run takes, by what tuning has measured where that is known.

    Raises CannotRunError for a run that can't work: its queries do not fit the memory, or do not last.
    """
    options = look.options
    rules = round_of(look.profiles, options["round"])
    samples = look.inputs["preprocessed"]
    count = (
        samples.read(SamplesFacts).count if samples is not None else rules.benchmark(options["benchmark"]).sample_count
    )
    target = foreseen_target(look, rules)
    made = _settings(options, rules, count, target)
    workers = look.inputs["workers"]
    tuned = workers.read(Tuned) if workers is not None else None
    query_ms = _query_ms(made, tuned)
    refuse_hopeless(options, made, query_ms)
    if (model := look.inputs.get("model")) is not None:
        refuse_crowded(options.get("sessions") or 1, _weight_bytes(model))
    per_second = tuned.trial("Offline").samples_per_second if tuned is not None else None
    takes = seconds(made, _given(options) or query_ms or target, per_second)
    beyond = beyond_the_bound(options, tuned, rules) if tuned is not None and made.mode == "performance" else ""
    return Sight("run", seconds=takes, text=beyond)


def _query_ms(made: LoadGenSettings, tuned: Tuned | None) -> float | None:
    """Return what a query takes by tuning, in a scenario that issues one after the other."""
    if tuned is None or not FACTS[made.scenario].streams:
        return None
    return tuned.trial(made.scenario).batch_ms


def _given(options: Mapping[str, Any]) -> float | None:
    """Return the target that the person gives of this scenario."""
    facts, own = FACTS[options["scenario"]], target_option(options["scenario"])
    found: float | None = options[own] if options.get(own) is not None else options[facts.target]
    return None if facts.streams else found


def run(step: Step) -> dict[str, Any]:
    """Measure. The output folder gets LoadGen's files, the configuration files, `spec.json` and, last, `run.json`.

    The mode is `performance`, `accuracy`, or the name of a compliance test; a test's files of LoadGen and of its
    configuration are in TEST_FOLDER. Facts: `valid` (None in accuracy mode), `metric`, `value`, `unit`, and where other
    work did, `disturbed`. Raises RunError in the harness's words.
    """
    rules = round_of(step.profiles, step.options["round"])
    run_spec = spec(step, target(step, rules))
    spec_file = step.output / SPEC
    spec_file.write_bytes(codec.encode(run_spec, indent=1))
    (step.output / provenance.FILE).write_bytes(codec.encode(_provenance(step), indent=1))
    rule = rules.scenarios[run_spec.settings.scenario]
    count = step.inputs["preprocessed"].read(SamplesFacts).count
    step.emit(measuring(run_spec, rule, step.options["mode"], count))
    harness(step, spec_file)
    disturbed = codec.decode((Path(run_spec.log_dir) / REPORT).read_bytes(), type=RunReport).disturbed
    return _read(step, run_spec) | ({provenance.DISTURBED: disturbed} if disturbed else {})


def _provenance(step: Step) -> provenance.Provenance:
    options, model = step.options, step.inputs["model"].read(ModelFacts)
    backend = step.inputs["backend"].read(BackendFacts)
    return provenance.Provenance(
        inferdeck=engine.VERSION,
        command=step.command,
        notice=step.notice,
        round=options["round"],
        benchmark=options["benchmark"],
        sut=options["sut"],
        scenario=options["scenario"],
        mode=options["mode"],
        style=options["style"],
        backend=options["backend"],
        backend_version=backend.version,
        device=backend.device,
        environment={name: value for name, value in backend.environment.items() if name != "python"},
        settings=backend.settings,
        samples=step.inputs["preprocessed"].read(SamplesFacts).count,
        stand_in=model.stand_in,
        model=_measured(model, backend.measured),
        model_sha256=model.sha256,
        calibration=model.calibration,
    )


def _measured(model: ModelFacts, backend: Mapping[str, str]) -> dict[str, str]:
    """Return what the measurements file says of the model, with what the backend makes of it."""
    found = {name: str(getattr(model, name)) for name in provenance.MEASUREMENTS}
    if found["weight_data_types"] == "fp32":  # what was quantized before stays so
        before = found["weight_transformations"]
        found |= backend
        if "weight_transformations" in backend and before != "none":
            found["weight_transformations"] = f"{before}; {backend['weight_transformations']}"
    return found


def spec(step: Step, target: float) -> RunSpec:
    """Return what the harness is told of a run with this target, in the unit of its scenario; an option beats it.

    Raises CannotRunError where the data set or an option does not fit the rules.
    """
    options, inputs = step.options, step.inputs
    rules = round_of(step.profiles, options["round"])
    test = _test(options)
    model, samples = inputs["model"].read(ModelFacts), inputs["preprocessed"].read(SamplesFacts)
    backend = inputs["backend"].read(BackendFacts)
    made = _settings(options, rules, samples.count, target)
    refuse_hopeless(options, made, _query_ms(made, inputs["workers"].read(Tuned)))
    workers = _workers(step)
    refuse_crowded(workers.sessions, _weight_bytes(inputs["model"]))
    least = rules.benchmark(options["benchmark"]).performance_sample_count
    if made.mode == "performance" and made.performance_sample_count < least:
        step.warn(
            f"the data set has {samples.count} samples; the rules want {least} in a performance run: "
            "this result can't be handed in",
            rule=TOO_FEW,
        )
    return RunSpec(
        step=step.id,
        benchmark=rules.benchmark(options["benchmark"]).loadgen_model,
        sut_name=options["sut"],
        qsl_name=options["benchmark"],
        settings=made,
        backend=backend.module,
        backend_options=backend.settings,
        device=backend.device,
        model=model.paths(inputs["model"].folder),
        outputs=model.outputs,
        task=options["task"],
        task_options=model.task_options,
        samples=samples.paths(inputs["preprocessed"].folder),
        workers=workers,
        mlperf_conf=mlperf_conf(rules),
        user_conf=user_conf(rules, options["benchmark"], made),
        audit=audit_config(rules, options["benchmark"], test) if test else "",
        log_dir=str(step.output / TEST_FOLDER if test else step.output),
    )


def round_of(folders: tuple[Path, ...], name: str) -> Round:
    """Return the rules of a round."""
    path = profile_file(folders, "rounds", name)
    return _read_round(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_round(path: Path, _changed: int) -> Round:
    """Read once for all runs of a plan, and again when the file has changed."""
    return load_round(path)


def _test(options: Any) -> str | None:
    """Return the compliance test that the mode names, if it names one."""
    mode: str = options["mode"]
    return None if mode in get_args(Mode) else mode


def _settings(options: Any, rules: Round, sample_count: int, target: float | None) -> LoadGenSettings:
    given = {name: options[name] for name in OVERRIDES if options[name] is not None}
    scenario = options["scenario"]
    own = target_option(scenario)
    if options.get(own) is not None:
        given[FACTS[scenario].target] = options[own]
    if FACTS[scenario].streams:
        given.pop("target_qps", None)
    elif scenario == "Offline":
        given.pop("target_latency_ms", None)
    return settings(
        rules,
        options["benchmark"],
        scenario,
        "accuracy" if options["mode"] == "accuracy" else "performance",
        options["style"],
        sample_count=sample_count,
        target=target,
        overrides=Overrides(**given),
        test=_test(options),
    )


def _weight_bytes(model: Artifact) -> int:
    """Return the bytes of all graphs of a model."""
    paths = model.read(ModelFacts).paths(model.folder)
    return sum(onnx_files.size(Path(path)) for path in ([paths] if isinstance(paths, str) else paths.values()))


def _workers(step: Step) -> Workers:
    """Take what was measured at start, changed by what the person asked for."""
    chosen = step.inputs["workers"].read(Tuned).workers[step.options["scenario"]]
    given = {
        name: step.options[name]
        for name in ("sessions", "intra_op_threads", "max_batch", "queue_wait_us")
        if step.options[name] is not None
    }
    if "sessions" in given or "intra_op_threads" in given:
        chosen = msgspec.structs.replace(chosen, cores=(), batch_us=())  # both were measured for another split
    elif given.get("max_batch", 0) > len(chosen.batch_us):
        chosen = msgspec.structs.replace(chosen, batch_us=())
    return msgspec.structs.replace(chosen, **given)


def harness(step: Step, spec_file: Path) -> None:
    """Run the harness in a process of its own and pass on what it reports.

    It is killed where `step.emit` raises, and where it hangs. Raises RunError in its own words, or in those of its end.
    """
    read_end, write_end = os.pipe()
    words = [*isolation.here().words, "-m", "engine.harness.main", str(spec_file), "--events-fd", str(write_end)]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stderr=errors, pass_fds=(write_end,), cwd=step.output
        )
        os.close(write_end)
        try:
            for event in heard(read_end):
                step.emit(event)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            os.close(read_end)
        status = process.wait()
        errors.seek(max(errors.seek(0, os.SEEK_END) - MOST_SAID, 0))
        said = errors.read().decode("utf-8", "replace")
    if said:
        sys.stderr.write(said)
    lines = said.strip().splitlines()
    if status == MENDABLE and lines:
        last = codec.decode(lines[-1].encode(), dict[str, str])
        raise RunError(last["what"], last["remedy"])
    if status:
        raise crash("the harness", status, lines[-60:], "the step's log")


def cut_short(log: detail.Detail) -> bool:
    """Say whether a run hit the limit of its style. Raises RunError for any other error that LoadGen reports."""
    faults = [str(message.value) for message in log.errors]
    for fault in faults:
        if USED_UP in fault:
            raise _used_up(log)
        if CUT_SHORT not in fault:
            raise RunError(f"LoadGen reports an error: {fault}", f"see {DETAIL_LOG} in the step's output")
    return bool(faults)


def _used_up(log: detail.Detail) -> RunError:
    """Return what to say of a run that had too few queries: which figure was wrong, and what was measured."""
    scenario = str(log.value("effective_scenario", "SingleStream"))
    option = FACTS.get(scenario, FACTS["SingleStream"]).target
    latency = log.value("result_mean_query_latency_ns", log.value("result_mean_latency_ns"))
    measured = f"{latency / NS_PER_MS:.3g}" if isinstance(latency, int | float) and latency > 0 else ""
    return RunError(
        "LoadGen ran out of queries: it prepares as many as fit the expected latency"
        + (f", and a query took {measured} ms" if measured else ", and queries took less"),
        f"leave --{option} out, or give --{option}={measured or 'MS'}; or mend the system's file",
    )


def _read(step: Step, spec: RunSpec) -> dict[str, Any]:
    """Read the outcome from the detail log, which is what the rules' checker reads too."""
    log = detail.read(Path(spec.log_dir) / DETAIL_LOG)
    cut = cut_short(log)
    if cut:
        step.warn("the run was cut at the time limit of its style, so it is not valid; _valid has no limit")
    if spec.settings.mode == "accuracy":
        return {"valid": None, "metric": None, "value": None, "unit": ""}
    found = metric(log, spec.settings.scenario)
    value = found.value or None  # 0 is LoadGen's way to say that there were too few queries for an estimate
    valid = log.value("result_validity") == "VALID" and not cut
    unit = "ms" if found.unit.startswith("Latency") else found.unit
    step.emit(
        events.Measured(
            at=time.time(),
            step=step.id,
            scenario=spec.settings.scenario,
            mode=step.options["mode"],
            metric=FACTS[spec.settings.scenario].result_name,
            value=value,
            unit=unit,
            valid=valid,
        )
    )
    late = "" if valid else _late_though_idle(spec.settings, step.inputs["workers"].read(Tuned), log)
    if late:
        step.warn(late, remedy=NO_RATE_HELPS)
    said = {TOO_FEW, *({"performance.validity"} if cut else ()), *({"performance.latency"} if late else ())}
    _say_findings(step, spec, said)
    return {"valid": valid, "metric": FACTS[spec.settings.scenario].result_name, "value": value, "unit": unit}


def _late_though_idle(made: LoadGenSettings, tuned: Tuned, log: detail.Detail) -> str:
    share = made.target_latency_percentile or 0.99
    median, late = (log.value(f"result_{100 * one:.2f}_percentile_latency_ns", 0) for one in (0.5, share))
    return late_though_idle(made, tuned, median, late)


def _say_findings(step: Step, spec: RunSpec, said: Collection[str]) -> None:
    from engine.steps import findings  # noqa: PLC0415  (the checker: a plan must be instant and needs none of it)
    from engine.submission.checker import single  # noqa: PLC0415

    options = step.options
    what = findings.about(options, round_of(step.profiles, options["round"]))
    findings.say(
        step, single.performance_run(Path(spec.log_dir), what, _test(options)), style=options["style"], said=said
    )
