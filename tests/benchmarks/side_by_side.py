"""The harness beside a baseline that works as the rules' reference does, and beside the best bare loop.

`python -m tests.benchmarks side-by-side --model=MODEL.onnx [--int8=MODEL.onnx]`. All take turns, each run in a process
of its own. With `--json=FILE` what was measured is kept, and the same command goes on with what is lacking: in pieces
of `--minutes`, part by part (`--only`), with more rounds (`--repeats`) or after an interruption.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import profiles
from engine.plan.rule_book import TUNING_SECONDS
from engine.profile.round_file import load_round
from tests.benchmarks import contestants
from tests.benchmarks.contestants import Course
from tests.benchmarks.kept import opened, save
from tests.benchmarks.offline import first_output
from tests.benchmarks.side_by_side_parts import PARTS, Session, TimeIsUpError
from tests.benchmarks.side_by_side_table import table

ROUND = profiles.FOLDER / "rounds" / "v2.1.yaml"

TUNE_SECONDS = TUNING_SECONDS["thorough"]
SERVER_QUERIES = 1001
"""LoadGen calls a run valid from 459 queries on if none of them is late; of 1001 three may be."""


def main(argv: list[str]) -> None:
    """Measure the parts that are wanted and those they need, and print a table of all that is known."""
    given = _arguments().parse_args(argv)
    output = first_output(given.model)
    variants, left_out = contestants.variants(given.model, given.int8, given.backend, output)
    if not variants:
        raise SystemExit("\n".join(left_out))
    kept = opened(given.json, given.seconds, given.bound_ms, given.server_queries, variants)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples = given.samples or contestants.noise(folder, given.model)
        session = Session(
            given, Course(folder, samples, output, given.seconds, given.bound_ms, load_round(ROUND)), variants, kept
        )
        try:
            for part in _parts(given.only):
                session.run(part)
        except TimeIsUpError as error:
            print(f"the time is up: {error}; the same command goes on")
        save(kept, given.json)
    print()
    for line in left_out:
        print(f"left out: {line}")
    print(*table(kept, variants), sep="\n")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="side-by-side")
    parser.add_argument("--model", type=_file, required=True, help="an fp32 classifier, one input whose batch is open")
    parser.add_argument("--int8", type=_file, help="the same model in int8")
    parser.add_argument("--backend", type=_words, default=["onnxruntime"], help="onnxruntime, openvino or both, by ','")
    parser.add_argument("--samples", type=_file, help="preprocessed samples (.npy); else noise")
    parser.add_argument("--only", type=_words, default=[], help=f"of {','.join(PARTS)}")
    parser.add_argument("--repeats", type=int, default=5, help="rounds")
    parser.add_argument("--seconds", type=float, default=8.0, help="of one run")
    parser.add_argument("--server-seconds", type=float, default=15.0, help="of one trial")
    parser.add_argument("--server-queries", type=int, default=SERVER_QUERIES, help="of one trial, at the least")
    parser.add_argument("--bound-ms", type=int, default=150, help="Server's latency bound")
    parser.add_argument("--searches", type=int, default=1, help="in Server, for each")
    parser.add_argument("--resolution", type=float, default=0.05, help="of the rate that a search ends with")
    parser.add_argument("--tune-seconds", type=float, default=TUNE_SECONDS, help="for each model and backend")
    parser.add_argument("--attempts", type=int, default=2, help="at a run that other processes disturb")
    parser.add_argument("--json", type=Path, help="keep the figures here, and go on with those that it holds")
    parser.add_argument("--minutes", type=float, help="end before so long; the same command goes on")
    return parser


def _parts(wanted: list[str]) -> list[str]:
    """Return the parts in their order. Those that all others need come with them; what is there takes no time."""
    if unknown := set(wanted) - set(PARTS):
        raise SystemExit(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    needed = set(PARTS[: max((PARTS.index(part) for part in wanted), default=0)][:2])
    return [part for part in PARTS if not wanted or part in wanted or part in needed]


def _file(text: str) -> Path:
    path = Path(text).absolute()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {path}")
    return path


def _words(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
