"""`inferdeck rounds list | show | diff`: the rounds, what one asks for, and what differs between two."""

from __future__ import annotations

import msgspec

from engine.cli import arguments as words
from engine.cli import output
from engine.cli.screen import Cell, Screen
from engine.profile import catalog
from engine.profile.benchmark_rules import Benchmark, Suite
from engine.profile.known_rounds import DEFAULT, all_rounds, round_of
from engine.profile.round_diff import RoundChange, changes
from engine.profile.rounds import Round
from engine.store.folders import folders

_MARKS = {"added": ("+", "good"), "removed": ("-", "bad"), "changed": ("~", "todo")}


def list_command(asked: words.Words) -> int:
    """List the rounds, the oldest first."""
    known = _catalog(asked)
    rounds = all_rounds(known.folders)
    runnable = {rules.name: [name for name in known.benchmarks if name in rules.benchmarks] for rules in rounds}
    if "json" in asked.flags:
        output.write_json(
            [
                {"round": one.name, "published": one.published, "summary": one.summary, "run_here": runnable[one.name]}
                for one in rounds
            ]
        )
        return 0
    rows: list[list[Cell]] = [[(word, "dim") for word in ("round", "results", "benchmarks", "run here", "")]]
    for rules in rounds:
        mark = " (default)" if rules.name == DEFAULT else ""
        counts = (str(len(rules.benchmarks)), ", ".join(runnable[rules.name]))
        rows.append(
            [(rules.name + mark, "bold"), (rules.published, ""), *((one, "") for one in counts), (rules.summary, "dim")]
        )
    Screen().table(rows, right=(2,))
    return 0


def show_command(asked: words.Words) -> int:
    """Show which benchmarks, categories and scenarios a round has, with their targets and tests."""
    known = _catalog(asked)
    rules = round_of(known.folders, asked.positional[0])
    if "json" in asked.flags:
        output.write_json(msgspec.to_builtins(rules))
        return 0
    screen = Screen()
    screen.line(f"{rules.name}, results of {rules.published}: {rules.summary}", "bold")
    heads = ("benchmark", "datacenter", "edge", "accuracy", "tests", "")
    rows: list[list[Cell]] = [[(word, "dim") for word in heads]]
    for name, bench in rules.benchmarks.items():
        here = "runs here" if name in known.benchmarks else ""
        cells = (scenarios(bench, "datacenter"), scenarios(bench, "edge"), _accuracy(rules, bench))
        rows.append([(name, "bold"), *((one, "") for one in (*cells, ", ".join(bench.compliance))), (here, "good")])
    screen.table(rows)
    for name, left in rules.left.items():
        screen.line(f"{name} left with {left}", "dim")
    return 0


def diff_command(asked: words.Words) -> int:
    """Show what differs between two rounds."""
    known = _catalog(asked)
    old, new = (round_of(known.folders, name) for name in asked.positional)
    found = changes(old, new)
    if "json" in asked.flags:
        output.write_json(msgspec.to_builtins(found))
        return 0
    screen = Screen()
    for change in found:
        mark, style = _MARKS[change.kind]
        screen.cells([(f"{mark} {change.place}", style), (f"  {_said(change)}", "")])
    if not found:
        screen.line(f"{old.name} and {new.name} have the same rules", "good")
    return 0


def _said(change: RoundChange) -> str:
    if change.kind != "changed":
        return change.old + change.new
    return " -> ".join(part or "nothing" for part in (change.old, change.new))


def scenarios(bench: Benchmark, suite: Suite) -> str:
    """Return the scenarios of a benchmark in a category, in words."""
    if suite not in bench.scenarios:
        return ""
    parts: list[str] = [*bench.scenarios[suite]]
    if suite in bench.one_of:
        parts.append(" or ".join(bench.one_of[suite]))
    return ", ".join([*parts, *(f"{one} (optional)" for one in bench.optional.get(suite, ()))])


def _accuracy(rules: Round, bench: Benchmark) -> str:
    parts = []
    for one in bench.accuracy:
        unit = rules.unit_of(one)
        least = f" >= {one.target:.6g}{unit}" if one.has_target else ""
        parts.append(f"{one.metric}{least}" + (f" <= {one.most:.6g}{unit}" if one.most is not None else ""))
    return ", ".join(parts)


def _catalog(asked: words.Words) -> catalog.Catalog:
    return catalog.load([*folders(asked.values.get("home")).own_profiles, *asked.profiles])
