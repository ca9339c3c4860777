"""`inferdeck submission generate | truncate | zip`: from a results folder to a file that can be handed in."""

from __future__ import annotations

from pathlib import Path

from engine.cli import words
from engine.cli.screen import Screen
from engine.errors import UsageError
from engine.profile import catalog
from engine.profile.rounds import Round, load_round
from engine.store.folders import Folders, folders
from engine.submission import describe, identity
from engine.submission.generate import OVERRIDES, Request, generate
from engine.submission.pack import MARK, pack
from engine.submission.truncate import truncate


def generate_command(asked: words.Words) -> int:
    """Build (or add to) a tree from the results of one system."""
    results = _folder(asked, "submission generate RESULTS --sut=NAME --out=TREE")
    places, known = _profiles(asked)
    options = asked.options
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
        out=Path(options.get("out", results / "submission")).expanduser().absolute(),
        sut=options["sut"],
        description=description,
        infer=_yes(options, "infer"),
        share_99=_yes(options, "share_99"),
    )
    made = generate(request, rules)
    screen = Screen()
    for one in made:
        screen.line(
            f"  {one.benchmark} {one.scenario}" + (" (inferred)" if one.origin.scenario != one.scenario else "")
        )
        if one.origin.disturbed:
            screen.line(f"    disturbed: {one.origin.disturbed}; measure it again on a quiet machine", "todo")
    screen.line(f"{len(made)} results of {request.sut} in {request.out}", "good")
    if (request.out / MARK).exists():
        screen.line((request.out / MARK).read_text().strip(), "todo")
    for doubt in identity.doubts(request.sut, description, known.folders, options.get("submitter", "")):
        screen.line(f"{doubt.what}; zip refuses it: {doubt.remedy}", "todo")
    return 0


def truncate_command(asked: words.Words) -> int:
    """Cut the accuracy logs of a tree, keeping whole copies beside it."""
    tree = _folder(asked, "submission truncate TREE [--backup=DIR]")
    _, known = _profiles(asked)
    backup = Path(asked.options.get("backup", tree.with_name(f"{tree.name}-whole-logs"))).expanduser().absolute()
    done = truncate(tree, backup, _rules(asked, known), asked.options.get("submitter"))
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
    tree = _folder(asked, "submission zip TREE [--out=FILE] [--submitter=NAME]")
    _, known = _profiles(asked)
    identity.refuse(tree, known.folders, asked.options.get("submitter", ""))
    target = pack(tree, Path(asked.options.get("out", f"{tree}.zip")).expanduser().absolute())
    Screen().line(f"wrote {target}", "good")
    return 0


def _folder(asked: words.Words, usage: str) -> Path:
    if len(asked.positional) != 2:
        raise UsageError("one folder is needed", f"inferdeck {usage}")
    folder = Path(asked.positional[1]).expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "check the path")
    return folder


def _profiles(asked: words.Words) -> tuple[Folders, catalog.Catalog]:
    places = folders(asked.values.get("home"))
    return places, catalog.load([*([places.profiles] if places.profiles.is_dir() else []), *asked.profiles])


def _rules(asked: words.Words, known: catalog.Catalog) -> Round:
    return load_round(known.profile("rounds", asked.options.get("round", "v2.1")))


def _yes(options: dict[str, str], name: str) -> bool:
    return options.get(name, "no").lower() in ("yes", "true", "1", "on")
