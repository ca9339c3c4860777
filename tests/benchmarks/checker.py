"""How fast the submission checker is: on the sample of published results, and on 49 times as many.

The larger tree has the size of the whole round (5,390 results), under other submitters' names. Its files are hard
links to one copy, which spares the disk and changes nothing for the checker, that opens each by its own name. Memory is
that of all processes together at their worst, as if their worsts came at one time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from statistics import median

import profiles
from engine.profile.round_file import load_round
from engine.submission.checker.check import check

ARCHIVE = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "results_v2.1_sample.tar.xz"
COPIES = 49
OFFICIAL = "official checker on the whole round (5,395 results): 74 s, 47 MB"
SAMPLE_SECONDS = 0.2
ROUND_SECONDS = 8.0
ROUND_MB = 80


def main(argv: list[str]) -> None:
    """Print a table. Needs the sample of published results beside the repository; prints that it is missing if so."""
    parser = argparse.ArgumentParser(prog="checker")
    parser.add_argument("--rounds", type=int, default=5, help="runs of which the median and the best are shown")
    parser.add_argument("--copies", type=int, default=COPIES)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.measure:
        print(json.dumps(_measured(arguments.measure, arguments.rounds)))
        return
    if not ARCHIVE.exists():
        print("skipped: the published results are not beside this repository (../shared/corpus)")
        return
    with tempfile.TemporaryDirectory() as name:
        sample, whole = Path(name) / "sample", Path(name) / "whole"
        with tarfile.open(ARCHIVE) as tar:
            tar.extractall(sample, filter="data")
        print(f"{'':28}{'results':>9}{'median s':>10}{'best s':>9}{'MB':>7}   target")
        _show("the sample", sample, arguments.rounds, f"<= {SAMPLE_SECONDS} s")
        for number in range(arguments.copies):
            multiply(sample, whole, f"-{number:02}")
        target = f"<= {ROUND_SECONDS:.0f} s, {ROUND_MB} MB"
        _show(f"{arguments.copies} times the sample", whole, max(1, arguments.rounds // 2), target)
    print(OFFICIAL)


def multiply(source: Path, target: Path, ending: str) -> None:
    """Link a tree into another one, with another ending to every submitter's name."""
    for submitter in source.glob("*/*"):
        place = target / submitter.parent.name / (submitter.name + ending)
        shutil.copytree(submitter, place, copy_function=os.link)
        for description in place.glob("systems/*.json"):
            fields = json.loads(description.read_text())
            description.unlink()
            description.write_text(json.dumps({**fields, "submitter": fields["submitter"] + ending}))


def _show(name: str, tree: Path, rounds: int, target: str) -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "checker", f"--measure={tree}", f"--rounds={rounds}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    seconds = found["seconds"]
    print(
        f"{name:28}{found['results']:9,}{median(seconds):10.3f}{min(seconds):9.3f}{found['megabytes']:7.0f}   {target}"
    )


def _measured(tree: Path, rounds: int) -> dict[str, object]:
    rules = load_round(profiles.FOLDER / "rounds" / "v2.1.yaml")
    seconds = []
    results = 0
    for _ in range(rounds):
        begin = time.perf_counter()
        report = check(tree, rules)
        seconds.append(time.perf_counter() - begin)
        results = len(report.results)
        assert report.verdict == "pass"
        del report
    kilobytes = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"results": results, "seconds": seconds, "megabytes": kilobytes / 1024}
