"""What the running Python environment has installed, by version."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata

from packaging.specifiers import SpecifierSet

from engine.profile.values import size
from engine.steps.base import Artifact, Look, Sight


def survey_package(look: Look) -> Sight:
    """Look for an installed package in the asked range.

    Options: `package`, and for a backend `module`, the file in engine/backends that drives it, and `device`.
    `or_packages` are other packages that hold the same, in the order they are looked for, and `install` what pip is
    to install where none is there.
    """
    options = look.options
    installed = _installed((options["package"], *options.get("or_packages", ())))
    if installed is None:
        wanted = options.get("install", options["package"])
        return Sight("missing", text=f"{options['package']} is not installed", remedy=f"pip install '{wanted}'")
    package, version = installed
    if look.version and not SpecifierSet(look.version).contains(version, prereleases=True):
        return Sight(
            "conflict",
            text=f"{package} {version} is installed, {look.version} is asked for",
            remedy=f"pip install '{package}{look.version}', or ask for a range that holds {version}",
        )
    facts = {"package": package, "version": version}
    facts |= {name: options[name] for name in ("module", "device") if name in options}
    return Sight("found", Artifact("", facts), identity=f"{package}=={version}", text=version)


def _installed(packages: Sequence[str]) -> tuple[str, str] | None:
    """Return the first of the packages that is installed, with its version."""
    for package in packages:
        try:
            return package, metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return None


def survey_package_data(look: Look) -> Sight:
    """Say what a package file costs to fetch. Its name and checksum are options, so nothing has to be looked for."""
    return Sight("run", fetch_bytes=size(look.options["bytes"] or ""))
