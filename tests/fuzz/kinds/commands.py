"""Words after `inferdeck`: real ones of every command that starts no job, and what people and scripts make of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import calls, mutate
from tests.fuzz.kinds import homes

APP = "--tags=app,mlperf,inference"
SELECTIONS = (
    f"{APP},_resnet50", f"{APP},_resnet50,_patterns-net,_test", f"{APP},_resnet50,_find-performance,_fast",
    f"{APP},reference,python,_retinanet,_onnxruntime,_cpu,_all-scenarios,_all-modes,_valid", f"{APP},-_resnet50",
    f"{APP},_resnet50,_submission,_valid", f"{APP},_resnet50,_openvino,_int8", f"{APP},_retinanet,_scenes-net,_test",
    "--tags=get,dataset,imagenet", "--tags=_tf,_int8", "--recipe=demo", "--recipe=own.yaml", "--locked=lock.json",
    f"{APP},_resnet50,_stand-in,_compliance", f"{APP},_resnet50,_tune,_test", "--tags=own,thing,_big",
)  # fmt: skip
CHOICES = (
    "--scenarios=Offline,Server", "--scenarios=SingleStream", "--modes=performance", "--target_qps=31.5",
    "--target_latency_ms=9", "--sessions=2", "--intra_op_threads=1", "--max_batch=8", "--queue_wait_us=100",
    "--env.IMAGENET_PATH=images", "--env.OPENIMAGES_PATH=images", "--env.CM_SUT_NAME=demo", "--env.CM_RERUN=yes",
    "--env.CM_MLPERF_OUTPUT_DIR=out", "--add_deps_tags.imagenet=_full", "--add_deps_tags.imagenet=_500",
    "--add_deps_tags.openimages=_full", "--adr.onnxruntime.version=>=1.20,<1.21", "--adr.onnxruntime.version_min=1.20",
    "--adr.onnxruntime.version_max=1.10", "--adr.workers.seconds=60", "--adr.target.seconds=600",
    "--adr.calibration.tags=_option-1", "--adr.preprocessed.image_size=64", "--model_path=model.onnx",
    "--output_dir=out", "--compliance=TEST01", "--performance_sample_count=1024", "--profiles=own", "--lock=new.json",
    "--sut=demo", "--batch_size=8", "--adr..tags=_x", "--add_deps_tags.=_x", "--env.=1", "--round=v2.1",
)  # fmt: skip
EVERYWHERE = (
    "--json",
    "--quiet",
    "--plain",
    "--again",
    "--reuse",
    "--help",
    "--home=home",
    "--detach",
    "--yes-install",
)
FORMATS = ("--format=csv", "--format=md", "--format=json", "--format=text", "--json")
TREE = ("--round=v2.1", "--submitter=Acme", "--strict", "--json", "--csv=c.csv", "--profiles=own")
DESCRIPTION = (
    "--division=open",
    "--submitter=Acme",
    "--system_type=edge",
    "--cooling=air",
    "--number_of_nodes=1",
    "--again",
)
ODD = ("tree", "a", "b", "--", "-", "-x", "=", "--=", "--x", "script", "--x=1", "0", "list", "check")

COMMANDS: dict[str, tuple[str, ...]] = {
    "plan": (*SELECTIONS, *CHOICES),
    "submission preflight": (*SELECTIONS, *CHOICES),
    "plan --diff a b": (),
    "doctor": ("--profiles=own",),
    "jobs": (),
    "attach r-0011": (),
    "attach 12": (),
    "watch r-0099": (),
    "cancel r-0012": (),
    "results": FORMATS,
    "results list": (*FORMATS, "--filter=Offline", "--sort=throughput", "--sort=-run", "--filter=VALID demo"),
    "results show r-0001": FORMATS,
    "results show r-0001/Offline": FORMATS,
    "results compare r-0002/Server r-0002/SingleStream": FORMATS,
    "store list": (),
    "store verify": (),
    "store verify data": (),
    "store why data-5": (),
    "store remove data-7": (),
    "system new other": DESCRIPTION,
    "system new box": DESCRIPTION,
    "system list": ("--profiles=own",),
    "system show demo": (),
    "submission check tree": TREE,
    "submission report tree": TREE,
    "submission truncate tree": ("--submitter=Acme", "--backup=tree", "--backup=out", "--round=v2.1"),
    "submission generate tree": ("--sut=demo", "--out=out", "--infer=yes", "--share_99=yes", "--division=open"),
    "submission zip tree": ("--out=out.zip", "--submitter=Acme", "--out=out"),
    "tune show demo": (),
    "serve": ("--port=8001", "--host=127.0.0.1", "--theme=inferdeck-light", "--home=home"),
    "--plain": ("--ascii", "--driver=stock", "--theme=inferdeck-light", "--home=home", "--no-mouse"),
    "help": (),
    "--version": (),
}
"""By command: the options that it knows."""
STARTING = ("run", "demo", "tune")


@dataclass(frozen=True)
class Words:
    """One command line; its parts are its words."""

    parts: Sequence[str]

    def run(self, kept: Sequence[int], folder: Path) -> list[str]:
        """Run it in a folder that has a home, a tree and the files that the options name."""
        homes.lay_out(folder)
        words = [self.parts[index] for index in kept]
        if words[0] in STARTING and words[:2] != ["tune", "show"]:
            words[0] = "plan"
        return calls.inferdeck(words, folder / "home")


def make(chance: random.Random) -> Words:
    """Return a real command with real options, and mostly one to three of its words changed."""
    command = chance.choice(sorted(COMMANDS) + ["plan", "submission preflight"] * 4)
    words = command.split()
    if SELECTIONS[0] in COMMANDS[command]:
        words.append(chance.choice(SELECTIONS))
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
        known = chance.choice((COMMANDS[command], COMMANDS[command], COMMANDS[command], EVERYWHERE, ODD, CHOICES))
        words += [chance.choice(known)] if known else []
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        words = _changed(words, chance)
    return Words(tuple(words or [""]))


def _changed(words: list[str], chance: random.Random) -> list[str]:
    at = chance.randrange(len(words)) if words else 0
    before, after = words[:at], words[at + 1 :]
    word = words[at] if words else ""
    name, equals, value = word.partition("=")
    match chance.randrange(12):
        case 0:
            return [*before, *after]
        case 1:
            return [*before, word, word, *after]
        case 2:
            return [*before, mutate.text(chance, word), word, *after]
        case 3:
            return chance.sample(words, len(words))
        case 4:
            return [*before, name, value, *after]
        case 5 | 6:
            return [*before, mutate.changed_text(word, chance), *after]
        case _ if equals:
            return [*before, f"{name}={mutate.text(chance, value)}", *after]
        case _:
            return [*words, mutate.text(chance, word)]
