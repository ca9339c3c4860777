"""What a LoadGen run is going to be, said before it starts: how long it takes, and why it can't work.

LoadGen prepares every query before the first one is issued. A target that is far from what the machine does therefore
takes all of its memory, or leaves a run without queries before its time is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.errors import CannotRunError
from engine.facts import ModelFacts, SamplesFacts
from engine.formats.onnx_files import weight_bytes
from engine.harness.settings import NS_PER_MS
from engine.harness.spec import LoadGenSettings
from engine.mlperf import FACTS, Scenario, target_option
from engine.step import Artifact
from engine.system import free_memory
from engine.text import size

QUERY_BYTES: Final = 265
SAMPLE_BYTES: Final = 48
"""Of a query that LoadGen 6 has prepared, and of each of its samples: measured, 314 for one and 646 for eight."""
OFFLINE_SAMPLE_BYTES: Final = 145
"""Of a sample of Offline's one query while it is issued: measured, LoadGen's own and the two lists of numbers."""

NEGLIGIBLE: Final = 256 << 20
"""Bytes; every machine that can load a model has that much."""

MUCH: Final = 4 << 30
"""Bytes of memory that a plan speaks of."""

USED_UP: Final = 2.0
"""Refused is a latency to expect with which a run has all its queries in less than half its time: tuning is not so far
off the mark."""


def refuse_hopeless(options: Mapping[str, Any], made: LoadGenSettings, measured_ms: float | None = None) -> None:
    """Raise CannotRunError where the memory can't hold the queries, or where they can't last for the run.

    `measured_ms` is what a query takes by tuning (SingleStream, MultiStream); None where that is not known.
    """
    if made.mode == "accuracy":
        return
    queries, samples = prepared(made)
    needed = prepared_bytes(made)
    if needed > NEGLIGIBLE and needed > (free := free_memory()):
        raise CannotRunError(
            f"LoadGen would prepare {_count(queries, samples)} before the run, which take {size(needed)} of memory: "
            f"{size(free)} are free",
            _remedy(options, made, free),
        )
    if measured_ms is None or not FACTS[made.scenario].streams:
        return
    if queries * measured_ms * USED_UP < made.min_duration_ms:
        option = _target_option(options, made.scenario)
        expected = (made.target_latency_ns or 0) / NS_PER_MS
        raise CannotRunError(
            f"LoadGen would prepare {queries} queries for an expected latency of {expected:g} ms, but tuning measured "
            f"{measured_ms:.3g} ms: it would run out of queries within {queries * measured_ms / 1000:.2g} s",
            f"leave --{option} out, or give --{option}={measured_ms:.3g}; or mend the system's file",
        )


def refuse_crowded(sessions: int, weights: int) -> None:
    """Raise CannotRunError where the memory can't hold the weights, in bytes, once for each session."""
    needed = sessions * weights
    if needed > NEGLIGIBLE and needed > (free := free_memory()):
        fits = free // weights
        raise CannotRunError(
            f"{sessions} session{'s' if sessions > 1 else ''} with {size(weights)} of weights each need more than "
            f"{size(needed)} of memory: {size(free)} are free",
            f"--sessions={fits}" if fits else "end other programs, or take a smaller model",
        )


def prepared(made: LoadGenSettings) -> tuple[int, int]:
    """Return how many queries LoadGen prepares for a performance run, and how many samples each has."""
    seconds = made.min_duration_ms / 1000
    if made.scenario == "Offline":
        return 1, max(made.min_sample_count, round(1.1 * seconds * (made.target_qps or 0)), 1)
    if made.scenario == "Server":
        return max(made.min_query_count, round(seconds * (made.target_qps or 0))), 1
    timed = round(2 * made.min_duration_ms * NS_PER_MS / made.target_latency_ns) if made.target_latency_ns else 0
    return max(made.min_query_count, timed), made.samples_per_query if made.scenario == "MultiStream" else 1


