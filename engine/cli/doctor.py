"""`inferdeck doctor`: what this machine is, and what each benchmark lacks on it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from importlib import metadata

import engine
from engine import system
from engine.cli import words
from engine.cli.run import prepare
from engine.cli.screen import Cell, Screen
from engine.errors import InferdeckError
from engine.profile import catalog
from engine.store.folders import Folders, folders
from engine.text import size

APP = "app-mlperf-inference"
TAGS = "app,mlperf,inference,reference,python"
PACKAGES = ("mlcommons-loadgen", "onnxruntime", "numpy", "opencv-python-headless", "onnx", "pillow", "rich", "pip")


@dataclass(frozen=True)
class Health:
    """What one benchmark or recipe needs on this machine."""

    name: str
    ready: bool
    text: str
    remedy: str = ""


def doctor_command(arguments: list[str]) -> int:
    """Describe the machine and say what is missing; exit status 0 if at least one thing can run."""
    asked = words.parse_simple(arguments)
    places = folders(asked.values.get("home"))
    checks = [*_recipes(places), *_benchmarks(places)]
    if "json" in asked.flags:
        sys.stdout.write(
            json.dumps({"machine": _machine(places), "benchmarks": [asdict(one) for one in checks]}) + "\n"
        )
    else:
        _show(Screen(), _machine(places), checks)
    return 0 if any(one.ready for one in checks) else 1


def _machine(places: Folders) -> dict[str, str]:
    found = system.detect(deep=True)
    cpu = found.cpu
    disk = system.storage(places.store)
    frequency = f", {cpu.mhz:.0f} MHz" if cpu.mhz else ""
    return {
        "processor": f"{cpu.sockets} x {cpu.model}, {cpu.physical_cores} cores, {cpu.usable_cores} usable{frequency}",
        "instructions": " ".join(cpu.flags) or "nothing special",
        "memory": f"{size(found.memory.usable)} usable of {size(found.memory.bytes)}",
        "accelerators": ", ".join(gpu.model for gpu in found.gpus) or "none found",
        "system": f"{found.os.name}, kernel {found.os.kernel}, {found.os.libc}".rstrip(", "),
        "compilers": "; ".join(found.compilers.values()) or "none found (none is needed)",
        "python": f"{found.python} at {sys.executable}",
        "inferdeck": f"{engine.VERSION}; " + ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "store": f"{places.store} ({size(disk.free)} free, {disk.kind or 'file system unknown'})",
        "jobs": str(places.jobs),
        "own profiles": f"{places.profiles}" + ("" if places.profiles.is_dir() else " (not there yet)"),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _recipes(places: Folders) -> list[Health]:
    known = catalog.load([places.profiles] if places.profiles.is_dir() else [])
    names = {path.stem for folder in known.folders for path in (folder / "recipes").glob("*.yaml")}
    return [_check(f"recipe {name}", [f"--recipe={name}"], places) for name in sorted(names)]


def _benchmarks(places: Folders) -> list[Health]:
    app = catalog.load([]).components[APP]
    found = []
    for variation in app.groups()["benchmark"]:
        if variation.refused:
            found.append(Health(variation.name, ready=False, text=variation.refused))
            continue
        tags = f"--tags={TAGS},_{variation.name},_all-scenarios,_all-modes"
        found.append(_check(f"{variation.name}, whole data set", [tags, "--adr.imagenet.tags=_full"], places))
        found.append(_check(f"{variation.name}, 500 pictures", [tags], places))
    return found


def _check(name: str, arguments: list[str], places: Folders) -> Health:
    """Survey what would run."""
    home = [f"--home={places.state.parent}"] if places.state.parent == places.store.parent else []
    try:
        survey = prepare(words.parse([*arguments, *home])).seen
    except InferdeckError as error:
        return Health(name, ready=False, text=error.what, remedy=error.remedy)
    problems = survey.problems()
    if problems:
        remedy = "; ".join(seen.remedy for _, seen in problems)
        return Health(name, ready=False, text="; ".join(seen.text for _, seen in problems), remedy=remedy)
    fetch = survey.totals.fetch_bytes
    return Health(
        name, ready=True, text=f"can run, {size(fetch)} to fetch first" if fetch else "can run, nothing to fetch"
    )


def _show(screen: Screen, machine: dict[str, str], checks: list[Health]) -> None:
    screen.table([[(name, "dim"), (text, "")] for name, text in machine.items()])
    screen.line()
    rows: list[list[Cell]] = []
    for one in checks:
        rows.append([(one.name, "bold"), (one.text, "good" if one.ready else "todo")])
        if one.remedy:
            rows.append([("", ""), (one.remedy, "dim")])
    screen.table(rows)
