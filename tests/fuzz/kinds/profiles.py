"""A person's components, rounds, systems and recipes, damaged, with what YAML knows besides plain values."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import profiles
from tests.fuzz import calls, mutate
from tests.fuzz.kinds import homes

SOURCES = (
    "components/app-mlperf-inference.yaml", "components/imagenet-preprocessed.yaml", "components/loadgen-run.yaml",
    "components/resnet50-model.yaml", "components/choose-workers.yaml", "components/submission.yaml",
    "components/onnxruntime.yaml", "rounds/v2.1.yaml", "systems/gcp-n2-standard-80.yaml", "recipes/demo.yaml",
    "recipes/demo-offline.yaml",
)  # fmt: skip
OWN = {"components/own.yaml": homes.COMPONENT, "systems/box.yaml": homes.SYSTEM, "recipes/own.yaml": homes.RECIPE}
COMMANDS = (
    "plan --tags=app,mlperf,inference,_resnet50,_patterns-net,_test", "plan --tags=own,thing,_big",
    "plan --recipe=demo-offline", "plan --recipe=own",
    "plan --tags=app,mlperf,inference,_resnet50,_submission,_valid --env.CM_SUT_NAME=box", "doctor",
    "plan --json --tags=app,mlperf,inference,_resnet50,_all-scenarios,_valid --env.CM_SUT_NAME=gcp-n2-standard-80",
    "system list", "system show box", "system show gcp-n2-standard-80", "tune show box",
    "submission preflight --tags=app,mlperf,inference,_resnet50,_submission,_valid --env.CM_SUT_NAME=box",
)  # fmt: skip
INSERTS = (
    "<<: *x", "&a", "*a", "!!python/object/apply:os.system ['true']", "!!binary aGk=", "!!set {a, b}",
    "!!timestamp 2001-01-01", "!x", "? [a, b]\n: c", "? {a: b}\n: c", "{", "]", "|\n", ">-\n", "%YAML 9.9", "---",
    "...", "\t", "2001-13-45", "1:2:3", "=", "~: ~", "0o9", "0b2", "1e9999", "[" * 3000, "{a: " * 3000, "- " * 3000,
    "&a [*a]", "&a {b: *a}", "null: null", "1: 2", "1.5: x", "true: yes", "when: {}", "needs: {x: {tags: own}}",
    "needs: {own: {tags: 'own,thing'}}", "tags: []", "step: os:system", "step: no.such:thing",
    "options: {x: {type: int, default: z}}", "variations: {'*': {}}", "variations: {x.#: {}}",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One profile file, changed step by step."""

    source: str
    seed: int
    count: int

    def text(self) -> bytes:
        """Return the changed file."""
        chance = random.Random(self.seed)
        data = OWN[self.source].encode() if self.source in OWN else (profiles.FOLDER / self.source).read_bytes()
        for _ in range(self.count):
            way = chance.choice((_inserted, _inserted, mutate.structure, mutate.structure, mutate.mutated))
            data = way(data, chance)
        return data


@dataclass(frozen=True)
class Profiles:
    """Changed files in a profile folder, then commands with `--profiles`."""

    parts: Sequence[Change | str]

    def run(self, kept: Sequence[int], folder: Path) -> list[str]:
        """Write the kept files and run the kept commands."""
        wrong = []
        for name, text in OWN.items():
            _write(folder / "own" / name, text.encode())
        parts = [self.parts[index] for index in kept]
        for part in parts:
            if isinstance(part, Change):
                _write(folder / "own" / part.source, part.text())
        for part in parts:
            if isinstance(part, str):
                wrong += calls.inferdeck([*part.split(), "--profiles=own"], folder / "home")
        return wrong


def make(chance: random.Random) -> Profiles:
    """Return one or two changed files, and one or two commands."""
    sources = (*SOURCES, *list(OWN) * 3)
    changes = [
        Change(chance.choice(sources), chance.randrange(2**32), chance.choice((1, 1, 2)))
        for _ in range(chance.choice((1, 1, 2)))
    ]
    return Profiles((*changes, *chance.sample(COMMANDS, chance.choice((1, 2)))))


def _inserted(data: bytes, chance: random.Random) -> bytes:
    """Put one of YAML's odd things in place of a value, or on a line of its own as deep as its neighbour."""
    odd = chance.choice(INSERTS)
    lines = data.decode("utf-8", "replace").splitlines() or [""]
    at = chance.randrange(len(lines))
    if chance.random() < 0.5:
        lines[at] = re.sub(r"(?<=: ).*", lambda _: odd, lines[at], count=1)
    else:
        lines.insert(at, lines[at][: len(lines[at]) - len(lines[at].lstrip())] + odd)
    return ("\n".join(lines) + "\n").encode()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