def prepared_bytes(made: LoadGenSettings) -> int:
    """Return the bytes that the queries of a performance run take at the least."""
    queries, samples = prepared(made)
    if made.scenario == "Offline":
        return samples * OFFLINE_SAMPLE_BYTES
    return queries * (QUERY_BYTES + samples * SAMPLE_BYTES)


def seconds(made: LoadGenSettings, target: float | None, per_second: float | None) -> float | None:
    """Return about how long LoadGen tests; None where it can't be told.

    `target` is in the unit of the scenario's target; `per_second` are the samples that Offline answers, by tuning.
    """
    if made.mode == "accuracy":
        return None
    least = made.min_duration_ms / 1000
    if made.scenario == "Offline":
        samples = prepared(made)[1]
        rate = per_second or made.target_qps
        return samples / rate if rate and (per_second or target) else least
    if made.scenario == "Server":
        takes = made.min_query_count / made.target_qps if made.target_qps and target else 0.0
    else:
        takes = made.min_query_count * target / 1000 if target else 0.0
    most = made.max_duration_ms / 1000 if made.max_duration_ms else max(least, takes)
    return min(max(least, takes), most)


def resident_bytes(sessions: int, model: Artifact, samples: Artifact, loaded: int) -> int:
    """Return the bytes that a run holds at the least: the weights of each session, and the samples that are loaded.

    `loaded` is how many samples are in memory at a time.
    """
    paths, known = model.read(ModelFacts).paths(model.folder), samples.read(SamplesFacts)
    weights = sum(weight_bytes(Path(one)) for one in ([paths] if isinstance(paths, str) else paths.values()))
    files = [one if isinstance(one, str) else one.values for one in known.paths(samples.folder)]
    stored = sum(Path(one).stat().st_size for one in files if Path(one).is_file())
    if (made := known.on_load) is not None:
        stored = made.count * made.bytes
    return sessions * weights + stored * min(loaded, known.count) // known.count


def refuse_memory(needed: int, sessions: int) -> None:
    """Raise CannotRunError where the memory can't hold what a run holds (`resident_bytes`)."""
    if needed > NEGLIGIBLE and needed > (free := free_memory()):
        raise CannotRunError(
            f"{_sessions(sessions)} and the samples of a run take {size(needed)} of memory at the least: "
            f"{size(free)} are free",
            "ask for fewer sessions (--sessions=1), or free some memory",
        )


def memory_text(needed: int, sessions: int) -> str:
    """Say what a run holds in memory, where that is much; empty elsewhere."""
    return f"{_sessions(sessions)}: {size(needed)} of memory at the least" if needed >= MUCH else ""


def _sessions(count: int) -> str:
    return "one session" if count == 1 else f"{count} sessions"


def _remedy(options: Mapping[str, Any], made: LoadGenSettings, free: int) -> str:
    """Say which option leaves the queries half of the free memory, with the figure that does."""
    share, option = free / 2, _target_option(options, made.scenario)
    each = QUERY_BYTES + prepared(made)[1] * SAMPLE_BYTES if made.scenario != "Offline" else OFFLINE_SAMPLE_BYTES
    counted = made.min_sample_count if made.scenario == "Offline" else made.min_query_count
    most = share / each
    if counted > most:
        return f"--min_query_count={_floor(most):.0f} or less"
    run = made.min_duration_ms / 1000
    if made.target_latency_ns is not None and made.scenario != "Server":
        return f"--{option}={2000 * run / most * 1.01:.2g} or more, or a shorter run: --min_duration_ms"
    return f"--{option}={_floor(most / run / 1.1):.0f} or less, or a shorter run: --min_duration_ms"


def _floor(value: float) -> float:
    """Return two digits of a number, never more than it."""
    step: int = 10 ** max(len(str(int(value))) - 2, 0)
    return int(value) // step * step


def _target_option(options: Mapping[str, Any], scenario: Scenario) -> str:
    own = target_option(scenario)
    return own if options.get(own) is not None else FACTS[scenario].target


def _count(queries: int, samples: int) -> str:
    return f"{samples:,} samples" if queries == 1 else f"{queries:,} queries"
