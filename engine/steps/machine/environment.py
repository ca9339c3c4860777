"""Install a framework into a separate environment, where the running one lacks the requested version.

The environment is a folder of packages for one of this machine's Pythons. Steps that need the backend run in it
(engine.jobs.child), so it holds what they import: the framework, LoadGen in the running version, and the few packages
of our own code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from engine.errors import CannotRunError, FetchError, InferdeckError
from engine.facts import CommonFacts
from engine.fetch.package_set import NoFitError, Pinned, download_set, install, requirement, resolve
from engine.step import Artifact, Step, read_options
from engine.steps.machine.backend import FrameworkOptions, facts, names, to_install
from engine.store.store import Manifest, Store
from engine.system.interpreters import Interpreter, interpreters, running
from engine.system.isolation import SITE, Environment, within_environment

LOADGEN = "mlcommons-loadgen"
OURS = ("msgspec>=0.22", "numpy>=1.26", "onnx>=1.16,!=1.19.0", "packaging>=24", "psutil>=6", "pyyaml>=6.0.2")
"""Packages that our code imports in steps that need a backend. onnx 1.19.0 accepts any ml-dtypes but fails with an
older one."""

_SECONDS = 300
"""Timeout in seconds for the first import of a framework."""


class EnvironmentOptions(FrameworkOptions, frozen=True, kw_only=True):
    """A backend, and additional packages of its environment."""

    beside: tuple[str, ...] | None = None
    """Additional requirements."""


def make(step: Step) -> dict[str, Any]:
    """Install a backend of the requested version into the output folder.

    Facts: those of a backend that is installed, and `environment`, an engine.system.isolation.Environment.

    Raises CannotRunError where no Python here has wheels for it, FetchError where the index does not answer.
    """
    options = step.read_options(EnvironmentOptions)
    wanted = asked_for(step.options, step.version)
    try:
        environment = _fetched(step, wanted)
    except FetchError as error:
        stored = _stored(step, wanted)
        if stored is None:
            raise
        environment = stored
        step.warn(f"{error.what}; using the environment in the store", remedy=error.remedy)
    package = next(name for name in map(canonicalize_name, names(options)) if name in environment.packages)
    _try(step, environment)
    known = facts(options, package, environment.packages[package])
    return {**known, "environment": msgspec.to_builtins(environment)}


def asked_for(options: Mapping[str, Any], version: str) -> Requirement:
    """Return the requirement of the backend's package in the requested range. Raises UsageError for an invalid one."""
    return requirement(f"{to_install(read_options(options, FrameworkOptions))}{version}")


def refuse_without_wheels(wanted: Requirement) -> None:
    """Raise CannotRunError where no Python here has a wheel of this package, FetchError where the index does not
    answer.

    Only the package itself is looked up, which takes a second or two; its dependencies are resolved on installation.
    """
    _resolved([wanted], alone=True)


def download_wheels(options: Mapping[str, Any], version: str, folder: Path) -> None:
    """Download the wheels of a backend's environment into a folder.

    Raises CannotRunError where no Python here has wheels for it, FetchError where the index does not answer.
    """
    python, packages = _resolved(_requirements(options, asked_for(options, version)))
    download_set(packages, Path(python.path), folder)


def _requirements(options: Mapping[str, Any], wanted: Requirement) -> list[Requirement]:
    """Return all that an environment must hold, the backend first."""
    beside = read_options(options, EnvironmentOptions).beside or ()
    return [wanted, *map(requirement, (f"{LOADGEN}=={metadata.version(LOADGEN)}", *OURS, *beside))]


def _fetched(step: Step, wanted: Requirement) -> Environment:
    step.phase("choosing versions")
    python, packages = _resolved(_requirements(step.options, wanted))
    environment = Environment(python.path, python.version, {one.name: one.version for one in packages})
    same = [path for path, found in _environments(step) if _same(found, environment)]
    step.phase(f"{wanted.name} {environment.packages[canonicalize_name(wanted.name)]} for Python {python.version}")
    if same:
        _share(same[0], step.output)
    else:
        site = step.output / SITE
        install(packages, Path(python.path), site, lambda done: step.progress(done, None, "bytes"))
    return environment


def _resolved(requirements: Sequence[Requirement], *, alone: bool = False) -> tuple[Interpreter, tuple[Pinned, ...]]:
    """Resolve the requirements for one Python after another. Raises CannotRunError with the first one's reason."""
    reasons: dict[str, InferdeckError] = {}
    for python in interpreters():
        try:
            return python, resolve(requirements, Path(python.path), alone=alone)
        except NoFitError as error:
            reasons[python.version] = error
    first = reasons[running().version]
    raise CannotRunError(
        f"{requirements[0]} is not available for Python {', '.join(reasons)} ({first.what})", first.remedy
    )


def _environments(step: Step) -> Iterator[tuple[Path, Manifest]]:
    """Yield contents and manifest of each complete environment in the store that holds this backend."""
    if not step.store.name:
        return
    store = Store(step.store)
    for name in store.names():
        if not name.startswith(f"{step.id.partition('#')[0]}-"):
            continue
        manifest = store.manifest(name)
        if manifest and _backend_facts(manifest) and store.damage(name, manifest) is None:
            yield store.content(name), manifest


def _read(manifest: Manifest) -> Environment:
    return msgspec.convert(_backend_facts(manifest), Environment)


def _backend_facts(manifest: Manifest) -> dict[str, Any]:
    return Artifact("", manifest.facts).read(CommonFacts).environment


def _same(manifest: Manifest, wanted: Environment) -> bool:
    return _read(manifest) == wanted


def _stored(step: Step, wanted: Requirement) -> Environment | None:
    """Return the newest compatible environment of the store, where the index can't be queried."""
    name = canonicalize_name(wanted.name)
    for content, manifest in sorted(_environments(step), key=lambda one: -one[1].made):
        environment = _read(manifest)
        version = environment.packages.get(name)
        fits = version is not None and wanted.specifier.contains(version, prereleases=True)
        if fits and Path(environment.python).exists():
            _share(content, step.output)
            return environment
    return None


def _share(source: Path, output: Path) -> None:
    """Hard-link the files of one environment into another: neither is ever written again."""
    shutil.rmtree(output / SITE, ignore_errors=True)
    shutil.copytree(source / SITE, output / SITE, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _try(step: Step, environment: Environment) -> None:
    """Import the backend in its environment, so that incompatible packages fail here and not during a measurement."""
    step.phase("trying it")
    module = step.read_options(EnvironmentOptions).module
    with TemporaryDirectory() as folder:
        launch = within_environment(step.output, environment, Path(folder))
        code = f"import importlib, onnx.helper; print(importlib.import_module({module!r}).version())"
        done = subprocess.run(
            [*launch.words, "-c", code],
            env=launch.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise CannotRunError(
            f"{step.title} {step.version} does not start in its environment: {lines[-1] if lines else done.returncode}",
            "its packages are incompatible: give one a range, as in --adr.backend.beside='numpy<2'",
        )
