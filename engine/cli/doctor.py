"""`inferdeck doctor`: describe this machine, and what each benchmark needs on it."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from importlib import metadata

import engine
from engine import system
from engine.cli import arguments as words
from engine.cli import output
from engine.cli.screen import Cell, Screen
from engine.errors import StoreError
from engine.jobs import measuring
from engine.store.files import is_locked
from engine.store.folders import Folders
from engine.survey.prepare import workplace
from engine.survey.readiness import Readiness, benchmark_checks, recipe_checks, refuse_unread
from engine.text import size

PACKAGES = ("mlcommons-loadgen", "onnxruntime", "numpy", "opencv-python-headless", "onnx", "pillow", "rich", "pip")


def doctor_command(asked: words.Words) -> int:
    """Describe the machine and report what is missing; exit status 0 if at least one benchmark or recipe can run."""
    place = workplace(asked.values.get("home"), asked.profiles)
    places, given = place.folders, asked.changes.env
    refuse_unread(place, given)
    checks = [*recipe_checks(place, given), *benchmark_checks(place, given)]
    if "json" in asked.flags:
        output.write_json({"machine": _machine(places), "benchmarks": [asdict(one) for one in checks]})
    else:
        _show(Screen(), _machine(places), checks)
    return 0 if any(one.ready for one in checks) else 1


def _machine(places: Folders) -> dict[str, str]:
    found = system.detect(deep=True)
    cpu = found.cpu
    disk = system.storage(places.store)
    frequency = f", {cpu.mhz:.0f} MHz" if cpu.mhz else ""
    usable = f"{cpu.usable_cores} usable" + (f" (a quota of {cpu.quota:.3g})" if cpu.quota is not None else "")
    return {
        "processor": f"{cpu.sockets} x {cpu.model}, {cpu.physical_cores} cores, {usable}{frequency}",
        "instructions": " ".join(cpu.flags) or "nothing special",
        "memory": f"{size(found.memory.usable)} usable of {size(found.memory.bytes)}",
        "accelerators": ", ".join(gpu.model for gpu in found.gpus) or "none found",
        "system": f"{found.os.name}, kernel {found.os.kernel}, {found.os.libc}".rstrip(", "),
        "compilers": "; ".join(found.compilers.values()) or "none found (none is needed)",
        "python": f"{found.python} at {sys.executable}",
        "inferdeck": f"{engine.VERSION}; " + ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "store": f"{places.store} ({size(disk.free)} free, {disk.kind or 'file system unknown'})",
        "jobs": str(places.jobs),
        "file locks": _locks(places),
        "measuring": measuring.lock_status(),
        "own profiles": f"{places.profiles}" + ("" if places.profiles.is_dir() else " (not there yet)"),
    }


def _locks(places: Folders) -> str:
    """Return whether the file system of the jobs supports file locks, without which no job can run."""
    above = (places.jobs, *places.jobs.parents)
    place = next(one for one in above if os.path.exists(one))  # noqa: PTH110  (Path.exists raises: no permission)
    try:
        is_locked(place)
    except StoreError as error:
        return f"{error.what}; {error.remedy}"
    return "there"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _show(screen: Screen, machine: dict[str, str], checks: list[Readiness]) -> None:
    screen.table([[(name, "dim"), (text, "")] for name, text in machine.items()])
    screen.line()
    rows: list[list[Cell]] = []
    for one in checks:
        rows.append([(one.name, "bold"), (one.text, "good" if one.ready else "todo")])
        if one.remedy:
            rows.append([("", ""), (one.remedy, "dim")])
    screen.table(rows)
