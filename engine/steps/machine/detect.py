"""Survey this machine: processors and memory, and libraries that the operating system must provide."""

import platform
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

import msgspec

from engine import system
from engine.errors import CannotRunError
from engine.step import Artifact, Options, Step, SurveyContext, SurveyResult
from engine.system.packages import NEEDED, Package, install_command, manager


class PackagesOptions(Options, frozen=True, kw_only=True):
    """Packages that the operating system must provide."""

    packages: dict[str, Package] | None = None
    """Generic names; None takes those that inferdeck needs."""
    yes_install: bool = False
    """Whether the step may run the install command."""


def survey_system(_look: SurveyContext) -> SurveyResult:
    """Describe this machine. Facts: those of engine.system.MachineDescription.

    The identity covers what determines measured speed, and is unaffected by a reboot or a kernel update.
    """
    found = system.detect()
    cpu = found.cpu
    gigabytes = round(found.memory.usable / 1e9)
    parts = (
        *(cpu.model, cpu.architecture, f"{cpu.sockets} sockets", f"{cpu.physical_cores} cores"),
        *(
            f"{cpu.usable_cores} usable",
            *([f"time of {cpu.quota:.3g} cores"] if cpu.quota is not None and cpu.quota < cpu.allowed_cores else []),
            f"{cpu.numa_nodes} nodes",
            f"{gigabytes} GB",
            *(gpu.model for gpu in found.gpus),
        ),
    )
    gpus = "".join(f", {gpu.model}" for gpu in found.gpus)
    return SurveyResult(
        "found",
        Artifact("", msgspec.to_builtins(found)),
        identity="; ".join(parts),
        text=f"{cpu.model}, {cpu.usable_cores} cores, {gigabytes} GB{gpus}, {found.os.name}",
    )


def survey_packages(context: SurveyContext) -> SurveyResult:
    """Look for commands and libraries that the operating system must provide.

    Options: `packages` (generic name to the fields of engine.system.packages.Package; none takes those that inferdeck
    needs), `yes_install` (the step may run the install command). Facts: `packages`, the generic names.
    """
    options = context.read_options(PackagesOptions)
    wanted = _wanted(options)
    missing = [name for name, package in wanted.items() if not package.present()]
    if not missing:
        return SurveyResult(
            "found", Artifact("", {"packages": list(wanted)}), identity=" ".join(wanted), text="all present"
        )
    text = f"not found: {', '.join(missing)}"
    command = _command(wanted, missing, ask=True)
    if options.yes_install and command:
        return SurveyResult("run", text=text)
    return SurveyResult("missing", text=text, remedy=shlex.join(command) if command else _by_hand(missing))


def install_packages(step: Step) -> dict[str, Any]:
    """Install what is missing, with the system's own package manager, only where `yes_install` says so.

    Never asks for a password. Options as in `survey_packages`; facts: `packages`, and `installed`, the generic names.
    Raises CannotRunError where it isn't allowed, can't be done, or fails.
    """
    options = step.read_options(PackagesOptions)
    wanted = _wanted(options)
    missing = [name for name, package in wanted.items() if not package.present()]
    if missing:
        shown = shlex.join(_command(wanted, missing, ask=True))
        if not shown:
            raise CannotRunError(f"not found: {', '.join(missing)}", _by_hand(missing))
        if not options.yes_install:
            raise CannotRunError(f"not found: {', '.join(missing)}", f"{shown}, or let inferdeck run it: --yes_install")
        step.phase(shown)
        _run(_command(wanted, missing, ask=False), shown)
    still = [name for name in missing if not wanted[name].present()]
    if still:
        raise CannotRunError(f"installed, but not found afterwards: {', '.join(still)}", _by_hand(still))
    return {"packages": list(wanted), "installed": missing}


def _wanted(options: PackagesOptions) -> Mapping[str, Package]:
    if options.packages is not None:
        return options.packages
    return NEEDED if platform.system() == "Linux" else {}


def _command(wanted: Mapping[str, Package], missing: list[str], *, ask: bool) -> tuple[str, ...]:
    """Return the install command; empty where the package manager, or its name for a package, is not known."""
    tool = manager(system.detect().os)
    names = [wanted[name].name(tool) for name in missing] if tool else []
    return install_command(names, tool, ask=ask) if tool and names and all(names) else ()


def _by_hand(missing: list[str]) -> str:
    return f"install {', '.join(missing)} with this system's package manager"


def _run(command: tuple[str, ...], shown: str) -> None:
    remedy = f"update the package lists, then run by hand: {shown}"
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        raise CannotRunError(f"{command[0]} cannot be run: {error.strerror}", remedy) from None
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise CannotRunError(f"{shown} failed: {lines[-1] if lines else f'exit status {done.returncode}'}", remedy)
