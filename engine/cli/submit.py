"""`inferdeck submission generate | truncate | zip`: from a results folder to a file that can be handed in."""

from __future__ import annotations

from pathlib import Path

from engine.cli import words
from engine.cli.screen import Screen
from engine.cli.submission import submitter_of
from engine.errors import UsageError
from engine.profile import catalog
from engine.profile.rounds import Round, load_round
from engine.store.folders import Folders, folders
from engine.submission import describe, identity
from engine.submission.generate import OVERRIDES, Request, generate
from engine.submission.pack import MARK, pack
from engine.submission.truncate import truncate
from engine.text import whole_path


def generate_command(asked: words.Words) -> int:
    """Build (or add to) a tree from the results of one system."""
    results = _folder(asked)
    places, known = _profiles(asked)
    options = dict(asked.values)
    if "sut" not in options:
        found = sorted(path.name for path in results.glob("*") if path.is_dir() and not path.name.startswith("."))
        if len(found) != 1:
            raise UsageError(f"{results} holds {len(found)} systems: {', '.join(found)}", "name one: --sut=NAME")
        options["sut"] = found[0]
    rules = _rules(asked, known)
    description = describe.description_of(known.folders, options["sut"], rules, places.store)
    description |= {name: options[name] for name in OVERRIDES if name in options}
    request = Request(
        results=results,
        out=whole_path(options.get("out", results / "submission")),
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
    screen.line(f"{len(made)} results of {request.sut} in {request.out}", "good")
    if (request.out / MARK).exists():
        screen.line((request.out / MARK).read_text().strip(), "todo")
    for doubt in identity.doubts(request.sut, description, known.folders, options.get("submitter", "")):
        screen.line(f"{doubt.what}; zip refuses it: {doubt.remedy}", "todo")
    return 0


def truncate_command(asked: words.Words) -> int:
    """Cut the accuracy logs of a tree, keeping whole copies beside it."""
    tree = _folder(asked)
    _, known = _profiles(asked)
    backup = whole_path(asked.values.get("backup", tree.with_name(f"{tree.name}-whole-logs")))
    done = truncate(tree, backup, _rules(asked, known), submitter_of(asked, tree))
    screen = Screen()
    for one in done:
        screen.line(f"  {one.action:12} {one.path.relative_to(tree)}")
    cut = sum(one.action == "truncated" for one in done)
    screen.line(
        f"{len(done)} accuracy logs, {cut} truncated" + (f"; whole logs are in {backup}" if cut else ""), "good"
    )
    return 0


def zip_command(asked: words.Words) -> int:
    """Pack a checked tree."""
    tree = _folder(asked)
    _, known = _profiles(asked)
    identity.refuse(tree, known.folders, asked.values.get("submitter", ""))
    target = pack(tree, whole_path(asked.values.get("out", f"{tree}.zip")))
    Screen().line(f"wrote {target}", "good")
    return 0


def _folder(asked: words.Words) -> Path:
    folder = whole_path(asked.positional[0])
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "check the path")
    return folder


def _profiles(asked: words.Words) -> tuple[Folders, catalog.Catalog]:
    places = folders(asked.values.get("home"))
    return places, catalog.load([*([places.profiles] if places.profiles.is_dir() else []), *asked.profiles])


def _rules(asked: words.Words, known: catalog.Catalog) -> Round:
    return load_round(known.profile("rounds", asked.values.get("round", "v2.1")))
