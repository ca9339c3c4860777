"""Words after `inferdeck`: real ones of every command that starts no job, and what people and scripts make of them."""

from __future__ import annotations

import random
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import calls, mutate
from tests.fuzz.kinds import homes

COMMANDS = (
    "plan", "doctor", "jobs", "attach r-0099", "watch 12", "cancel r-0099", "cancel r-0011", "results",
    "results list", "results show r-0001", "results compare r-0001 r-0002", "results export", "store list",
    "store verify", "store why data", "store remove nothing", "system new box", "system list", "system show demo",
    "submission check tree", "submission report tree", "submission truncate tree", "submission generate tree",
    "submission zip tree", "submission preflight", "tune show demo", "serve", "help", "--help", "--version", "-h",
    "--plain", "submission", "attach r-0011 --plain", "watch r-0012 --plain",
)  # fmt: skip

OPTIONS = (
    "--tags=app,mlperf,inference,_resnet50", "--tags=app,mlperf,inference,_resnet50,_patterns-net,_test",
    "--tags=app,mlperf,inference,reference,python,_retinanet,_onnxruntime,_cpu,_all-scenarios,_all-modes,_valid",
    "--tags=app,mlperf,inference,_resnet50,_find-performance,_fast", "--tags=get,dataset,imagenet",
    "--tags=_tf,_int8", "--tags=app,mlperf,inference,_resnet50,_submission,_valid",
    "--tags=app,mlperf,inference,-_resnet50", "--scenarios=Offline,Server", "--scenarios=SingleStream",
    "--modes=performance", "--target_qps=31.5", "--target_latency_ms=9", "--sessions=2", "--intra_op_threads=1",
    "--max_batch=8", "--queue_wait_us=100", "--env.IMAGENET_PATH=images", "--env.OPENIMAGES_PATH=images",
    "--env.CM_SUT_NAME=demo", "--env.CM_MLPERF_OUTPUT_DIR=out", "--env.CM_RERUN=yes",
    "--add_deps_tags.imagenet=_full", "--add_deps_tags.imagenet=_500", "--adr.onnxruntime.version=>=1.20,<1.21",
    "--adr.onnxruntime.version_min=1.20", "--adr.onnxruntime.version_max=1.10", "--adr.workers.seconds=60",
    "--adr.target.seconds=600", "--adr.calibration.tags=_option-1", "--model_path=model.onnx", "--output_dir=out",
    "--compliance=TEST01", "--performance_sample_count=1024", "--recipe=demo", "--recipe=own.yaml", "--profiles=own",
    "--lock=lock.json", "--locked=lock.json", "--diff a b", "--json", "--quiet", "--plain", "--again", "--reuse",
    "--help", "--format=csv", "--format=md", "--format=json", "--filter=Offline", "--sort=throughput", "--sort=-run",
    "--csv=c.csv", "--round=v2.1", "--submitter=Acme", "--strict", "--backup=tree", "--out=out", "--sut=demo",
    "--division=open", "--system_type=edge", "--cooling=air", "--infer=yes", "--port=8001", "--host=127.0.0.1",
    "--theme=inferdeck-light", "--driver=stock", "--ascii", "--no-mouse", "--home=home", "--model=retinanet",
    "--offline", "--batch_size=8", "script", "tree", "a", "b", "--", "-", "-x", "=", "--=", "--x", "--env.=1",
    "--adr..tags=_x", "--add_deps_tags.=_x",
)  # fmt: skip

STARTING = ("run", "demo", "tune")


@dataclass(frozen=True)
class Words:
    """One command line; its parts are its words."""

    parts: Sequence[str]

    def run(self, kept: Sequence[int], folder: Path) -> list[str]:
        """Run it in a folder that has a home, a tree and the files that the options name."""
        homes.lay_out(folder)
        words = [self.parts[index] for index in kept]
        if not any(word.startswith("--home") for word in words):
            words.append(f"--home={folder / 'home'}")
        if words[0] in STARTING and not (words[0] == "tune" and "show" in words) and "--help" not in words:
            words[0] = "plan"
        return calls.inferdeck(words)


def make(chance: random.Random) -> Words:
    """Return a real command with real options, and mostly one to three of its words changed."""
    words = chance.choice(COMMANDS).split()
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
        words += chance.choice(OPTIONS).split()
    if words[0] == "plan" and chance.random() < 0.6:
        words.insert(1, chance.choice(OPTIONS[:8]))
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        words = _changed(words, chance)
    return Words(tuple(words or [""]))


def _changed(words: list[str], chance: random.Random) -> list[str]:
    at = chance.randrange(len(words)) if words else 0
    before, after = words[:at], words[at + 1 :]
    word = words[at] if words else ""
    match chance.randrange(9):
        case 0:
            return [*before, *after]
        case 1:
            return [*before, word, word, *after]
        case 2:
            return [*before, mutate.text(chance, word), word, *after]
        case 3:
            return chance.sample(words, len(words))
        case 4 | 5:
            name, equals, value = word.partition("=")
            return [*before, f"{name}{equals or '='}{mutate.text(chance, value)}", *after]
        case 6:
            name, _, value = word.partition("=")
            return [*before, name, value, *after]
        case _:
            return [*before, mutate.changed_text(word, chance), *after]


def shown(words: Sequence[str]) -> str:
    """Return a command as it can be typed."""
    return shlex.join(words)
