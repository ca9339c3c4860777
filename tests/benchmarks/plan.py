"""Planning: resolving alone, survey, a synthetic plan of 1,000 components, the cost of a cached step."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from engine.jobs import control, jobs
from engine.jobs.job_spec import JobSpec
from engine.plan.resolve import resolve
from engine.plan.rule_book import rule_book
from engine.plan.selection import Selection
from engine.profile.catalog import load, profile_file
from engine.profile.component import Query
from engine.profile.round_file import load_round
from engine.profile.systems import describer
from engine.survey.survey import Surveyor
from tests.benchmarks.start import timed
from tests.helpers import catalog_of, folders_in

TURNS = 9
WORDS = "app,mlperf,inference,reference,python,_all-scenarios,_all-modes,_edge-and-datacenter,_stand-in"
COMPONENTS = 1000
STEPS = 300


def main(_arguments: list[str]) -> None:
    """Print the figures beside their targets."""
    with tempfile.TemporaryDirectory() as home:
        _whole_command(home)
        _parts(Path(home))
        _synthetic(Path(home) / "synthetic")
        _cached_steps(Path(home))


def best(work: Callable[[], object]) -> float:
    """Return the median seconds of some turns."""
    times = []
    for _ in range(TURNS):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return median(times)


def _whole_command(home: str) -> None:
    words = [sys.executable, "-m", "engine.cli.main", "plan", f"--tags={WORDS}"]
    seconds = median(timed(words, home) for _ in range(TURNS))
    print(f"inferdeck plan, 4 scenarios x 2 modes, process start to exit: {seconds:.3f} s (target 0.3)")


def _parts(home: Path) -> None:
    catalog = load()
    rules = load_round(profile_file(catalog.folders, "rounds", "v2.1"))
    selection = Selection(Query.parse(WORDS.split(",")))
    plan = resolve(catalog, selection, rule_book(rules, describer(catalog.folders)), "v2.1")
    print(f"reading all profiles: {best(load) * 1e3:.1f} ms")
    resolving = best(lambda: resolve(catalog, selection, rule_book(rules, describer(catalog.folders)), "v2.1"))
    print(f"resolving alone, {len(plan.nodes)} nodes: {resolving * 1e3:.1f} ms (target 20)")
    surveying = best(lambda: Surveyor(catalog, folders_in(home)).survey(plan))
    print(f"survey: {surveying * 1e3:.1f} ms")


def _synthetic(folder: Path) -> None:
    """A tree of components of which each needs up to three others; every file is read, resolved and surveyed."""
    files = {"c0": "name: c0\ntags: [c0]\nneeds: {" + ", ".join(f"n{n}: {{tags: c{n}}}" for n in (1, 2, 3)) + "}\n"}
    for number in range(1, COMPONENTS):
        below = [child for child in (3 * number + 1, 3 * number + 2, 3 * number + 3) if child < COMPONENTS]
        needs = ", ".join(f"n{child}: {{tags: c{child}, hand: [x]}}" for child in below)
        files[f"c{number}"] = (
            f"name: c{number}\ntags: [c{number}]\nstep: engine.steps.results.score_accuracy:score\n"
            "options: {x: {default: 1}}\n"
            "variations: {a: {group: g, default: true, set: {x: 2}}, b: {group: g}}\n"
            + (f"needs: {{{needs}}}\n" if needs else "")
        )
    catalog = catalog_of(folder, files)
    selection = Selection(Query.parse(["c0"]))
    plan = resolve(catalog, selection)
    resolving = best(lambda: resolve(catalog, selection))
    surveying = best(lambda: Surveyor(catalog, folders_in(folder)).survey(plan))
    print(f"{len(plan.nodes)} made-up components: resolving {resolving:.3f} s, survey {surveying:.3f} s (target 0.5)")


def _cached_steps(home: Path) -> None:
    """A job whose steps are all in the store: what each costs, from launch to done."""
    own = home / "own"
    (own / "components").mkdir(parents=True)
    (own / "components" / "steps.py").write_text("def make(step):\n    return {}\n")
    names = [f"s{number}" for number in range(STEPS)]
    for name in names:
        (own / "components" / f"{name}.yaml").write_text(f"name: {name}\ntags: [{name}]\nstep: steps.py:make\n")
    needs = ", ".join(f"{name}: {{tags: {name}}}" for name in names)
    (own / "components" / "all.yaml").write_text(f"name: all\ntags: [all]\nneeds: {{{needs}}}\n")
    catalog, folders = load([own]), folders_in(home)
    plan = resolve(catalog, Selection(Query.parse(["all"])))
    surveyor = Surveyor(catalog, folders)
    for node in plan.nodes.values():
        recipe = surveyor.survey_node(
            node, {edge.node: surveyor.survey_node(plan.nodes[edge.node], {}) for edge in node.needs}
        ).recipe
        if recipe is not None:
            with surveyor.store.making(recipe):
                surveyor.store.publish(recipe, {}, 0)
    spec = JobSpec(plan=plan, command=("run",), title="all", profiles=(str(own),))
    folder = control.create(folders, spec)
    control.launch(folder, folders)
    list(jobs.follow(jobs.read(folder), interval=0.01))
    records = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert all(record["outcome"] in ("cached", "found") for record in records if record["event"] == "ended")
    print(f"a cached step in a job: {(records[-1]['at'] - records[0]['at']) / STEPS * 1e3:.2f} ms (target 1)")
