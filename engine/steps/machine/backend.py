"""Survey a backend: installed here, installable into a separate environment, or unusable on this machine.

A backend's component names the package and the module that drives it. No framework is imported here, so that a plan is
instant.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from engine import system
from engine.errors import UsageError
from engine.step import Artifact, Options, SurveyContext, SurveyResult
from engine.steps.machine.python_packages import installed


class FrameworkOptions(Options, frozen=True, kw_only=True):
    """A backend's package, and how to use it."""

    package: str
    or_packages: tuple[str, ...] | None = None
    """Alternative packages that contain the same framework."""
    install: tuple[str, ...] | None = None
    """Requirements to install where none is present; the first whose marker holds. Default: `package`."""
    module: str
    device: str
    settings: tuple[str, ...] | None = None
    """NAME=VALUE settings, under the backend's own names."""
    cpu_flags: tuple[str, ...] | None = None
    """CPU flags of which the processor must have at least one."""
    accelerator: str | None = None
    """Kind of accelerator that must be present, as error messages name it."""
    measured: tuple[str, ...] | None = None
    """NAME=VALUE, of `weight_data_types` and `weight_transformations`: how the backend changes the weights when it
    loads them."""
    instead: str | None = None
    """Remedy where the machine lacks something."""


def survey(context: SurveyContext) -> SurveyResult:
    """Look for a backend's package in the requested version range; if absent, plan a separate environment for it.

    Facts: `package`, `version`, `module`, `device`, `settings` and `measured`.
    """
    options = context.read_options(FrameworkOptions)
    lacking = _missing_hardware(options)
    if lacking:
        return SurveyResult("conflict", text=lacking, remedy=options.instead or "choose another device")
    here = installed(names(options))
    if here is not None and (not context.version or SpecifierSet(context.version).contains(here[1], prereleases=True)):
        known = facts(options, *here)
        return SurveyResult("found", Artifact("", known), identity=_identity(known), text=here[1])
    reason = f"{here[0]} {here[1]} is installed, {context.version} is required" if here else "it is not installed here"
    if find_spec("pip") is None and shutil.which("uv") is None:
        return SurveyResult(
            "missing", text=f"{reason}, and there is neither pip nor uv", remedy=f"{sys.executable} -m ensurepip"
        )
    return SurveyResult(
        "run",
        identity=f"{sys.implementation.cache_tag} {platform.system()} {platform.machine()}",
        text=f"{reason}: it gets an environment of its own; bytes and time are estimates",
    )


def facts(options: FrameworkOptions, package: str, version: str) -> dict[str, Any]:
    """Return the facts of an installed backend. Raises UsageError where a setting is not NAME=VALUE."""
    return {
        "package": package,
        "version": version,
        "module": options.module,
        "device": options.device,
        "settings": _pairs(options.settings, "settings"),
        "measured": _pairs(options.measured, "measured"),
    }


def names(options: FrameworkOptions) -> tuple[str, ...]:
    """Return the packages that hold the backend, in the order they are looked for."""
    return (options.package, *(options.or_packages or ()))


def to_install(options: FrameworkOptions) -> str:
    """Return the package that is fetched on this machine: the first whose marker holds, or has none."""
    for text in options.install or ():
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            raise UsageError(f"'{text}' is not a package", "write name, or name; marker, as pip reads it") from None
        if wanted.marker is None or wanted.marker.evaluate():
            return wanted.name
    return options.package


def _missing_hardware(options: FrameworkOptions) -> str:
    """Return what this machine lacks for the chosen backend; empty where nothing."""
    flags, accelerator = options.cpu_flags or (), options.accelerator
    if not flags and not accelerator:
        return ""
    machine = system.detect()
    if flags and not set(flags) & set(machine.cpu.flags):
        return f"this processor ({machine.cpu.model}) has none of {', '.join(flags)}"
    if accelerator and not machine.gpus:
        return f"no {accelerator} device is found on this machine"
    return ""


def _pairs(words: tuple[str, ...] | None, name: str) -> dict[str, str]:
    found = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"'{word}' in '{name}' is not NAME=VALUE", f"write --adr.backend.{name}=NAME=VALUE")
        found[key] = value
    return found


def _identity(known: Mapping[str, Any]) -> str:
    words = [f"{known['package']}=={known['version']}"]
    words += [known["device"]] if known["device"] != "cpu" else []
    return " ".join([*words, *(f"{name}={value}" for name, value in sorted(known["settings"].items()))])
