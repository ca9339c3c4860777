"""`inferdeck submission generate | truncate | zip`: from a results folder to a file that can be submitted."""

from __future__ import annotations

from pathlib import Path

from engine.cli import arguments as words
from engine.cli.screen import Screen
from engine.errors import UsageError
from engine.profile import catalog
from engine.profile.known_rounds import DEFAULT
from engine.profile.names import TREE
from engine.profile.round_file import load_round
from engine.profile.rounds import Round
from engine.store.folders import Folders, folders
from engine.submission import describe, identity
from engine.submission.checker.check import check
from engine.submission.generate import OVERRIDES, Request, generate, systems_in
from engine.submission.pack import mark_of, pack, refuse_not_submittable, refuse_the_refused
from engine.submission.tree import refuse_unknown_submitter, refuse_what_is_no_tree
from engine.submission.truncate import truncate, whole_logs
from engine.text import size, whole_path


def generate_command(asked: words.Words) -> int:
    """Build (or extend) a tree from the results of one system."""
    results = _folder(asked)
    places, known = _profiles(asked)
    options = dict(asked.values)
    rules = _rules(asked, known)
    if "sut" not in options:
        found = systems_in(results, rules)
        if len(found) > 1:
            raise UsageError(f"{results} holds {len(found)} systems: {', '.join(found)}", "name one: --sut=NAME")
        if not found:
            raise UsageError(f"{results} holds no results", "give the folder that a run used as --output_dir")
        options["sut"] = found[0]
    description = describe.description_of(known.folders, options["sut"], rules, places.store)
    description |= {name: options[name] for name in OVERRIDES if name in options}
    request = Request(
        results=results,
        out=whole_path(options.get("out", results / TREE)),
        sut=options["sut"],
        description=description,
        infer="infer" in asked.flags,
        share_99="share_99" in asked.flags,
    )
    made = generate(request, rules)
    screen = Screen()
    for one in made:
        screen.line(
            f"  {one.benchmark} {one.scenario}" + (" (inferred)" if one.origin.scenario != one.scenario else "")
        )
        if one.origin.disturbed:
            screen.line(f"    disturbed: {one.origin.disturbed}; measure it again on a quiet machine", "todo")
    screen.line(f"{_results(len(made))} of {request.sut} in {request.out}", "good")
    for line in mark_of(request.out):
        screen.line(line, "todo")
    for warning in identity.identity_warnings(request.sut, description, known.folders, options.get("submitter", "")):
        screen.line(f"{warning.what}; zip refuses it: {warning.remedy}", "todo")
    return 0


def truncate_command(asked: words.Words) -> int:
    """Truncate the accuracy logs of a tree, keeping full copies outside it."""
    tree = _folder(asked)
    _, known = _profiles(asked)
    backup = whole_path(asked.values.get("backup", whole_logs(tree)))
    done = truncate(tree, backup, _rules(asked, known), asked.values.get("submitter"))
    screen = Screen()
    for one in done:
        screen.line(f"  {one.action:12} {one.path.relative_to(tree)}")
    cut = sum(one.action == "truncated" for one in done)
    whole = f"; full logs are in {backup}" if cut else ""
    if done:
        screen.line(f"{len(done)} accuracy logs, {cut} truncated{whole}", "good")
    else:
        screen.line(f"{tree} holds no accuracy log, so there was nothing to truncate", "todo")
    return 0


def zip_command(asked: words.Words) -> int:
    """Pack a checked tree."""
    tree = _folder(asked)
    _, known = _profiles(asked)
    rules = _rules(asked, known)
    refuse_what_is_no_tree(tree, rules.divisions)
    refuse_unknown_submitter(tree, rules.divisions, asked.values.get("submitter"))
    refuse_not_submittable(tree)
    identity.refuse(tree, known.folders, asked.values.get("submitter", ""))
    report = check(tree, rules)
    refuse_the_refused(tree, report)
    packed = pack(tree, whole_path(asked.values.get("out", f"{tree}.zip")))
    submitters = sorted({result.path.split("/")[1] for result in report.results})
    results = f"{_results(len(report.results))} of {', '.join(submitters)}"
    Screen().line(f"wrote {packed.file}: {packed.files} files, {size(packed.size)}; {results}", "good")
    return 0


def _results(count: int) -> str:
    return "1 result" if count == 1 else f"{count} results"


def _folder(asked: words.Words) -> Path:
    folder = whole_path(asked.positional[0])
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "check the path")
    return folder


def _profiles(asked: words.Words) -> tuple[Folders, catalog.Catalog]:
    places = folders(asked.values.get("home"))
    return places, catalog.load([*places.own_profiles, *asked.profiles])


def _rules(asked: words.Words, known: catalog.Catalog) -> Round:
    return load_round(known.profile("rounds", asked.values.get("round", DEFAULT)))
