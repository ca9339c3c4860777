"""Build a submission from a job's results: the tree, truncated, checked, and zipped if allowed."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from engine import codec
from engine.errors import DataError
from engine.profile.known_rounds import round_of
from engine.profile.names import TREE, WHOLE_LOGS
from engine.step import Options, Step
from engine.store.files import write_atomic
from engine.submission import describe, identity, pack
from engine.submission.checker.check import check
from engine.submission.checker.findings import Report
from engine.submission.checker.report import as_json
from engine.submission.generate import OVERRIDES, Request, generate
from engine.submission.tree import Tree
from engine.submission.truncate import truncate

CHECKED = "submission-check.json"
"""The checker's report, as `inferdeck submission check --json` prints it."""


class BuildOptions(Options, frozen=True, kw_only=True):
    """Options of a submission."""

    round: str
    sut: str
    division: str | None
    """Overrides that of the system's description, like `submitter`."""
    submitter: str | None
    infer: bool
    """Whether missing MultiStream and Offline results are inferred from the SingleStream run."""
    share_99: bool
    """Whether a 99.9 result is also submitted as the 99 benchmark."""


def build(step: Step) -> dict[str, Any]:
    """Build `submission/` and `submission.zip` in the results folder, keeping full accuracy logs outside the tree.

    Facts: `tree`, `results`, `verdict`, `findings`, `zip` (None where the tree may not be packed), `text`. Raises what
    these raise.
    """
    options = step.read_options(BuildOptions)
    rules = round_of(step.profiles, options.round)
    tree = step.results / TREE
    step.phase("generating")
    description = describe.description_of(step.profiles, options.sut, rules, step.results)
    description |= {name: value for name in OVERRIDES if (value := getattr(options, name))}
    made = generate(
        Request(
            results=step.results,
            out=tree,
            sut=options.sut,
            description=description,
            infer=options.infer,
            share_99=options.share_99,
        ),
        rules,
    )
    for one in made:
        if one.origin.disturbed:
            remedy = "measure it again on a quiet machine"
            step.warn(f"{one.benchmark} {one.scenario} was disturbed: {one.origin.disturbed}", remedy=remedy)
    _forget_logs_before(step, description)
    step.phase("truncating")
    truncate(tree, step.results / WHOLE_LOGS, rules)
    step.phase("checking")
    report = check(tree, rules)
    write_atomic(step.results / CHECKED, codec.encode(as_json(report), indent=1))
    for finding in report.findings:
        if finding.severity == "error":
            step.warn(f"{finding.path}: {finding.rule}: {finding.found}; {finding.remedy}")
    step.phase("packing")
    packed, text = _packed(step, tree, report)
    facts = {"tree": str(tree), "results": len(made), "verdict": report.verdict, "findings": len(report.findings)}
    return {**facts, "zip": packed, "text": text}


def _forget_logs_before(step: Step, description: Mapping[str, Any]) -> None:
    """Delete the full logs of a previously built tree: this one has full logs of its own."""
    inside = Tree(step.results)
    owner = PurePosixPath(WHOLE_LOGS, str(description["division"]), str(description["submitter"]))
    with tempfile.TemporaryDirectory(prefix=".old-", dir=step.results) as away:
        for kind in ("results", "compliance"):
            place = owner / kind / step.read_options(BuildOptions).sut
            if inside.exists(place):
                inside.move_out(place, Path(away) / kind)


def _packed(step: Step, tree: Path, report: Report) -> tuple[str | None, str]:
    """Zip the tree if the checker accepts it; return the file, and the outcome as text."""
    if pack.rejections(tree, report):
        return None, f"rejected by the checker, so not packed: inferdeck submission check {tree}"
    try:
        identity.refuse(tree, step.profiles, step.read_options(BuildOptions).submitter or "")
        packed = str(pack.pack(tree, step.results / f"{TREE}.zip").file)
    except DataError as error:
        return None, f"accepted by the checker, but not packed: {error.what}; {error.remedy}"
    but = "" if report.verdict == "pass" else " but for what a demonstration is bound to break"
    return packed, f"accepted by the checker{but}, packed in {packed}"
