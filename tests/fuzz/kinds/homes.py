"""A home with jobs, artifacts, settings, systems and components of a person, of which some files are damaged."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.errors import InferdeckError
from tests.fuzz import calls, places

COMMANDS = (
    "jobs", "jobs --json", "results list", "results list --format=csv", "results list --format=json",
    "results show r-0001", "results list --sort=-samples/s", "results show r-0002/Server",
    "results compare r-0001/Offline r-0002/Server",
    "results list --format=md", "store list", "store list --json", "store verify", "store why data-5",
    "store remove data-7", "system list", "system show box", "system new box --again --quiet", "tune show box",
    "attach r-0001 --plain", "attach r-0011 --plain", "watch r-0012 --plain --json", "attach r-0013 --plain",
    "cancel r-0012", "cancel r-0014", "--plain", "plan --tags=app,mlperf,inference,_resnet50,_patterns-net,_test",
    "plan --json --tags=app,mlperf,inference,_resnet50",
    "plan --tags=app,mlperf,inference,_resnet50,_submission,_patterns-net --env.CM_SUT_NAME=box", "plan --recipe=own",
    "plan --tags=own,thing", "plan --locked=home/state/a.lock", "doctor",
    "submission preflight --recipe=own",
    "plan --diff home/state/a.lock home/state/b.lock",
)  # fmt: skip
RUNNING = "state/jobs/r-0014/run.lock"

COMPONENT = """\
name: own-thing
tags: [own, thing]
step: engine.steps.machine.detect:detect
options:
  count: {type: int, default: 3}
variations:
  big: {group: size, set: {count: 100}}
  small: {group: size, default: true, set: {count: 1}}
"""
SYSTEM = """\
targets: measured
description:
  division: open
  submitter: Acme
  status: available
  system_type: edge
  system_name: "My Box"
  number_of_nodes: 1
runs:
  onnxruntime:
    resnet50: {Offline: 70, Server: 10, SingleStream: 20, MultiStream: 100}
found:
  onnxruntime:
    resnet50:
      Server:
        date: "2026-11-28"
        target: 10
        trials: 5
        repeats: 2
        spread: 0.02
        trial_seconds: 25
        model: "00"
        versions: {inferdeck: "0.1", loadgen: "6.0", onnxruntime: "1.20"}
tuned:
  onnxruntime:
    resnet50:
      date: "2026-11-28"
      seconds: 150
      cores: 2
      model: "00"
      versions: {inferdeck: "0.1", onnxruntime: "1.20"}
      server_qps: 100
      bound_ms: 15
      scenarios:
        Offline:
          {sessions: 2, intra_op_threads: 1, max_batch: 8, batch_ms: 2.5, samples_per_second: 400, cores: [[0], [1]]}
"""
RECIPE = "title: Own\ntags: 'app,mlperf,inference,_resnet50,_patterns-net,_test'\n"


@dataclass(frozen=True)
class Home:
    """Damaged files, then commands, in which the home is `home`."""

    parts: Sequence[places.Edit | str]

    def run(self, kept: Sequence[int], folder: Path) -> list[str]:
        """Damage the kept files and run the kept commands."""
        canary = places.write_canary(folder)
        shutil.copytree(template(), folder / "home", symlinks=True)
        parts = [self.parts[index] for index in kept]
        for part in parts:
            if isinstance(part, places.Edit):
                part.apply(folder / "home", canary)
        wrong, before = [], places.state(canary)
        with ExitStack() as stack:
            _hold(stack, folder / "home" / RUNNING)
            for part in parts:
                if isinstance(part, str):
                    wrong += calls.inferdeck(part.split(), folder / "home")
        # A person may keep a job elsewhere, behind a link: what is added there is added to the home.
        return wrong + ([] if before.items() <= places.state(canary).items() else ["the canary changed"])


def make(chance: random.Random) -> Home:
    """Return one to four damages, and one to three commands."""
    wanted = chance.choice(("jobs/", "jobs/", "jobs/", "store/", "config/", "config/", "systems/", "state/guide", ""))
    commands = chance.sample(COMMANDS, chance.choice((1, 2, 3)))
    return Home((*places.edits(template(), chance, (wanted,)), *commands))


def lay_out(folder: Path) -> None:
    """Write what the options of a command line name: a home, a folder, files."""
    shutil.copytree(template(), folder / "home", symlinks=True)
    for name in ("tree", "own", "images", "out"):
        (folder / name).mkdir()
    for name in ("a", "b", "lock.json"):
        shutil.copyfile(folder / "home" / "state" / ("b.lock" if name == "b" else "a.lock"), folder / name)
    (folder / "model.onnx").write_text("{}")
    (folder / "own.yaml").write_text(RECIPE)


@cache
def template() -> Path:
    """Return a home, made once in each process."""
    from engine.guide import state
    from engine.jobs import measuring
    from engine.store.store import Store
    from engine.survey import timings
    from tests.engine.explore import history
    from tests.engine.jobs import synthetic
    from tests.engine.store.test_store import make as publish
    from tests.engine.store.test_store import recipe
    from tests.helpers import folders_in

    home = Path(tempfile.mkdtemp(prefix="fuzz-home-"))
    folders = folders_in(home)
    history.job(folders, "--scenarios=Offline", rates=[900, 1100, 1000])
    history.job(folders, "--scenarios=Server,SingleStream", rate=500)
    now = synthetic.BEGIN
    synthetic.write(folders.jobs, [*synthetic.before(), *synthetic.ticks(2), *synthetic.failure(now + 5)], number=11)
    synthetic.write(folders.jobs, [*synthetic.before(), *synthetic.ticks(2)], number=12)
    synthetic.write(folders.jobs, [*synthetic.before(), *synthetic.ticks(2), *synthetic.ending(now + 5)], number=13)
    synthetic.write(folders.jobs, [*synthetic.before(), *synthetic.ticks(2)], number=14)
    (home / RUNNING).touch()
    store = Store(folders.store)
    publish(store, recipe())
    publish(store, recipe(options={"n": 2}))
    for name, text in {
        "settings.yaml": "theme: inferdeck-dark\nglyphs: ascii\n",
        "profiles/components/own.yaml": COMPONENT,
        "profiles/systems/box.yaml": SYSTEM,
        "profiles/recipes/own.yaml": RECIPE,
    }.items():
        path = folders.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    state.save(folders, state.Guide(name=state.FIRST, system="box", made=now, offer="practice"))
    timings.add(folders, {"own-thing": 2.0, "loadgen-run[Offline performance]": 60.0})
    (home / measuring.FILE).write_text('{"job": "r-0014", "user": "root", "pid": 1, "since": 1700000000.0}\n')
    calls.inferdeck(["results"], home)
    for name, words in {"a": "_test", "b": "_fast --scenarios=Server"}.items():
        tags = f"--tags=app,mlperf,inference,_resnet50,_patterns-net,{words}"
        calls.inferdeck(["plan", "--quiet", *tags.split(), f"--lock={home / 'state' / name}.lock"], home)
    return home


def _hold(stack: ExitStack, lock: Path) -> None:
    """Hold the lock of the job that runs, where damage has left it a file."""
    from engine.store.files import locked

    with suppress(OSError, InferdeckError):
        if lock.is_file() and not lock.is_symlink():
            stack.enter_context(locked(lock, wait=False))
