"""Estimate a LoadGen run before it starts: how long it takes, and whether it can work.

LoadGen prepares every query before it issues the first one. A target far from the machine's speed therefore uses up its
memory, or leaves a run without queries before its minimum duration is over.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.errors import CannotRunError
from engine.facts import ModelFacts, SamplesFacts
from engine.formats.onnx_files import weight_bytes
from engine.harness.spec import LoadGenSettings
from engine.mlperf import FACTS, NS_PER_MS
from engine.step import Artifact
from engine.system import free_memory
from engine.text import size

QUERY_BYTES: Final = 265
SAMPLE_BYTES: Final = 48
"""Bytes per query that LoadGen 6 has prepared, and per sample: measured, 314 for one and 646 for eight."""
OFFLINE_SAMPLE_BYTES: Final = 145
"""Bytes per sample of Offline's query while it is issued: measured, LoadGen's own and the two index lists."""

NEGLIGIBLE: Final = 256 << 20
"""Bytes below which memory is not checked; any machine that can load a model has that much."""

MUCH: Final = 4 << 30
"""Bytes of memory from which a plan mentions it."""

HOPELESS_FACTOR: Final = 2.0
"""Factor between measured and expected latency above which a run is refused: it would use up its queries in less than
half its time, and tuning is never that far off."""


def refuse_hopeless(settings: LoadGenSettings, option: str, measured_ms: float | None = None) -> None:
    """Raise CannotRunError where memory can't hold the queries, or where they can't last for the run.

    `option` sets the target, and is named in the remedy. `measured_ms` is the time of a query according to tuning
    (SingleStream, MultiStream); None where unknown.
    """
    if settings.mode == "accuracy":
        return
    queries, samples = prepared_queries(settings)
    needed = prepared_bytes(settings)
    if needed > NEGLIGIBLE and needed > (free := free_memory()):
        raise CannotRunError(
            f"LoadGen would prepare {_count(queries, samples)} before the run, which take {size(needed)} of memory: "
            f"{size(free)} are free",
            _remedy(settings, option, free),
        )
    if measured_ms is None or not FACTS[settings.scenario].streams:
        return
    if queries * measured_ms * HOPELESS_FACTOR < settings.min_duration_ms:
        expected = (settings.target_latency_ns or 0) / NS_PER_MS
        raise CannotRunError(
            f"LoadGen would prepare {queries} queries for an expected latency of {expected:g} ms, but tuning measured "
            f"{measured_ms:.3g} ms: it would run out of queries within {queries * measured_ms / 1000:.2g} s",
            f"leave --{option} out, or give --{option}={measured_ms:.3g}; or fix the system's file",
        )


def prepared_queries(settings: LoadGenSettings) -> tuple[int, int]:
    """Return the number of queries that LoadGen prepares for a performance run, and the samples of each."""
    seconds = settings.min_duration_ms / 1000
    if settings.scenario == "Offline":
        return 1, max(settings.min_sample_count, round(1.1 * seconds * (settings.target_qps or 0)), 1)
    if settings.scenario == "Server":
        return max(settings.min_query_count, round(seconds * (settings.target_qps or 0))), 1
    timed = (
        round(2 * settings.min_duration_ms * NS_PER_MS / settings.target_latency_ns)
        if settings.target_latency_ns
        else 0
    )
    return max(settings.min_query_count, timed), settings.samples_per_query if settings.scenario == "MultiStream" else 1


def prepared_bytes(settings: LoadGenSettings) -> int:
    """Return the minimum number of bytes that the queries of a performance run take."""
    queries, samples = prepared_queries(settings)
    if settings.scenario == "Offline":
        return samples * OFFLINE_SAMPLE_BYTES
    return queries * (QUERY_BYTES + samples * SAMPLE_BYTES)


def seconds(settings: LoadGenSettings, target: float | None, per_second: float | None) -> float | None:
    """Return about how many seconds LoadGen tests; None where that is unknown.

    `target` is in the unit of the scenario's target; `per_second` is Offline's samples per second according to tuning.
    """
    if settings.mode == "accuracy":
        return None
    least = settings.min_duration_ms / 1000
    if settings.scenario == "Offline":
        samples = prepared_queries(settings)[1]
        rate = per_second or settings.target_qps
        return samples / rate if rate and (per_second or target) else least
    if settings.scenario == "Server":
        takes = settings.min_query_count / settings.target_qps if settings.target_qps and target else 0.0
    else:
        takes = settings.min_query_count * target / 1000 if target else 0.0
    most = settings.max_duration_ms / 1000 if settings.max_duration_ms else max(least, takes)
    return min(max(least, takes), most)


def resident_bytes(sessions: int, model: Artifact, samples: Artifact, loaded: int) -> int:
    """Return the minimum number of bytes that a run holds: the weights of each session, those that all share, and the
    loaded samples.

    `loaded` is the number of samples in memory at a time.
    """
    made, known = model.read(ModelFacts), samples.read(SamplesFacts)
    paths = made.paths(model.folder)
    weights = sum(weight_bytes(Path(one)) for one in ([paths] if isinstance(paths, str) else paths.values()))
    own = max(weights - made.shared_bytes, 0)
    files = [one if isinstance(one, str) else one.values for one in known.paths(samples.folder)]
    stored = sum(Path(one).stat().st_size for one in files if Path(one).is_file())
    if (on_load := known.on_load) is not None:
        stored = on_load.count * on_load.bytes
    return made.shared_bytes + sessions * own + stored * min(loaded, known.count) // known.count


def refuse_memory(needed: int, sessions: int) -> None:
    """Raise CannotRunError where memory can't hold what a run holds (`resident_bytes`)."""
    if needed > NEGLIGIBLE and needed > (free := free_memory()):
        raise CannotRunError(
            f"{_sessions(sessions)} and the samples of a run take {size(needed)} of memory at least: "
            f"{size(free)} are free",
            "ask for fewer sessions (--sessions=1), or free some memory",
        )


def memory_text(needed: int, sessions: int) -> str:
    """Return the memory that a run needs as text; empty where it is less than MUCH."""
    return f"{_sessions(sessions)}: {size(needed)} of memory at least" if needed >= MUCH else ""


def _sessions(count: int) -> str:
    return "one session" if count == 1 else f"{count} sessions"


def _remedy(settings: LoadGenSettings, option: str, free: int) -> str:
    """Return the option, with a value, that makes the queries fit half of the free memory."""
    share = free / 2
    samples = prepared_queries(settings)[1]
    each = OFFLINE_SAMPLE_BYTES if settings.scenario == "Offline" else QUERY_BYTES + samples * SAMPLE_BYTES
    counted = settings.min_sample_count if settings.scenario == "Offline" else settings.min_query_count
    most = share / each
    if counted > most:
        return f"--min_query_count={_floor(most):.0f} or less"
    run = settings.min_duration_ms / 1000
    if settings.target_latency_ns is not None and settings.scenario != "Server":
        return f"--{option}={2000 * run / most * 1.01:.2g} or more, or a shorter run: --min_duration_ms"
    return f"--{option}={_floor(most / run / 1.1):.0f} or less, or a shorter run: --min_duration_ms"


def _floor(value: float) -> float:
    """Return a number rounded down to two digits."""
    step: int = 10 ** max(len(str(int(value))) - 2, 0)
    return int(value) // step * step


def _count(queries: int, samples: int) -> str:
    return f"{samples:,} samples" if queries == 1 else f"{queries:,} queries"
