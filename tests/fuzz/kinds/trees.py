"""Damaged submission trees and results folders, with links out of them: nothing outside may change or be packed."""

from __future__ import annotations

import random
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.fuzz import calls, places

SYSTEMS = ("edge-resnet50", "open-own", "both")
RESULTS = "results"
TREE_COMMANDS = (
    "check tree", "check tree --json", "check tree --strict --csv=c.csv", "report tree", "report tree --csv=r.csv",
    "report tree --json", "truncate tree", "truncate tree --backup=tree", "truncate tree --submitter=Acme",
    "zip tree", "zip tree --out=tree/x.zip", "zip tree --submitter=Acme", "check tree --submitter=Acme",
)  # fmt: skip
RESULTS_COMMANDS = (
    "generate results", "generate results --sut=gcp-n2-standard-80", "generate results --out=tree",
    "generate results --infer=yes", "generate results --out=results/gcp-n2-standard-80",
)  # fmt: skip
WANTED = ("detail", "accuracy", "systems/", "measurements/", "compliance/", "power", "summary", "provenance", "")


@dataclass(frozen=True)
class Tree:
    """Damaged files, then commands."""

    template: str
    parts: Sequence[places.Edit | str]

    def run(self, kept: Sequence[int], folder: Path) -> list[str]:
        """Damage the kept files, run the kept commands, and look at the canary and at what was packed."""
        canary = places.write_canary(folder)
        name = "results" if self.template == RESULTS else "tree"
        shutil.copytree(template(self.template), folder / name)
        parts = [self.parts[index] for index in kept]
        for part in parts:
            if isinstance(part, places.Edit):
                part.apply(folder / name, canary)
        wrong, before = [], places.state(canary)
        for part in parts:
            if isinstance(part, str):
                wrong += calls.inferdeck(["submission", *part.split()], folder / "home")
        if places.state(canary) != before:
            wrong.append("the canary changed")
        return wrong + [f"{path.name} holds the canary" for path in folder.rglob("*.zip") if _holds_canary(path)]


def make(chance: random.Random) -> Tree:
    """Return one to four damages, and one to three commands."""
    kind = chance.choice((*SYSTEMS, RESULTS))
    commands = RESULTS_COMMANDS if kind == RESULTS else TREE_COMMANDS
    chosen = chance.sample(commands, chance.choice((1, 2, 3)))
    if kind == RESULTS and chance.random() < 0.5:
        chosen.append(
            chance.choice(("check results/submission", "truncate results/submission", "zip results/submission"))
        )
    return Tree(kind, (*places.edits(template(kind), chance, (chance.choice(WANTED),)), *chosen))


@cache
def template(kind: str) -> Path:
    """Return a tree of one system, or a results folder; made once in each process."""
    from tests.engine.submission import base_tree, results_folder

    root = Path(tempfile.mkdtemp(prefix="fuzz-tree-"))
    if kind != RESULTS:
        base_tree.write_system(root, base_tree.SYSTEMS[kind])
        return root
    for scenario in ("Offline", "SingleStream"):
        results_folder.write_run(root, "gcp-n2-standard-80", "resnet50", scenario)
    return root


def _holds_canary(path: Path) -> bool:
    with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(path) as packed:
        return any(places.SECRET in packed.read(name) for name in packed.namelist())
    return False
