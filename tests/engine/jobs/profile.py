"""A small profile of our own for the job tests: steps that build, measure, fail and crash on request.

Its steps write down each time that they run (`ran.log` next to the results), so that a test can see what was
done twice.
"""

from __future__ import annotations

from pathlib import Path

from engine.jobs import control, jobs
from engine.jobs.job_spec import JobSpec
from engine.plan.plan import Plan
from engine.plan.resolve import resolve
from engine.plan.selection import Selection
from engine.profile.catalog import Catalog, load
from engine.profile.component import Query
from engine.store.folders import Folders
from tests.helpers import write_components

STEPS = '''
import os, signal, time
from pathlib import Path
from engine.errors import DataError

def _ran(step):
    with open(step.options["diary"], "a") as diary:
        diary.write(step.id + "\\n")

def slow_file(step):
    """Write a file in pieces, going on behind the last whole piece of an earlier attempt: a kill can split a write."""
    target = step.output / "file.bin"
    pieces = step.options["pieces"]
    with target.open("ab") as out:
        whole = target.stat().st_size // 1000
        out.truncate(whole * 1000)
        for number in range(whole, pieces):
            out.write(bytes([number % 256]) * 1000)
            out.flush()
            step.progress(number + 1, pieces, "pieces")
            time.sleep(0.004)
    _ran(step)
    return {"bytes": target.stat().st_size}

def join(step):
    """Join the files of the needs."""
    data = b"".join((one.folder / "file.bin").read_bytes() for _, one in sorted(step.inputs.items()))
    (step.output / "joined.bin").write_bytes(data)
    time.sleep(0.05)
    _ran(step)
    return {"bytes": len(data)}

def measure(step):
    """Leave a result that depends on the joined file only."""
    mode = step.options["mode"]
    (step.output / "log.txt").write_text("begun")
    time.sleep(0.05)
    if mode == "fail":
        raise DataError("the measurement failed", "fix it")
    if mode == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if mode == "bug":
        raise ZeroDivisionError("a bug")
    if mode == "hang":
        time.sleep(600)
    total = sum(step.inputs["joined"].folder.joinpath("joined.bin").read_bytes())
    (step.output / "log.txt").write_text(f"{step.options['number']} {total}")
    (step.output / "run.json").write_text("{}")
    _ran(step)
    return {"total": total}
'''

COMPONENTS = {
    "app": """
        name: app
        tags: [app]
        options:
          numbers: {type: list, default: ["1", "2"]}
          mode: {default: well}
          pieces: {type: int, default: 20}
          diary: {type: path}
        needs:
          left: {tags: "get,file", hand: [pieces, diary], set: {name: left}}
          right: {tags: "get,file", hand: [pieces, diary], set: {name: right}}
          joined: {tags: "join", hand: [diary]}
        after:
          measure: {tags: "measure", each: {number: numbers}, hand: [mode, diary]}
        """,
    "file": """
        name: file
        tags: [get, file]
        step: steps.py:slow_file
        resumable: true
        label: "{name}"
        options: {name: {}, pieces: {type: int}, diary: {type: path, key: false}}
        """,
    "join": """
        name: join
        tags: [join]
        step: steps.py:join
        options: {diary: {type: path, key: false}}
        needs: {a: {beside: left}, b: {beside: right}}
        """,
    "measure": """
        name: measure
        tags: [measure]
        step: steps.py:measure
        cache: false
        exclusive: true
        label: "{number}"
        results: "sut/{number}"
        options: {number: {}, mode: {}, diary: {type: path, key: false}}
        needs: {joined: {beside: joined}}
        """,
    "command": """
        name: command
        tags: [command]
        command:
          - sh
          - -c
          - cp $INFERDECK_ASKED $INFERDECK_OUTPUT/asked.json; echo '{"done":1}' > $INFERDECK_OUTPUT/facts.json
        options: {word: {default: hello}}
        """,
}


def write(folder: Path) -> Path:
    """Write the profile; returns its folder."""
    write_components(folder, COMPONENTS)
    (folder / "components" / "steps.py").write_text(STEPS)
    return folder


def plan_of(catalog: Catalog, tags: str = "app", **options: str) -> Plan:
    """Resolve one of the components above."""
    return resolve(catalog, Selection(Query.parse([tags]), options=options))


def spec_of(profile: Path, results: Path, tags: str = "app", **options: str) -> tuple[JobSpec, Catalog]:
    """Return the spec of a job on this profile."""
    catalog = load([profile])
    plan = plan_of(catalog, tags, **options)
    spec = JobSpec(
        plan=plan, command=("run", f"--tags={tags}"), title=tags, results=str(results), profiles=(str(profile),)
    )
    return spec, catalog


def start(folders: Folders, spec: JobSpec) -> jobs.Job:
    """Start a new job in its own process, or resume a stopped one."""
    return control.begin(folders, spec)[0]


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder with their content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
